//! The data-safe of a practice: it guards documents, decides who may have them, and speaks for the practice.
//!
//! [`requests`] decides what to answer, a pure value over a [`vault::Store`]; [`office`] is the practice's own desk;
//! [`agent`] connects to the relay and carries out. The invariant: no listening network socket, and no access that
//! [`grants::authorise`] has not decided.

pub mod agent;
pub mod audit;
pub mod clock;
pub mod grants;
pub mod handlers;
pub mod identity;
pub mod media;
pub mod office;
pub mod presence;
pub mod requests;
pub mod rows;
pub mod transfers;
pub mod vault;
