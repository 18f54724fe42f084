# base: enrol_pin_known
# shows: without the link's proof the PIN is all there is
# expect: c1c1a1a0
s/\(_ = ASSERT(s_proof, .*)\)?/\1/
