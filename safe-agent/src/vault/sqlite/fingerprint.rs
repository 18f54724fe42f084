//! One number over all rows, carried on from commit to commit.
//!
//! SQLite reads a page that names fewer rows than it holds, or one that is whole and old because the disk lost a write,
//! without a complaint. So each row has a keyed mark, the sum of all marks stands sealed beside the count of commits, and
//! whoever opens the file adds them up again. The invariant: no row vanishes, appears, moves or goes back to an earlier
//! state between two openings without the sum showing it. It is MSet-Add-Hash (Clarke et al., Incremental Multiset Hash
//! Functions, ASIACRYPT 2003) without the blinding, which a sealed sum does not need.

use std::fmt;

use ring::hmac;

use crate::vault::key::{TAG_BYTES, VaultKey};
use crate::vault::sealing::Place;

/// How many rows there are, and the sum of their marks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    rows: u64,
    sum: u128,
}

impl Tally {
    /// With one row more.
    pub(super) fn with(self, mark: u128) -> Self {
        Self { rows: self.rows.wrapping_add(1), sum: self.sum.wrapping_add(mark) }
    }

    /// With one row less.
    pub(super) fn without(self, mark: u128) -> Self {
        Self { rows: self.rows.wrapping_sub(1), sum: self.sum.wrapping_sub(mark) }
    }

    /// Rows, then the sum.
    pub(super) fn encode(self) -> Vec<u8> {
        [self.rows.to_be_bytes().as_slice(), &self.sum.to_be_bytes()].concat()
    }

    /// Reads what was encoded.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let (rows, sum) = bytes.split_first_chunk()?;
        Some(Self { rows: u64::from_be_bytes(*rows), sum: u128::from_be_bytes(sum.try_into().ok()?) })
    }
}

/// Marks rows, and keeps the tallies of what is committed and of what is written.
pub(super) struct Fingerprint {
    key: hmac::Key,
    committed: Tally,
    written: Tally,
}

impl Fingerprint {
    /// Of no rows yet, under a key that only this vault has: whoever cannot seal rows cannot tell what two marks add up to.
    pub(super) fn new(key: &VaultKey) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA256, key.derive("vault.db fingerprint").as_slice());
        Self { key, committed: Tally::default(), written: Tally::default() }
    }

    /// The mark of a sealed row. Its tag stands for all of it: a row that is sealed again has another, under a new salt.
    pub(super) fn mark(&self, place: Place<'_>, sealed: &[u8]) -> u128 {
        let tag = sealed.get(sealed.len().saturating_sub(TAG_BYTES)..).unwrap_or_default();
        let mut context = hmac::Context::with_key(&self.key);
        // The key stands last, so no two rows have the same bytes; the length is there for a row that was cut short.
        context.update(&[place.number(), u8::try_from(tag.len()).unwrap_or(u8::MAX)]);
        context.update(tag);
        context.update(place.key());
        let mut mark = [0; 16];
        mark.iter_mut().zip(context.sign().as_ref()).for_each(|(byte, of)| *byte = *of);
        u128::from_be_bytes(mark)
    }

    /// Takes down that in this place another sealed row stands now than before, or none.
    pub(super) fn replace(&mut self, place: Place<'_>, before: Option<&[u8]>, after: Option<&[u8]>) {
        let written = before.map_or(self.written, |before| self.written.without(self.mark(place, before)));
        self.written = after.map_or(written, |after| written.with(self.mark(place, after)));
    }

    /// The tally with what is written and not yet committed.
    pub(super) fn written(&self) -> Tally {
        self.written
    }

    /// The tally of what is committed.
    pub(super) fn committed(&self) -> Tally {
        self.committed
    }

    /// Counts on from here.
    pub(super) fn resume(&mut self, tally: Tally) {
        (self.committed, self.written) = (tally, tally);
    }

    /// Takes down that what was written is committed.
    pub(super) fn confirm(&mut self) {
        self.committed = self.written;
    }

    /// Takes down that what was written is undone.
    pub(super) fn undo(&mut self) {
        self.written = self.committed;
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fingerprint")
    }
}
