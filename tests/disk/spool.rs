//! The relay's spool.

mod damage;
mod full;
mod kill;
mod ledger;
mod power;
mod relay;
mod restored;
mod scene;
mod setback;
mod sync;
mod trial;
