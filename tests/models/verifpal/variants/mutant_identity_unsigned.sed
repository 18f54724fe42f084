# base: records
# shows: without the root's signature any online key is believed
# expect: c1a1
s/\(_ = SIGNVERIF(c_next, HASH(l_identity.*)\)?/\1/
