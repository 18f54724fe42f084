use rohrpost_wire::fixed::Fixed;
use rohrpost_wire::frame::Deposit;
use rohrpost_wire::time::DAY;

use super::*;

const NOW: Timestamp = Timestamp(1_000_000);
const KEY: [u8; 32] = [9; 32];

fn inbox(byte: u8) -> InboxId {
    InboxId(Fixed([byte; 16]))
}

fn index(limits: &Limits) -> Mailboxes {
    Mailboxes::new(limits, Timestamp(0), Slot(0))
}

fn request(to: u8, reply_mailbox: Option<[u8; 32]>) -> Deposit {
    let to = Destination::Inbox(inbox(to));
    Deposit { to, ticket: None, ttl: TtlClass::Day, reply_mailbox: reply_mailbox.map(Fixed) }
}

fn reply() -> Deposit {
    let to = Destination::Mailbox(MailboxId::of_key(&KEY));
    Deposit { to, ticket: None, ttl: TtlClass::Day, reply_mailbox: None }
}

fn deposit(
    index: &mut Mailboxes,
    header: &Deposit,
    name: u8,
    bytes: u64,
    by: Option<InboxId>,
) -> Result<usize, ErrorCode> {
    let deposited = Deposited { header, id: EnvelopeId(Fixed([name; 32])), bytes, by };
    index.handle_deposit(deposited, NOW).map(|effects| effects.len())
}

#[test]
fn a_duplicate_is_taken_once_and_may_be_stored_again_after_its_ack() {
    let mut index = index(&Limits::default());
    assert_eq!(deposit(&mut index, &request(1, None), 7, 100, None), Ok(1));
    assert_eq!(deposit(&mut index, &request(1, None), 7, 100, None), Ok(0));
    assert_eq!((index.envelopes(), index.bytes()), (1, 100));
    let acked = index.handle_ack(Destination::Inbox(inbox(1)), &[EnvelopeId(Fixed([7; 32]))]);
    assert_eq!(acked, vec![Effect::Erase(Slot(0))]);
    assert_eq!((index.envelopes(), index.bytes()), (0, 0));
    assert_eq!(deposit(&mut index, &request(1, None), 7, 100, None), Ok(1));
}

#[test]
fn only_the_addressed_safe_deposits_into_a_reply_mailbox() {
    let mut index = index(&Limits::default());
    assert_eq!(deposit(&mut index, &reply(), 1, 10, Some(inbox(1))), Err(ErrorCode::Unknown));
    assert_eq!(deposit(&mut index, &request(1, Some(KEY)), 2, 10, None), Ok(2));
    assert_eq!(deposit(&mut index, &reply(), 3, 10, None), Err(ErrorCode::NotLoggedIn));
    assert_eq!(deposit(&mut index, &reply(), 3, 10, Some(inbox(2))), Err(ErrorCode::Unknown));
    assert_eq!(deposit(&mut index, &reply(), 3, 10, Some(inbox(1))), Ok(2));
    let nested = Deposit { reply_mailbox: Some(Fixed([4; 32])), ..reply() };
    assert_eq!(deposit(&mut index, &nested, 5, 10, Some(inbox(1))), Err(ErrorCode::UnexpectedFrame));
}

#[test]
fn a_mailbox_key_that_waits_for_one_safe_cannot_be_turned_to_another() {
    let mut index = index(&Limits::default());
    assert_eq!(deposit(&mut index, &request(1, Some(KEY)), 1, 10, None), Ok(2));
    assert_eq!(deposit(&mut index, &request(2, Some(KEY)), 2, 10, None), Err(ErrorCode::Unknown));
    assert_eq!(deposit(&mut index, &request(1, Some(KEY)), 3, 10, None), Ok(2));
    assert_eq!((index.mailboxes(), index.envelopes()), (1, 2));
}

#[test]
fn what_a_reply_mailbox_takes_in_its_life_counts_acked_envelopes_too() {
    let mut index = index(&Limits { mailbox_envelopes: 2, ..Limits::default() });
    assert_eq!(deposit(&mut index, &request(1, Some(KEY)), 1, 10, None), Ok(2));
    assert_eq!(deposit(&mut index, &reply(), 2, 10, Some(inbox(1))), Ok(2));
    let mailbox = Destination::Mailbox(MailboxId::of_key(&KEY));
    assert_eq!(index.handle_ack(mailbox, &[EnvelopeId(Fixed([2; 32]))]).len(), 1);
    assert_eq!(deposit(&mut index, &reply(), 3, 10, Some(inbox(1))), Ok(2));
    assert_eq!(deposit(&mut index, &reply(), 4, 10, Some(inbox(1))), Err(ErrorCode::Full));
}

