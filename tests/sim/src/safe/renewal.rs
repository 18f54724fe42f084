//! What the practice does with the keys on paper: a new identity record, or a new root.

use rohrpost_e2ee::keys::SigningSecret;
use rohrpost_safe_agent::identity::{self, RootKeys};
use rohrpost_safe_agent::rows::{self, IdentityRow};
use rohrpost_safe_agent::vault::{Draft, StoreError};
use rohrpost_wire::records::{
    IDENTITY_SECONDS, IdentityRecord, RecordKind, RootStatement, Signed, StatementHash, next_root_hash,
};
use rohrpost_wire::{SUITE, Timestamp, VERSION, codec};

use super::Safe;
use super::answering::Held;
use crate::port::FromPeer;
use crate::time::Millis;

impl Safe {
    /// What a link may name. A patient who has one of a root that is still to be published would take an honest relay,
    /// which cannot have its records yet, for one that goes back.
    pub(super) fn published_roots(&self) -> &[Signed] {
        let roots = &self.identity.roots;
        roots.get(..self.published).unwrap_or(roots)
    }

    /// Whether it runs and its clock is right: clients would hold a record of the future against every later one.
    pub fn can_renew(&self) -> bool {
        self.is_up() && self.clock.offset == 0
    }

    /// Signs a new identity record with the root on paper; with `rotate`, the next root takes its place first.
    pub fn renew(&mut self, rotate: bool, now: Millis) -> Vec<FromPeer> {
        let mut roots = self.identity.roots.clone();
        if rotate {
            let next = SigningSecret::generate(&mut self.rng);
            roots.extend(successor(&roots, &self.paper, &next));
            let root = self.paper.next_root.clone();
            let before = std::mem::replace(&mut self.paper, RootKeys { root, next_root: next });
            self.paper_before.get_or_insert(before);
        }
        let root = self.paper.root.clone();
        let identity = self.transact(now, move |draft, at, _| renewed(draft, roots, &root, at));
        self.identity = identity;
        self.hold(Held::Publish)
    }
}

/// Writes a new identity record under these roots, signed by the last of them.
pub(super) fn renewed(
    draft: &mut Draft<'_>,
    roots: Vec<Signed>,
    root: &SigningSecret,
    at: Timestamp,
) -> Result<IdentityRow, StoreError> {
    let row = identity::load(draft)?.1;
    let record: IdentityRecord = codec::decode(&row.record.bytes).map_err(|_| StoreError::Damaged)?;
    let record = IdentityRecord { not_before: at, not_after: at.plus(IDENTITY_SECONDS), ..record };
    let signed = Signed::sign(RecordKind::Identity, &record, root.signer());
    let row = IdentityRow::new(row.pin, row.epoch, &row.keys(), roots, signed, record.not_after);
    rows::save(draft, &row)?;
    Ok(row)
}

/// The statement by which the next root takes over: signed by it, naming its predecessor.
fn successor(roots: &[Signed], paper: &RootKeys, next: &SigningSecret) -> Option<Signed> {
    let previous = StatementHash::of_statement(&roots.last()?.bytes);
    let statement = RootStatement {
        version: VERSION,
        suite_floor: SUITE,
        root_key: paper.next_root.public(),
        next_root_hash: next_root_hash(&next.public().0),
        previous: Some(previous),
    };
    Some(Signed::sign(RecordKind::Root, &statement, paper.next_root.signer()))
}
