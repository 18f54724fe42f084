# base: exchange_once
# shows: who has the device key is the device, until it is revoked: documents go to the thief; what its owner asks stays secret
# expect: c0c1a1a0f0
s/pk_d = PUBKEY(sk_d)$/pk_d = PUBKEY(sk_d)\n\tleaks sk_d/
