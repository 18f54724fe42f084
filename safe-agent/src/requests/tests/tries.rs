//! Five tries are five tries: in parallel, and with the power cut at any point. And what a restored backup gives back,
//! which is said here plainly.

use rohrpost_e2ee::body::{Pin, Status};
use rohrpost_e2ee::link::PIN_TRIES;
use rohrpost_figures::Figures;
use tokio::task::JoinSet;

use super::snapshot::{Snapshot, Try};
use crate::agent::enrolling;
use crate::handlers::enrol::{self, Counted};
use crate::rows::{self, DeviceRow, LinkRow};
use crate::testing::{Invitation, START, Who, World, enrolling as operation};
use crate::vault::{Draft, Keeper, SqliteStore, Store, StoreError, VaultKey, system_rng};

const PARALLEL: usize = 1000;

pub(super) fn attempt<S: Store>(world: &mut World<S>, invitation: &Invitation, pin: &Pin) -> Try {
    let draft = world.draft(operation(pin));
    let who = Who::Enrol(world.key(), invitation.secret.clone());
    let sealed = world.seal(&draft, who);
    Try::of(world, &sealed)
}

/// Over the real keeper and a store on disk.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_thousand_wrong_pins_at_once_exactly_five_are_compared_and_the_right_one_comes_too_late() {
    let place = tempfile::TempDir::new().unwrap();
    let key = VaultKey::generate(&mut system_rng());
    let store = SqliteStore::create(&place.path().join("vault.db"), &key, system_rng()).unwrap();
    let mut world = World::over(store);
    let patient = world.patient("Ada Example");
    let invitation = world.invite(patient);
    let tries: Vec<Try> = (0..PARALLEL)
        .map(|number| attempt(&mut world, &invitation, &invitation.wrong_pin(u8::try_from(number % 9).unwrap())))
        .collect();
    let right = attempt(&mut world, &invitation, &invitation.pin);
    let keeper = Keeper::start(Box::new(world.store));
    let mut tasks = JoinSet::new();
    for Try { incoming, enrolment } in tries {
        let vault = keeper.handle();
        tasks.spawn(async move { enrolling::enrol(&vault, incoming, enrolment, START).await.unwrap().unwrap() });
    }
    let statuses: Vec<Status> = tasks.join_all().await.into_iter().map(|answer| answer.reply.status).collect();
    let count = |is: fn(&Status) -> bool| statuses.iter().filter(|status| is(status)).count();
    let compared = count(|status| matches!(status, Status::WrongPin { .. }));
    let dead = count(|status| *status == Status::LinkDead);
    let unheard = count(|status| *status == Status::Busy);
    assert_eq!((compared, dead + unheard), (usize::from(PIN_TRIES), PARALLEL - usize::from(PIN_TRIES)));
    assert_eq!(compared + dead, usize::from(enrol::REQUESTS_PER_LINK), "the rest is not even recorded");
    let late = enrolling::enrol(&keeper.handle(), right.incoming, right.enrolment, START).await.unwrap().unwrap();
    assert!(matches!(late.reply.status, Status::LinkDead | Status::Busy));
    let secret = invitation.secret.id();
    let look = move |draft: &mut Draft<'_>| {
        let link: LinkRow = rows::load(draft, &secret.0.0)?.unwrap();
        Ok::<_, StoreError>((link.attempts, link.used_by, rows::list::<DeviceRow>(draft, &[], None, 10)?.len()))
    };
    assert_eq!(keeper.handle().transact(look).await.unwrap().unwrap(), (PIN_TRIES, None, 0));
    Figures::of("access.pin_parallel")
        .count("wrong PINs at once", PARALLEL as u64)
        .count("compared", compared as u64)
        .count("told that the link is dead", dead as u64)
        .count("not even recorded", unheard as u64)
        .none("enrolled by the right PIN afterwards")
        .publish();
}

/// Where one try is cut off.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Cut {
    Counting,
    BeforeComparing,
    Comparing,
    Nowhere,
}

const CUTS: [Cut; 4] = [Cut::Counting, Cut::BeforeComparing, Cut::Comparing, Cut::Nowhere];
const TRIES: u32 = 6;

