# base: mailbox
# shows: a proof without the relay's challenge opens the mailbox again
# expect: a0f1
s/CONCAT(fetch, pk_m), challenge, no_ids/CONCAT(fetch, pk_m), no_ids/
