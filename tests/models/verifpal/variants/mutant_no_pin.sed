# base: enrol_link_known
# shows: without the PIN the link is all there is
# expect: c0c1a1a0
s/\(_ = ASSERT(s_digits, digits)\)?/\1/
