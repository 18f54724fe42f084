# base: enrol
# shows: a stolen link alone enrols nobody and decrypts nothing: what is left to its thief are counted guesses
# expect: c0c0a0a0
s/mac_key = HKDF(nil, link, l_mac)/mac_key = HKDF(nil, link, l_mac)\n\tleaks link/
