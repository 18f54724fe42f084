# base: records_old_root_stolen
# shows: a successor that need not be the one committed to is anybody's
# expect: c1a1
s/\(_ = ASSERT(HASH(l_next, c_next), c_commitment)\)?/\1/
