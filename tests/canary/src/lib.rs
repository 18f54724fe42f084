//! Finds marked secrets in bytes, whatever encoding they hide in.
//!
//! A test marks what must not leak with [`Canary`]s, lets the system work, and gives everything an attacker could hold to
//! one [`Scanner`]: files and their names, logs, the memory of a running program, what was said on a wire. The scanner
//! knows the forms in which software leaves a text: other character sets, hexadecimal and base64 at any alignment, arrays
//! as `Debug` prints them, halves of it on both sides of a boundary, hashes of what could be guessed; and it looks into
//! what is compressed or encoded again.
//!
//! Invariant: a secret in one of these forms is found wherever it begins; that this is so is a test of its own, and so is
//! that random bytes hold none.

mod blake3;
mod canary;
mod encodings;
mod findings;
mod forms;
mod hashes;
mod memory;
mod nested;
mod places;
mod scanner;

pub use canary::Canary;
pub use findings::{Findings, Hit};
pub use forms::names;
pub use scanner::Scanner;
