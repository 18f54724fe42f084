# base: exchange_once
# shows: the control of mutant_signature_without_export: with the export, a stolen prekey reads and answers, and sends nothing
# expect: c1c0a0a1f0
s/pk_pre = PUBKEY(sk_pre)/pk_pre = PUBKEY(sk_pre)\n\tleaks sk_pre/
