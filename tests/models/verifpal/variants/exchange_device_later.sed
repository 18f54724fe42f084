# base: exchange
# shows: who steals a device key later reads nothing of what was before
# expect: c0c0a1a0f1
s/^queries\[/phase[1]\n\nprincipal Device[\n\tleaks sk_d\n]\n\nqueries[/
