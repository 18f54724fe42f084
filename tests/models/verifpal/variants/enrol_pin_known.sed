# base: enrol
# shows: a PIN that was seen or guessed enrols nobody without the link
# expect: c1c0a0a0
s/mac_key = HKDF(nil, link, l_mac)/mac_key = HKDF(nil, link, l_mac)\n\tleaks digits/
