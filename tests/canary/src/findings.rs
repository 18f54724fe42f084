//! What was found, and in how much.

use std::collections::BTreeMap;
use std::fmt;

/// A secret where it must not be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// Which.
    pub canary: String,
    /// As what.
    pub form: String,
    /// In which file, region or stream.
    pub place: String,
    /// At which byte of it, or of what was unpacked there.
    pub offset: u64,
}

impl fmt::Display for Hit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}) in {} at {}", self.canary, self.form, self.place, self.offset)
    }
}

/// Everything that was found in one or more places.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    bytes: u64,
    counts: BTreeMap<String, u64>,
    hits: Vec<Hit>,
}

/// As many hits as anybody would read; all are counted.
const KEPT: usize = 200;

impl Findings {
    /// Nothing found in so many bytes.
    pub(crate) fn in_bytes(bytes: u64) -> Self {
        Self { bytes, ..Self::default() }
    }

    pub(crate) fn add(&mut self, hit: Hit) {
        *self.counts.entry(hit.canary.clone()).or_default() += 1;
        if self.hits.len() < KEPT {
            self.hits.push(hit);
        }
    }

    /// Takes in what was found elsewhere.
    pub fn join(&mut self, other: Self) {
        self.bytes += other.bytes;
        for (canary, count) in other.counts {
            *self.counts.entry(canary).or_default() += count;
        }
        self.hits.extend(other.hits);
        self.hits.truncate(KEPT);
    }

    /// How many bytes were searched, without what was unpacked in them.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// How often a secret was found, in any form.
    pub fn count(&self, label: &str) -> u64 {
        self.counts.get(label).copied().unwrap_or_default()
    }

    /// How much was found.
    pub fn total(&self) -> u64 {
        self.counts.values().sum()
    }

    /// Which secrets were found.
    pub fn labels(&self) -> Vec<&str> {
        self.counts.keys().map(String::as_str).collect()
    }

    /// The first hits.
    pub fn hits(&self) -> &[Hit] {
        &self.hits
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} hits in {} bytes", self.total(), self.bytes)?;
        self.hits.iter().take(20).try_for_each(|hit| write!(f, "\n  {hit}"))
    }
}
