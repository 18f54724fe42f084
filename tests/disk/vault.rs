//! The safe's vault.

mod damage;
mod found;
mod full;
mod kill;
mod power;
mod scene;
mod served;
mod setback;
mod sweep;
mod sync;
mod told;
mod trial;
mod work;
