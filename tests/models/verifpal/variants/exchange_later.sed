# base: exchange
# shows: who seizes the prekey later reads old requests and no old reply; so prekeys are erased
# expect: c1c0a1a0f1
s/^queries\[/phase[1]\n\nprincipal Safe[\n\tleaks sk_pre\n]\n\nqueries[/
