# base: exchange_reply_key_known
# shows: without the key from the request, whoever learns the reply key makes replies
# expect: c0c0a0a1f0
s/HKDF(ss2, s_e_psk,/HKDF(ss2, nil,/
s/HKDF(d_ss2, e_psk,/HKDF(d_ss2, nil,/
