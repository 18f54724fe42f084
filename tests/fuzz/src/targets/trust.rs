//! Whom a client believes: published records, spoiled, mixed and replayed by a relay that has seen all there ever was.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use rohrpost_e2ee::trust::{self, Known, TrustedSafe};
use rohrpost_wire::records::{RecordSet, RootChain, Signed};
use rohrpost_wire::{SafePin, Timestamp, codec, time};

use super::samples::{self, NOW};
use crate::edits;
use crate::input::Input;
use crate::memory::bounded;
use crate::target::Verdict;

/// Any bytes are one set within its bounds, or none.
pub(super) fn record_set(bytes: &[u8]) -> Verdict {
    let Ok(set) = bounded(bytes.len(), || RecordSet::decode(bytes)) else { return Verdict::Refused };
    assert_eq!(set.encode(), bytes, "a set has two encodings");
    assert!(!set.roots.is_empty() && set.roots.len() <= 16 && set.prekeys.len() <= 20, "a set is out of bounds");
    Verdict::Taken
}

pub(super) fn record_set_seeds() -> Vec<Vec<u8>> {
    samples::published().iter().map(RecordSet::encode).collect()
}

/// Nothing is believed that the safe did not sign as it stands, and what is known never goes back.
pub(super) fn trust(bytes: &[u8]) -> Verdict {
    let mut input = Input::new(bytes);
    let mut known = first_known();
    let mut believed = 0;
    for _ in 0..8 {
        if input.is_over() {
            break;
        }
        let (set, now) = (offered(&mut input), moment(&mut input));
        let Ok(safe) = trust::verify(&set, &known, now) else { continue };
        believed += 1;
        check(&set, &safe, &known);
        let before = known;
        known.learn(&safe);
        assert!(!is_older(&known, &before), "what is known went back");
        assert!(trust::verify(&set, &known, now).is_ok(), "what was just believed is refused");
    }
    Verdict::taken(believed > 0)
}

fn first_known() -> Known {
    let roots = &samples::published()[0].roots;
    let chain = RootChain::of(roots).unwrap();
    Known { pin: SafePin::of_statement(&roots[0].bytes), epoch: 1, chain, identity_from: Timestamp(0) }
}

fn is_older(known: &Known, before: &Known) -> bool {
    known.pin != before.pin
        || known.chain.length < before.chain.length
        || (known.epoch, known.identity_from) < (before.epoch, before.identity_from)
}

fn check(set: &RecordSet, safe: &TrustedSafe, known: &Known) {
    let genuine = genuine();
    let signed = set.roots.iter().chain([&set.identity]).chain(&set.prekeys);
    for record in signed {
        assert!(genuine.contains(&codec::encode(record)), "a record that the safe never signed is believed");
    }
    assert!(!is_older(safe.known(), known), "records older than known ones are believed");
    assert_eq!(safe.pin(), known.pin);
}

/// Every record that the safe has ever signed.
fn genuine() -> &'static BTreeSet<Vec<u8>> {
    static GENUINE: OnceLock<BTreeSet<Vec<u8>>> = OnceLock::new();
    GENUINE.get_or_init(|| {
        let sets = samples::published().iter();
        let records = sets.flat_map(|set| set.roots.iter().chain([&set.identity]).chain(&set.prekeys));
        records.map(codec::encode).collect()
    })
}

/// What a relay can put together: of this safe's sets, of another safe's, and of one that a thief of the retired root
/// key signed.
fn sources() -> &'static [RecordSet; 6] {
    static SOURCES: OnceLock<[RecordSet; 6]> = OnceLock::new();
    SOURCES.get_or_init(|| {
        let [a, b, c, d] = samples::published().clone();
        let foreign = samples::statement(41, 42, None);
        let first = a.roots[0].clone();
        let usurper = samples::statement(2, 43, None);
        let stolen = samples::statement(43, 44, Some(&usurper));
        [a, b, c, d, samples::set(vec![foreign], 41, 2, 3), samples::set(vec![first, usurper, stolen], 43, 3, 1)]
    })
}

fn offered(input: &mut Input<'_>) -> RecordSet {
    let sources = sources();
    let mut set = sources[input.choice(sources.len())].clone();
    for _ in 0..input.choice(4) {
        let other = &sources[input.choice(sources.len())];
        match input.choice(8) {
            0 => set.roots.clone_from(&other.roots),
            1 => set.identity = other.identity.clone(),
            2 => set.prekeys.clone_from(&other.prekeys),
            3 => set.prekeys.extend(other.prekeys.clone()),
            4 => set.roots.push(other.roots[other.roots.len() - 1].clone()),
            5 => drop(set.roots.pop()),
            6 => set.prekeys.truncate(input.choice(4)),
            _ => spoil(&mut set, other, input),
        }
    }
    set
}

/// Changes the bytes of a record or of its signature.
fn spoil(set: &mut RecordSet, other: &RecordSet, input: &mut Input<'_>) {
    let root = input.choice(set.roots.len());
    let prekey = input.choice(set.prekeys.len());
    let (record, foreign): (Option<&mut Signed>, &Signed) = match input.choice(3) {
        0 => (set.roots.get_mut(root), &other.roots[0]),
        1 => (Some(&mut set.identity), &other.identity),
        _ => (set.prekeys.get_mut(prekey), &other.prekeys[0]),
    };
    let Some(record) = record else { return };
    if input.choice(2) == 0 {
        edits::apply(&mut record.bytes, &foreign.bytes, input, 1);
    } else {
        let at = input.choice(64);
        record.signature.0[at] ^= input.byte();
    }
}

fn moment(input: &mut Input<'_>) -> Timestamp {
    match input.choice(8) {
        0 => NOW.minus(60 * time::DAY),
        1 => NOW.plus(120 * time::DAY),
        2 => Timestamp(u64::MAX),
        3 => Timestamp(0),
        hours => NOW.plus(hours as u64 * 12 * time::HOUR),
    }
}

pub(super) fn trust_seeds() -> Vec<Vec<u8>> {
    vec![
        // Each genuine set in its turn, then the first again.
        vec![0, 0, 4, 1, 0, 4, 2, 0, 4, 3, 0, 4, 0, 0, 4],
        // The newest with another's prekeys, and with a bit of its identity changed.
        vec![3, 1, 1, 2, 4, 3, 1, 0, 7, 0, 0, 1, 0, 0, 0, 9, 1, 4],
        vec![5, 0, 4, 4, 0, 4],
    ]
}
