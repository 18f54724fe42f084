# base: deposit
# shows: a seal that does not cover the reply mailbox lets the relay choose another one
# expect: c0a0a1
s/CONCAT(deposit, inbox, ttl, pk_m)/CONCAT(deposit, inbox, ttl)/
