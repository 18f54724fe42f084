//! How much a size tells: the sizes that a relay can see, over many documents, listings and requests.
//!
//! A size is a function of what is sealed, so what a message tells by it is the entropy of its size class: nobody who sees
//! the class learns more bits than that, whatever else is known of the distribution.

use std::collections::BTreeMap;
use std::fs;

use rand_chacha::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};
use rohrpost_e2ee::body::{
    DocumentEntry, DocumentPage, Operation, Payload, Pin, Reply, RequestBody, SafeStatus, Status, Who,
};
use rohrpost_e2ee::{DocumentId, LinkId, RequestId, VersionHash, padding};
use rohrpost_figures::Figures;
use rohrpost_tests::samples;
use rohrpost_wire::fixed::Fixed;
use rohrpost_wire::{Timestamp, codec};
use serde::Serialize;

const SEED: u64 = 41;
const TRIES: usize = 10_000;
/// What a request's authentication adds at most: its number, signature and HMAC (docs/protocol.md §8).
const AUTHENTICATION: usize = 1 + 64 + 32;

/// The sizes before and after padding.
#[derive(Default)]
struct Sizes {
    bare: BTreeMap<u64, u64>,
    padded: BTreeMap<u64, u64>,
    bytes: [u64; 2],
}

impl Sizes {
    fn add(&mut self, bare: u64, padded: u64) {
        assert!(padded >= bare);
        *self.bare.entry(bare).or_default() += 1;
        *self.padded.entry(padded).or_default() += 1;
        self.bytes[0] += bare;
        self.bytes[1] += padded;
    }

    #[expect(clippy::cast_precision_loss, reason = "no count here comes near 2^53")]
    fn overhead_percent(&self) -> f64 {
        (self.bytes[1] as f64 / self.bytes[0] as f64 - 1.0) * 100.0
    }
}

/// In bits, of the distribution that was counted.
#[expect(clippy::cast_precision_loss, reason = "no count here comes near 2^53")]
fn entropy(counts: &BTreeMap<u64, u64>) -> f64 {
    let all = counts.values().sum::<u64>() as f64;
    counts.values().map(|count| *count as f64 / all).map(|share| -share * share.log2()).sum::<f64>().abs()
}

/// A generator with the few distributions that a practice's documents need.
struct Dice(ChaCha20Rng);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0.next_u64() % bound
    }

    /// Around a median, by a factor of about `spread` either way: sizes of files are distributed by their logarithm.
    #[expect(clippy::cast_precision_loss, reason = "twelve bits each")]
    fn around(&mut self, median: f64, spread: f64) -> f64 {
        // Twelve uniform numbers add up to nearly a normal one.
        let normal = (0..12).map(|_| self.below(4096) as f64 / 4096.0).sum::<f64>() - 6.0;
        median * spread.powf(normal)
    }

    fn text(&mut self, from: u64, to: u64) -> String {
        let length = from + self.below(to - from);
        (0..length).map(|at| if at % 7 == 3 { 'ü' } else { 'x' }).collect()
    }
}

/// Documents as a practice has them: letters and findings, scans, photos, and a few studies.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "sizes of files, far below 2^53")]
fn document_sizes(dice: &mut Dice) -> Vec<u64> {
    let shipped = samples::all().into_iter().map(|file| fs::metadata(file).unwrap().len());
    let mut sizes: Vec<u64> = shipped.collect();
    while sizes.len() < TRIES {
        let (median, spread) = match dice.below(100) {
            0..50 => (60_000.0, 2.2),
            50..75 => (700_000.0, 2.0),
            75..95 => (3_000_000.0, 1.8),
            _ => (150_000_000.0, 2.5),
        };
        sizes.push(dice.around(median, spread) as u64 + 1);
    }
    sizes
}

fn entry(dice: &mut Dice) -> DocumentEntry {
    DocumentEntry {
        id: DocumentId(Fixed([7; 16])),
        version: VersionHash(Fixed([8; 32])),
        title: dice.text(4, 60),
        file_name: dice.text(8, 50),
        media_type: "application/pdf".into(),
        length: dice.below(10_000_000),
        shared: Timestamp(1_790_000_000),
        until: None,
    }
}

