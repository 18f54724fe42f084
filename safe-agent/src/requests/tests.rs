//! Requests from sealed envelope to opened reply, over a store in memory and one on disk.

mod crash;
mod damage;
mod document;
mod enrolment;
mod fields;
mod guesses;
mod interleavings;
mod jumps;
mod matrix;
mod once;
mod pages;
mod pairs;
mod race;
mod safes;
mod sequence;
mod snapshot;
mod time;
mod timing;
mod tries;
