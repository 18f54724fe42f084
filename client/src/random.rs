//! The operating system's randomness, for drivers: pure code takes a generator as an argument.

use rand_core::{CryptoRng, UnwrapErr};

/// A generator that asks the operating system each time.
///
/// # Panics
///
/// When the operating system has no randomness: nothing can be done safely without.
pub fn system() -> impl CryptoRng {
    UnwrapErr(getrandom::SysRng)
}
