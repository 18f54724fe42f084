# base: exchange_once
# shows: knowing the reply key and the request's id is not enough to make a reply
# expect: c0c0a0a0f0
s/pk_r = PUBKEY(sk_r)/pk_r = PUBKEY(sk_r)\n\tleaks pk_r, id/
