# base: records
# shows: without the online key's signature any prekey is believed
# expect: c1a1
s/\(_ = SIGNVERIF(pk_online, .*)\)?/\1/
