//! What `rohrpost-wire` is held to from outside: the known answers in `protocol/vectors/wire`, and those of others.

#[cfg(test)]
mod vectors;
#[cfg(test)]
mod wycheproof;