#[test]
fn an_owner_acks_only_what_is_its_own() {
    let mut index = index(&Limits::default());
    assert_eq!(deposit(&mut index, &request(1, None), 1, 10, None), Ok(1));
    assert_eq!(index.handle_ack(Destination::Inbox(inbox(2)), &[EnvelopeId(Fixed([1; 32]))]), vec![]);
    assert_eq!(index.envelopes(), 1);
}

#[test]
fn a_fetch_delivers_the_oldest_first_within_count_and_bytes() {
    let mut index = index(&Limits::default());
    let largest = FETCH_BYTES as u64 / 2;
    for name in 0..3 {
        assert_eq!(deposit(&mut index, &request(1, None), name, largest, None), Ok(1));
    }
    let inbox = Destination::Inbox(inbox(1));
    assert_eq!(index.handle_fetch(inbox, NOW), Ok(vec![(Slot(0), largest), (Slot(1), largest)]));
    index.handle_damaged(Slot(0));
    assert_eq!(index.handle_fetch(inbox, NOW), Ok(vec![(Slot(1), largest), (Slot(2), largest)]));
    let unknown = Destination::Mailbox(MailboxId::of_key(&KEY));
    assert_eq!(index.handle_fetch(unknown, NOW), Err(ErrorCode::Unknown));
}

#[test]
fn a_fetch_holds_no_more_envelopes_than_one_answer_may() {
    let mut index = index(&Limits::default());
    for name in 0..=FETCH_ENVELOPES {
        let mut id = [0; 32];
        id[..8].copy_from_slice(&name.to_be_bytes());
        let deposited = Deposited { header: &request(1, None), id: EnvelopeId(Fixed(id)), bytes: 1, by: None };
        assert_eq!(index.handle_deposit(deposited, NOW).map(|effects| effects.len()), Ok(1));
    }
    assert_eq!(index.handle_fetch(Destination::Inbox(inbox(1)), NOW).unwrap().len(), FETCH_ENVELOPES);
}

#[test]
fn a_place_that_is_used_up_is_full_and_a_relay_that_is_used_up_is_busy_and_neither_keeps_anything() {
    let base = Limits::default();
    let tight = [
        (Limits { inbox_envelopes: 1, ..base.clone() }, ErrorCode::Full),
        (Limits { inbox_bytes: 150, ..base.clone() }, ErrorCode::Full),
        (Limits { mailboxes_per_inbox: 1, ..base.clone() }, ErrorCode::Full),
        (Limits { envelopes: 1, ..base.clone() }, ErrorCode::Busy),
        (Limits { envelope_bytes: 150, ..base.clone() }, ErrorCode::Busy),
        (Limits { mailboxes: 1, ..base }, ErrorCode::Busy),
    ];
    for (limits, code) in tight {
        let mut index = index(&limits);
        assert_eq!(deposit(&mut index, &request(1, Some(KEY)), 1, 100, None), Ok(2));
        assert_eq!(deposit(&mut index, &request(1, Some([8; 32])), 2, 100, None), Err(code), "{limits:?}");
        assert_eq!((index.envelopes(), index.bytes(), index.mailboxes()), (1, 100, 1));
    }
    let mut index = index(&Limits { mailbox_bytes: 150, ..Limits::default() });
    assert_eq!(deposit(&mut index, &request(1, Some(KEY)), 1, 100, None), Ok(2));
    assert_eq!(deposit(&mut index, &reply(), 2, 100, Some(inbox(1))), Ok(2));
    assert_eq!(deposit(&mut index, &reply(), 3, 100, Some(inbox(1))), Err(ErrorCode::Full));
}

#[test]
fn a_clock_that_goes_back_is_not_followed() {
    let mut index = index(&Limits::default());
    assert_eq!(deposit(&mut index, &request(1, None), 1, 10, None), Ok(1));
    let inbox = Destination::Inbox(inbox(1));
    assert_eq!(index.handle_fetch(inbox, NOW.plus(DAY)), Ok(vec![]));
    assert_eq!(index.handle_fetch(inbox, NOW), Ok(vec![]));
    assert_eq!(index.handle_expire(NOW, 10), vec![Effect::Erase(Slot(0))]);
    assert_eq!(index.high_water(), NOW.plus(DAY));
}

#[test]
fn a_mailbox_outlives_its_request_by_the_longest_reply_and_no_reply_outlives_its_mailbox() {
    let mut index = index(&Limits::default());
    assert_eq!(deposit(&mut index, &request(1, Some(KEY)), 1, 10, None), Ok(2));
    let closing = NOW.plus(DAY + TtlClass::Fortnight.seconds());
    let header = Deposit { ttl: TtlClass::Fortnight, ..reply() };
    let late = Deposited { header: &header, id: EnvelopeId(Fixed([2; 32])), bytes: 10, by: Some(inbox(1)) };
    let effects = index.handle_deposit(late, closing.minus(1)).unwrap();
    let stored = effects.iter().any(|effect| matches!(effect, Effect::Store(waiting) if waiting.expires == closing));
    assert!(stored, "{effects:?}");
    let effects = index.handle_expire(closing, 10);
    let mailbox = MailboxId::of_key(&KEY);
    assert_eq!(effects, vec![Effect::Erase(Slot(0)), Effect::Erase(Slot(1)), Effect::CloseMailbox(mailbox)]);
    assert_eq!((index.envelopes(), index.bytes(), index.mailboxes()), (0, 0, 0));
}

