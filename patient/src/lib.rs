//! What a patient runs: enrols a device with a link and a PIN, lists what the practice shares, fetches it.
//!
//! Decisions are plain values and functions ([`fetch`], [`sequence`], [`retry`], [`names`]); files are whole or not
//! there ([`stored`], [`partial`], [`place`]); [`session`], [`transfer`] and [`enrol`] carry decisions out over a
//! [`rohrpost_client::Visit`]. Keys lie in the [`home`] folder, in a file for its owner alone. One clock is read, in
//! [`clock`]; every sentence for people stands in [`texts`].

pub mod account;
mod cli;
pub mod clock;
pub mod console;
pub mod enrol;
pub mod exit;
pub mod fetch;
mod genuine;
pub mod home;
mod input;
pub mod listing;
pub mod names;
pub mod output;
pub mod overview;
pub mod partial;
pub mod place;
pub mod problem;
pub mod retry;
pub mod sequence;
pub mod session;
mod standing;
pub mod stored;
pub mod texts;
pub mod transfer;

pub use cli::run;
pub use home::Home;
pub use problem::Problem;
pub use session::Session;
