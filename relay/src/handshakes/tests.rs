//! Who gives way to whom.

use super::*;

fn source(host: u8) -> Source {
    Source::V4([192, 0, 2, host])
}

/// All room taken by one host; each notice is the number of the handshake.
fn flooded(room: u8) -> Handshakes<u8> {
    let mut handshakes = Handshakes::new(usize::from(room));
    for number in 0..room {
        assert_eq!(handshakes.handle_begun(source(1), Kind::Handshake, number).unwrap().1, None);
    }
    handshakes
}

#[test]
fn a_host_that_took_all_room_gives_up_its_oldest_for_another_and_none_for_itself() {
    let mut handshakes = flooded(8);
    assert_eq!(handshakes.handle_begun(source(1), Kind::Handshake, 8), None);
    assert_eq!(handshakes.handle_begun(source(2), Kind::Handshake, 9).unwrap().1, Some(0));
    assert_eq!(handshakes.handle_begun(source(3), Kind::Handshake, 10).unwrap().1, Some(1));
    assert_eq!(handshakes.count(), 8);
}

#[test]
fn nobody_gives_way_to_who_would_then_have_more() {
    let mut handshakes = flooded(5);
    for (number, gone) in [(5, 0), (6, 1)] {
        assert_eq!(handshakes.handle_begun(source(2), Kind::Handshake, number).unwrap().1, Some(gone));
    }
    // Three and two: to change places would not end.
    assert_eq!(handshakes.handle_begun(source(2), Kind::Handshake, 7), None);
    assert_eq!(handshakes.handle_begun(source(1), Kind::Handshake, 8), None);
}

#[test]
fn who_has_none_gets_one_though_nobody_has_two() {
    let mut handshakes = Handshakes::new(2);
    for (host, gone) in [(1, None), (2, None), (3, Some(1)), (4, Some(2))] {
        let begun = handshakes.handle_begun(source(host), Kind::Handshake, host);
        assert_eq!(begun.unwrap().1, gone, "the older of two goes");
    }
}

#[test]
fn what_was_forged_in_the_name_of_a_host_is_not_counted_as_its_own() {
    let mut handshakes = Handshakes::new(4);
    for number in 0..4 {
        assert!(handshakes.handle_begun(source(1), Kind::Unproven, number).is_some());
    }
    assert_eq!(handshakes.handle_begun(source(1), Kind::Handshake, 4).unwrap().1, Some(0));
}

#[test]
fn what_is_over_makes_room_once_though_it_had_given_way() {
    let mut handshakes = flooded(2);
    let (newcomer, gone) = handshakes.handle_begun(source(2), Kind::Handshake, 2).unwrap();
    assert_eq!(gone, Some(0));
    handshakes.handle_ended(HandshakeId(0));
    assert_eq!(handshakes.count(), 2);
    handshakes.handle_ended(newcomer);
    handshakes.handle_ended(newcomer);
    assert_eq!(handshakes.count(), 1);
}