fn reply(payload: Payload) -> Reply {
    let request = RequestId(Fixed([1; 16]));
    let safe_time = Timestamp(1_790_000_000);
    Reply { request, status: Status::Done, safe_time, highest_sequence: 900, tickets: Vec::new(), payload }
}

fn request(dice: &mut Dice) -> RequestBody {
    let device = Who::Device { key: Fixed([3; 32]), sequence: 1 + dice.below(100_000) };
    let enrol = Who::Enrol { link: LinkId(Fixed([4; 16])), key: Fixed([3; 32]) };
    let document = DocumentId(Fixed([7; 16]));
    let (who, operation) = match dice.below(5) {
        0 => (enrol, Operation::Enrol { pin: Pin::parse("012345").unwrap(), device_name: dice.text(1, 64) }),
        1 => (device, Operation::Documents { after: None }),
        2 => (device, Operation::Documents { after: Some(document) }),
        3 => {
            let version = Some(VersionHash(Fixed([8; 32])));
            (device, Operation::Document { document, offset: dice.below(1 << 30), version })
        }
        _ => (device, Operation::Status),
    };
    let (id, created) = (RequestId(Fixed([1; 16])), Timestamp(1_790_000_000));
    RequestBody { id, created, expires: created.plus(3600), reply_key: Fixed([5; 1216]), who, operation }
}

fn classed(body: &impl Serialize, more: usize) -> (u64, u64) {
    let bare = [codec::encode(body), vec![0; more]].concat();
    (bare.len() as u64, padding::pad(&bare).unwrap().len() as u64)
}

#[test]
fn a_size_tells_no_more_than_its_class() {
    let mut dice = Dice(ChaCha20Rng::seed_from_u64(SEED));
    let [mut objects, mut listings, mut answers, mut requests] = <[Sizes; 4]>::default();
    for length in document_sizes(&mut dice) {
        objects.add(length, padding::padme(length));
    }
    for _ in 0..TRIES {
        let count = dice.below(101).min(dice.below(101)).min(dice.below(101));
        let documents = (0..count).map(|_| entry(&mut dice)).collect();
        let (bare, padded) = classed(&reply(Payload::Documents(DocumentPage { documents, more: false })), 0);
        listings.add(bare, padded);
        let (practice, patient, device_name) = (dice.text(5, 60), dice.text(5, 60), dice.text(3, 60));
        let status = Payload::Status(SafeStatus { practice, patient, device_name, documents: 3 });
        let (bare, padded) = classed(&reply(if dice.below(2) == 0 { Payload::None } else { status }), 0);
        answers.add(bare, padded);
        let (bare, padded) = classed(&request(&mut dice), AUTHENTICATION);
        requests.add(bare, padded);
    }
    assert_eq!(requests.padded.len(), 1, "all requests have one size");
    assert_eq!(answers.padded.len(), 1, "all answers without a list have one size, refusals too");
    assert!(listings.padded.len() <= padding::CLASSES.len(), "lists have few sizes");
    // Padmé promises O(log log n) bits; without it nearly every document that was drawn has a size of its own.
    let (bits, bare) = (entropy(&objects.padded), entropy(&objects.bare));
    assert!(bits < 9.0 && bits < bare - 4.0, "{bits} of {bare} bits");
    assert!(objects.overhead_percent() < 12.0, "{} %", objects.overhead_percent());
    publish([
        ("requests", &requests),
        ("answers without a list", &answers),
        ("lists", &listings),
        ("objects", &objects),
    ]);
}

fn publish(all: [(&str, &Sizes); 4]) {
    let mut figures = Figures::of("blindness.sizes").seed(SEED).count("messages of each kind", TRIES as u64);
    for (kind, sizes) in all {
        figures = figures
            .count(format!("{kind}: sizes on the wire"), sizes.padded.len() as u64)
            .measure(format!("{kind}: a size tells"), rounded(entropy(&sizes.padded)), " bits")
            .measure(format!("{kind}: it would tell unpadded"), rounded(entropy(&sizes.bare)), " bits")
            .measure(format!("{kind}: cost of padding"), rounded(sizes.overhead_percent()), " %");
    }
    figures.publish();
}

fn rounded(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}
