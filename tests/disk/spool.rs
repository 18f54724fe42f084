//! The relay's spool.

mod full;
mod kill;
mod ledger;
mod power;
mod relay;
mod sync;
mod trial;