/// The safe lets a reply go for good when its mailbox is full: a relay that had passing trouble must not say so.
#[test]
fn a_reply_that_finds_the_relay_used_up_is_told_to_come_later() {
    for limits in [Limits { envelopes: 1, ..Limits::default() }, Limits { envelope_bytes: 15, ..Limits::default() }] {
        let mut index = index(&limits);
        assert_eq!(deposit(&mut index, &request(1, Some(KEY)), 1, 10, None), Ok(2));
        assert_eq!(deposit(&mut index, &reply(), 2, 10, Some(inbox(1))), Err(ErrorCode::Busy));
        assert_eq!(index.handle_ack(Destination::Inbox(inbox(1)), &[EnvelopeId(Fixed([1; 32]))]).len(), 1);
        assert_eq!(deposit(&mut index, &reply(), 2, 10, Some(inbox(1))), Ok(2));
    }
}

/// Every answered request left an open mailbox behind for up to four weeks: ordinary use filled the relay.
#[test]
fn a_mailbox_is_closed_when_its_replies_are_fetched_and_its_request_is_done() {
    let mailbox = Destination::Mailbox(MailboxId::of_key(&KEY));
    let closing = Effect::CloseMailbox(MailboxId::of_key(&KEY));
    let (request_id, reply_id) = (EnvelopeId(Fixed([1; 32])), EnvelopeId(Fixed([2; 32])));
    for safe_first in [true, false] {
        let mut index = index(&Limits { mailboxes_per_inbox: 1, ..Limits::default() });
        assert_eq!(deposit(&mut index, &request(1, Some(KEY)), 1, 10, None), Ok(2));
        assert_eq!(deposit(&mut index, &reply(), 2, 10, Some(inbox(1))), Ok(2));
        let acks = [(Destination::Inbox(inbox(1)), request_id), (mailbox, reply_id)];
        let order = if safe_first { [0, 1] } else { [1, 0] };
        assert_eq!(index.handle_ack(acks[order[0]].0, &[acks[order[0]].1]).len(), 1);
        let last = index.handle_ack(acks[order[1]].0, &[acks[order[1]].1]);
        assert_eq!(last.last(), Some(&closing));
        assert_eq!(index.mailboxes(), 0);
        assert_eq!(deposit(&mut index, &reply(), 3, 10, Some(inbox(1))), Err(ErrorCode::Unknown));
        assert_eq!(deposit(&mut index, &request(1, Some([8; 32])), 4, 10, None), Ok(2));
    }
}

#[test]
fn a_mailbox_stays_open_while_its_answer_is_still_to_come() {
    let mut index = index(&Limits::default());
    assert_eq!(deposit(&mut index, &request(1, Some(KEY)), 1, 10, None), Ok(2));
    let mailbox = Destination::Mailbox(MailboxId::of_key(&KEY));
    assert_eq!(index.handle_ack(mailbox, &[]), vec![]);
    assert_eq!(index.handle_ack(Destination::Inbox(inbox(1)), &[EnvelopeId(Fixed([1; 32]))]).len(), 1);
    assert_eq!(deposit(&mut index, &reply(), 2, 10, Some(inbox(1))), Ok(2));
}

/// Many expire at once and are erased little by little: a duplicate of one that is overdue was promised and erased.
#[test]
fn a_duplicate_of_what_is_overdue_is_stored_anew() {
    let mut index = index(&Limits::default());
    let header = request(1, Some(KEY));
    assert_eq!(deposit(&mut index, &header, 1, 10, None), Ok(2));
    let deposited =
        |header, name| Deposited { header, id: EnvelopeId(Fixed([name; 32])), bytes: 10, by: Some(inbox(1)) };
    assert_eq!(index.handle_deposit(deposited(&header, 1), NOW.plus(DAY - 1)), Ok(vec![]));
    let effects = index.handle_deposit(deposited(&header, 1), NOW.plus(DAY)).unwrap();
    assert_eq!(effects[0], Effect::Erase(Slot(0)));
    assert!(matches!(&effects[1], Effect::Store(waiting) if waiting.expires == NOW.plus(2 * DAY)));
    assert_eq!(deposit(&mut index, &reply(), 2, 10, Some(inbox(1))), Ok(2));
    let effects = index.handle_deposit(deposited(&reply(), 2), NOW.plus(2 * DAY)).unwrap();
    assert_eq!(effects[0], Effect::Erase(Slot(2)));
    assert_eq!((index.envelopes(), index.bytes()), (2, 20));
}
