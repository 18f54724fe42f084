//! What a relay, a stolen folder and the wire give away of marked secrets.
//!
//! The real programs work through a whole story with secrets that were drawn for this run; then everything an attacker
//! could hold is searched by the scanner of `rohrpost-canary`. Each search has a control: the same secrets are found
//! where they belong.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a helper of a test fails as the test does"
)]

mod capture;
mod classifier;
mod dictionary;
mod house;
mod packets;
mod regression;
mod relay;
mod safe;
mod secrets;
mod sizes;
mod story;
mod stranger;
mod tap;
mod tls;
mod wire;
