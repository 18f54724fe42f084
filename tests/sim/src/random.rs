//! Randomness of a simulation: every node has a stream of its own, so that one more draw of one node shifts no other.

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng as _;
use rand_core::Rng as _;

/// What every node draws from.
pub type Rng = ChaCha20Rng;

/// The stream with this number of the simulation with this seed.
pub fn stream(seed: u64, number: u64) -> Rng {
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    rng.set_stream(number);
    rng
}

/// A number below `bound`, evenly as far as tests care.
pub fn below(rng: &mut Rng, bound: u64) -> u64 {
    rng.next_u64() % bound.max(1)
}

/// True so many times in a thousand.
pub fn chance(rng: &mut Rng, per_mille: u64) -> bool {
    below(rng, 1000) < per_mille
}
