# base: exchange_once
# shows: a request sealed in base mode is anybody's: without the device's signature documents go to whoever asks
# expect: c0c1a1a0f0
s/\(_ = SIGNVERIF(pk_d, .*)\)?/\1/
