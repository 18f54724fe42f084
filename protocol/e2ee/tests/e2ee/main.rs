//! What `rohrpost-e2ee` is held to from outside: the known answers in `protocol/vectors/e2ee`, those of others, and
//! what its types print.

#[cfg(test)]
mod debug;
#[cfg(test)]
mod external;
#[cfg(test)]
mod vectors;
#[cfg(test)]
mod wycheproof;
