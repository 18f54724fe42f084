//! What `rohrpost-wire` is held to from outside: the known answers in `protocol/vectors/wire`, those of
//! others, and that `docs/protocol.md` leaves nothing out.

#[cfg(test)]
mod document;
#[cfg(test)]
mod vectors;
#[cfg(test)]
mod wycheproof;
