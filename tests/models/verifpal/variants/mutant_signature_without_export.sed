# base: exchange_once
# shows: a signature that does not name its envelope can be carried into another one by whoever can open the first
# expect: c1c0a1a1f0
s/e_sig, aad, HASH/aad, HASH/
s/s_e_sig, s_aad, HASH/s_aad, HASH/
s/pk_pre = PUBKEY(sk_pre)/pk_pre = PUBKEY(sk_pre)\n\tleaks sk_pre/
