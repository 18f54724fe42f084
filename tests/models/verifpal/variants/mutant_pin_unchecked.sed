# base: records
# shows: without the pin the relay is whoever it wants to be
# expect: c1a1
s/\(_ = ASSERT(HASH(l_pin, first), pin)\)?/\1/
