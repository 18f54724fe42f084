//! The PIN of a link.

use std::fmt;

use rand_core::CryptoRng;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use crate::secret::{Secret, inside_seal};

/// Digits of a PIN.
pub const PIN_DIGITS: usize = 6;

/// The six digits that go another way than the link.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Pin(#[serde(with = "inside_seal")] Secret<PIN_DIGITS>);

impl Pin {
    /// Draws six uniform digits by rejection: a byte below 250 gives one digit without bias.
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        let mut digits = [0; PIN_DIGITS];
        for digit in &mut digits {
            *digit = loop {
                let mut byte = [0];
                rng.fill_bytes(&mut byte);
                let [byte] = byte;
                if byte < 250 {
                    break b'0' + byte % 10;
                }
            };
        }
        Self(Secret::from_bytes(digits))
    }

    /// Reads six digits as a person types them: spaces and dashes between them do not matter.
    pub fn parse(text: &str) -> Option<Self> {
        let digits: zeroize::Zeroizing<Vec<u8>> =
            zeroize::Zeroizing::new(text.bytes().filter(|byte| !matches!(byte, b' ' | b'-' | b'\n' | b'\r')).collect());
        if digits.iter().all(u8::is_ascii_digit) { Secret::from_slice(&digits).map(Self) } else { None }
    }

    /// The digits, to be shown once to whoever passes them on, and kept in a sealed row.
    pub fn expose(&self) -> &[u8; PIN_DIGITS] {
        self.0.expose()
    }
}

/// Six ASCII digits and nothing else: whatever else a peer sends is not a wrong PIN but no PIN.
impl<'de> Deserialize<'de> for Pin {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let digits: Secret<PIN_DIGITS> = inside_seal::deserialize(deserializer)?;
        if digits.expose().iter().all(u8::is_ascii_digit) {
            Ok(Self(digits))
        } else {
            // Never with the bytes themselves: an error may be printed.
            Err(D::Error::custom("not six digits"))
        }
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pin")
    }
}
