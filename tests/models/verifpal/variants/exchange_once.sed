# base: exchange
# shows: with a record of what was opened, here a prekey for one envelope alone, nothing can be replayed
# expect: c0c0a0a0f0
s/knows private sk_pre/generates sk_pre/
