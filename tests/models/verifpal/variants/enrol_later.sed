# base: enrol
# shows: who seizes prekey, online key and link later learns an old PIN, which is spent, and no old reply
# expect: c1c0a0a0
s/^queries\[/phase[1]\n\nprincipal Safe[\n\tleaks sk_pre, sk_online, link\n]\n\nqueries[/
