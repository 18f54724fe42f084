//! The data-safe of a practice: it guards documents, decides who may have them, and speaks for the practice.
//!
//! [`requests`] decides what to answer, a pure value over a [`vault::Store`]; [`office`] is the practice's own desk;
//! [`agent`] connects to the relay and carries out. The invariant: no listening network socket, and no access that
//! [`grants::authorise`] has not decided.

pub mod admin;
pub mod agent;
pub mod audit;
pub mod cli;
pub mod clock;
pub mod failure;
pub mod grants;
pub mod handlers;
pub mod identity;
pub mod media;
pub mod office;
pub mod opening;
pub mod presence;
pub mod requests;
pub mod rows;
pub mod sheet;
pub mod texts;
pub mod transfers;
pub mod vault;

#[cfg(test)]
mod testing;
