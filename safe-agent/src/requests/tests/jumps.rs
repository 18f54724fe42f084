//! A clock that jumps by hours and decades, ahead and back: held against a model of the safe's time of its own.

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
use rohrpost_e2ee::body::{RequestId, Status};
use rohrpost_e2ee::exchange::EnvelopeHash;
use rohrpost_e2ee::link::PIN_TRIES;
use rohrpost_figures::Figures;
use rohrpost_wire::Timestamp;
use rohrpost_wire::fixed::Fixed;
use rohrpost_wire::time::DAY;

use super::snapshot::{Snapshot, Try, unsealed};
use super::tries::attempt;
use crate::handlers::enrol::Counted;
use crate::requests::{self, REQUEST_SECONDS};
use crate::testing::{START, World, reading};

const SEED: u64 = 9;
const ROUNDS: u64 = 2000;
const YEAR: u64 = 365 * DAY;

/// A clock after one more jump; often near the end of what is being judged.
fn jump(rng: &mut ChaCha20Rng, now: Timestamp, end: Timestamp) -> Timestamp {
    match rng.next_u32() % 12 {
        0 => now.plus(3600),
        1 => now.minus(3600),
        2 => now.plus(10 * YEAR),
        3 => now.minus(10 * YEAR),
        4 => end,
        5 => end.plus(1),
        6 => end.minus(1),
        7 => START,
        8 => Timestamp(0),
        9 => now.plus(DAY),
        _ => now,
    }
}

/// What decision 0005 promises: the safe never acts before a time at which it recorded something, unless that lay more
/// than 45 days ahead of everything before it.
struct Mark(Timestamp);

impl Mark {
    fn acts_at(&self, clock: Timestamp) -> Timestamp {
        clock.max(self.0)
    }

    fn records(&mut self, at: Timestamp) {
        if at <= self.0.plus(45 * DAY) {
            self.0 = self.0.max(at);
        }
    }
}

#[test]
fn a_clock_that_jumps_gives_no_try_back_and_opens_no_link_that_has_ended() {
    let mut world = World::found();
    let patient = world.patient("Ada Example");
    let invitation = world.invite(patient);
    let end = world.link(&invitation).expires;
    let mut pool: Vec<Try> =
        (0..9).map(|number| attempt(&mut world, &invitation, &invitation.wrong_pin(number))).collect();
    for Try { incoming, .. } in &mut pool {
        // As long as a request can live, so that it is the link's time that decides.
        (incoming.created, incoming.expires) = (Timestamp(0), incoming.prekey_until.plus(REQUEST_SECONDS));
    }
    let start = Snapshot::of(&world.store);
    let mut rng = ChaCha20Rng::seed_from_u64(SEED);
    let (mut jumps, mut refused) = (0u64, 0u64);
    for round in 0..ROUNDS {
        (world.store, world.now) = (start.restored(), START);
        let (mut mark, mut compared) = (Mark(START), 0);
        for Try { incoming, enrolment } in &pool {
            world.now = jump(&mut rng, world.now, end);
            let at = mark.acts_at(world.now);
            let counted = world.count(incoming, enrolment);
            let looks = matches!(counted, Counted::Compare);
            assert_eq!(looks, at <= end && compared < PIN_TRIES, "round {round} at {at:?}");
            if looks {
                world.compare(incoming, enrolment);
                compared += 1;
            }
            mark.records(at);
            assert_eq!(world.link(&invitation).attempts, compared, "round {round}");
            (jumps, refused) = (jumps + 1, refused + u64::from(!looks));
        }
    }
    assert!(refused > jumps / 10 && refused < jumps * 9 / 10, "the jumps reach both sides of the link's end");
    Figures::of("access.pin_clock")
        .seed(SEED)
        .count("tries after a jump of the clock", jumps)
        .count("refused", refused)
        .none("tries given back")
        .none("compared after the link's end")
        .publish();
}

#[test]
fn a_clock_that_jumps_shows_no_document_whose_share_has_ended() {
    let mut world = World::found();
    let patient = world.patient("Ada Example");
    let device = world.device(patient);
    let document = world.document(patient, "finding");
    let end = START.plus(30 * DAY);
    world.share(patient, document, Some(end));
    let start = Snapshot::of(&world.store);
    let mut incoming = unsealed(&world, reading(document));
    (incoming.created, incoming.prekey_until) = (Timestamp(0), START.plus(1000 * YEAR));
    incoming.expires = incoming.prekey_until;
    let mut rng = ChaCha20Rng::seed_from_u64(SEED);
    let (mut jumps, mut shown) = (0u64, 0u64);
    for round in 0..ROUNDS {
        (world.store, world.now) = (start.restored(), START);
        let mut mark = Mark(START);
        for number in 1..=12u8 {
            world.now = jump(&mut rng, world.now, end);
            (incoming.id, incoming.envelope) = (RequestId(Fixed([number; 16])), EnvelopeHash(Fixed([number; 32])));
            let at = mark.acts_at(world.now);
            let sequence = u64::from(number);
            let answer =
                world.transact(|draft, now, rng| requests::answer(draft, &incoming, device.id, sequence, now, rng));
            let expected = if at <= end { Status::Done } else { Status::NotAllowed };
            assert_eq!((answer.reply.status, answer.reply.safe_time), (expected, at), "round {round}");
            mark.records(at);
            (jumps, shown) = (jumps + 1, shown + u64::from(answer.transfer.is_some()));
        }
    }
    assert!(shown > jumps / 10 && shown < jumps * 9 / 10, "the jumps reach both sides of the share's end");
    Figures::of("access.share_clock")
        .seed(SEED)
        .count("requests after a jump of the clock", jumps)
        .count("answered with the document", shown)
        .none("answered after the share's end")
        .publish();
}
