# base: records
# shows: whoever finds a retired root key makes no records that are believed
# expect: c0a0
s/sig_first = SIGN(.*/&\n\tleaks sk_root/
