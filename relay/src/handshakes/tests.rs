//! Who gives way to whom.

use super::*;
use crate::memory::owner;
use crate::sources::{Kind, Source};

const START: Duration = Duration::from_secs(100);

fn host(number: u8) -> Owner {
    owner(Source::V4([192, 0, 2, number]), Kind::Handshake)
}

/// All room taken by one host; each notice is the number of the handshake.
fn flooded(room: u8) -> Handshakes<u8> {
    let mut handshakes = Handshakes::new(usize::from(room));
    for number in 0..room {
        assert_eq!(begin(&mut handshakes, host(1), number), Ok(None));
    }
    handshakes
}

/// Which one gave way to another; an error if that one was not begun.
fn begin(handshakes: &mut Handshakes<u8>, owner: Owner, notice: u8) -> Result<Option<u8>, ()> {
    handshakes.handle_begun(owner, START, notice).map(|(_, gone)| gone).ok_or(())
}

#[test]
fn a_host_that_took_all_room_gives_up_its_oldest_for_another_and_none_for_itself() {
    let mut handshakes = flooded(8);
    assert_eq!(begin(&mut handshakes, host(1), 8), Err(()));
    assert_eq!(begin(&mut handshakes, host(2), 9), Ok(Some(0)));
    assert_eq!(begin(&mut handshakes, host(3), 10), Ok(Some(1)));
    assert_eq!(handshakes.count(), 8);
}

#[test]
fn nobody_gives_way_to_who_would_then_have_more() {
    let mut handshakes = flooded(5);
    for (number, gone) in [(5, 0), (6, 1)] {
        assert_eq!(begin(&mut handshakes, host(2), number), Ok(Some(gone)));
    }
    // Three and two: to change places would not end.
    assert_eq!(begin(&mut handshakes, host(2), 7), Err(()));
    assert_eq!(begin(&mut handshakes, host(1), 8), Err(()));
}

#[test]
fn who_has_none_gets_one_though_nobody_has_two_but_from_nobody_who_may_still_mean_it() {
    let mut handshakes = Handshakes::new(2);
    let mut at = |millis, number| {
        let now = START + Duration::from_millis(millis);
        handshakes.handle_begun(host(number), now, number).map(|(_, gone)| gone)
    };
    assert_eq!((at(0, 1), at(500, 2)), (Some(None), Some(None)));
    assert_eq!(at(1999, 3), None, "the nearest to done is left in peace");
    assert_eq!(at(2000, 3), Some(Some(1)), "the older of two goes");
    assert_eq!((at(2499, 4), at(2500, 4)), (None, Some(Some(2))));
    assert_eq!(at(3999, 5), None);
}

#[test]
fn what_was_forged_in_the_name_of_a_host_is_not_counted_as_its_own() {
    let mut handshakes = Handshakes::new(4);
    let forged = owner(Source::V4([192, 0, 2, 1]), Kind::Unproven);
    for number in 0..4 {
        assert_eq!(begin(&mut handshakes, forged, number), Ok(None));
    }
    assert_eq!(begin(&mut handshakes, host(1), 4), Ok(Some(0)));
}

#[test]
fn what_is_over_makes_room_once_though_it_had_given_way() {
    let mut handshakes = flooded(2);
    let (newcomer, gone) = handshakes.handle_begun(host(2), START, 2).unwrap();
    assert_eq!(gone, Some(0));
    handshakes.handle_ended(HandshakeId(0));
    assert_eq!(handshakes.count(), 2);
    handshakes.handle_ended(newcomer);
    handshakes.handle_ended(newcomer);
    assert_eq!(handshakes.count(), 1);
}

/// What is kept for speed says the same as a count of all would, whatever comes and goes.
#[test]
fn the_ranks_agree_with_a_count_of_all_and_forget_whoever_has_none() {
    let (mut handshakes, mut ids, mut drawn) = (Handshakes::new(20), Vec::new(), 1u64);
    for step in 0..2000 {
        drawn = drawn.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let number = u8::try_from(drawn >> 61).unwrap();
        if (drawn >> 40).is_multiple_of(3) && !ids.is_empty() {
            handshakes.handle_ended(ids.remove(step % ids.len()));
        } else {
            let begun = handshakes.handle_begun(host(number), START + Duration::from_millis(step as u64), number);
            ids.extend(begun.map(|(id, _)| id));
        }
        let mut counted: BTreeMap<Owner, (usize, Reverse<HandshakeId>)> = BTreeMap::new();
        for (id, one) in &handshakes.under_way {
            counted.entry(one.owner).or_insert((0, Reverse(*id))).0 += 1;
        }
        let counted: BTreeSet<Rank> =
            counted.into_iter().map(|(owner, (count, oldest))| (count, oldest, owner)).collect();
        assert_eq!((&handshakes.ranks, handshakes.owned.len()), (&counted, counted.len()));
        assert!(handshakes.count() <= 20);
    }
}