/// One try up to its cut, then the power fails. Answers what its sender was told.
fn run(world: &mut World, Try { incoming, enrolment }: &Try, cut: Cut) -> Option<Status> {
    let counted = if cut == Cut::Counting {
        let mut draft = Draft::new(&world.store);
        let counted = enrol::count(&mut draft, incoming, enrolment, world.now, &mut world.rng).unwrap();
        let writes = draft.into_writes();
        world.store.apply(writes).unwrap();
        world.store.crash();
        return matches!(counted, Counted::Answer { .. }).then_some(Status::LinkDead);
    } else {
        world.count(incoming, enrolment)
    };
    let answer = match (counted, cut) {
        (Counted::Answer { answer, .. }, _) => Some(answer.reply.status),
        (Counted::Compare, Cut::Nowhere) => Some(world.compare(incoming, enrolment).reply.status),
        (Counted::Compare, Cut::Comparing) => {
            let mut draft = Draft::new(&world.store);
            enrol::compare(&mut draft, incoming, enrolment, world.now, &mut world.rng).unwrap();
            let writes = draft.into_writes();
            world.store.apply(writes).unwrap();
            None
        }
        (Counted::Compare, Cut::BeforeComparing | Cut::Counting) => None,
    };
    world.store.crash();
    answer
}

#[test]
fn in_every_sequence_of_power_cuts_no_more_than_five_pins_are_ever_compared() {
    let mut world = World::found();
    let patient = world.patient("Ada Example");
    let invitation = world.invite(patient);
    let wrong: Vec<Try> =
        (0..6).map(|number| attempt(&mut world, &invitation, &invitation.wrong_pin(number))).collect();
    let right = attempt(&mut world, &invitation, &invitation.pin);
    let start = Snapshot::of(&world.store);
    let (sequences, mut enrolled) = (CUTS.len().pow(TRIES), 0u64);
    for sequence in 0..sequences {
        world.store = start.restored();
        let cuts = (0..TRIES).map(|place| CUTS[sequence / CUTS.len().pow(place) % CUTS.len()]);
        let mut counted = 0;
        for (attempt, cut) in wrong.iter().zip(cuts) {
            let expected = match cut {
                _ if counted == PIN_TRIES => Some(Status::LinkDead),
                Cut::Counting => None,
                Cut::BeforeComparing | Cut::Comparing | Cut::Nowhere => {
                    counted += 1;
                    (cut == Cut::Nowhere).then_some(Status::WrongPin { left: PIN_TRIES - counted })
                }
            };
            assert_eq!(run(&mut world, attempt, cut), expected, "sequence {sequence}");
            assert_eq!(world.link(&invitation).attempts, counted, "sequence {sequence}");
        }
        let last = run(&mut world, &right, Cut::Nowhere);
        let expected = if counted < PIN_TRIES { Status::Done } else { Status::LinkDead };
        assert_eq!(last, Some(expected), "sequence {sequence}");
        enrolled += u64::from(expected == Status::Done);
    }
    Figures::of("access.pin_power_cuts")
        .count("tries in a sequence, the right PIN last", u64::from(TRIES) + 1)
        .count("sequences of power cuts, all there are", sequences as u64)
        .count("links still open after fewer than five counted tries", enrolled)
        .none("sequences in which a sixth PIN was compared")
        .publish();
}

/// What does not hold: a safe that is set back to an older copy of itself has forgotten the tries that came after. It
/// gives back those and no more; how often somebody may restore a backup is not the safe's to bound.
#[test]
fn a_restored_backup_gives_back_the_tries_that_came_after_it_and_not_one_more() {
    for before in 0..=PIN_TRIES {
        let mut world = World::found();
        let patient = world.patient("Ada Example");
        let invitation = world.invite(patient);
        let mut compared = 0u8;
        let mut guess = |world: &mut World| {
            let attempt = attempt(world, &invitation, &invitation.wrong_pin(0));
            let status = run(world, &attempt, Cut::Nowhere);
            compared += u8::from(matches!(status, Some(Status::WrongPin { .. })));
            status
        };
        for _ in 0..before {
            guess(&mut world);
        }
        let backup = Snapshot::of(&world.store);
        let mut dies = |world: &mut World| (0..=PIN_TRIES).any(|_| guess(world) == Some(Status::LinkDead));
        assert!(dies(&mut world), "a backup after {before} tries");
        world.store = backup.restored();
        assert!(dies(&mut world), "a backup after {before} tries");
        let given_back = PIN_TRIES - before;
        assert_eq!(compared, PIN_TRIES + given_back, "a backup after {before} tries");
    }
}
