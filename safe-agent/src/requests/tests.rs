//! Requests from sealed envelope to opened reply, over a store in memory and one on disk.

mod crash;
mod document;
mod enrolment;
mod matrix;
mod once;
mod pages;
mod race;
mod sequence;
mod time;
