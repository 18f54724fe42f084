//! Who may do what, over real connections: strangers, other practices, revoked devices, guessed PINs.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a helper of a test fails as the test does")]

mod asking;
mod misdelivered;
mod pins;
mod refusals;
mod revoked;
