# base: exchange_once
# shows: a reply key that lasted would give away old replies with the device, once the prekey is gone too
# expect: c1c1a0a0f0
s/generates id, operation, sk_r, r1/knows private sk_r\n\tgenerates id, operation, r1/
s/^queries\[/phase[1]\n\nprincipal Safe[\n\tleaks sk_pre\n]\n\nprincipal Device[\n\tleaks sk_r\n]\n\nqueries[/
