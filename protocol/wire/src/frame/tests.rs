use proptest::prelude::*;

use super::*;

fn destination() -> impl Strategy<Value = Destination> {
    prop_oneof![
        any::<[u8; 16]>().prop_map(|id| Destination::Inbox(InboxId(Fixed(id)))),
        any::<[u8; 16]>().prop_map(|id| Destination::Mailbox(MailboxId(Fixed(id)))),
    ]
}

fn proof() -> impl Strategy<Value = MailboxProof> {
    (any::<[u8; 32]>(), prop::collection::vec(any::<u8>(), 64)).prop_map(|(key, signature)| MailboxProof {
        mailbox_key: Fixed(key),
        signature: Fixed::from_slice(&signature).unwrap(),
    })
}

fn ticket() -> impl Strategy<Value = Option<TicketId>> {
    prop::option::of(any::<[u8; 16]>().prop_map(|id| TicketId(Fixed(id))))
}

fn ttl() -> impl Strategy<Value = TtlClass> {
    prop_oneof![Just(TtlClass::Day), Just(TtlClass::Week), Just(TtlClass::Fortnight)]
}

fn ids() -> impl Strategy<Value = Vec<EnvelopeId>> {
    prop::collection::vec(any::<[u8; 32]>().prop_map(|id| EnvelopeId(Fixed(id))), 0..4)
}

fn frame() -> impl Strategy<Value = Frame> {
    let key = any::<[u8; 32]>().prop_map(Fixed);
    prop_oneof![
        (proof(), any::<u64>()).prop_map(|(p, counter)| Frame::Login(Login {
            route_key: p.mailbox_key,
            counter,
            signature: p.signature
        })),
        Just(Frame::Publish),
        Just(Frame::Challenge),
        Just(Frame::Done),
        Just(Frame::Drained),
        any::<[u8; 16]>().prop_map(|id| Frame::Records(InboxId(Fixed(id)))),
        (any::<[u8; 16]>(), ticket()).prop_map(|(id, ticket)| Frame::Call(Call { to: InboxId(Fixed(id)), ticket })),
        (destination(), ticket(), ttl(), prop::option::of(key.clone())).prop_map(|(to, ticket, ttl, reply_mailbox)| {
            Frame::Deposit(Deposit { to, ticket, ttl, reply_mailbox })
        }),
        (any::<[u8; 32]>(), ttl(), prop::option::of(key)).prop_map(|(id, ttl, reply_mailbox)| {
            Frame::Delivery(Delivery { id: EnvelopeId(Fixed(id)), ttl, reply_mailbox })
        }),
        any::<bool>().prop_map(|wait| Frame::Fetch(Fetch::Inbox { wait })),
        proof().prop_map(|proof| Frame::Fetch(Fetch::Mailbox(proof))),
        (prop::option::of(proof()), ids())
            .prop_map(|(mailbox, ids)| Frame::Ack(Ack { mailbox, ids: ids.try_into().unwrap() })),
        (0u16..17).prop_map(|n| Frame::Refused(ErrorCode::from_number(n).unwrap())),
        any::<[u8; 32]>().prop_map(|id| Frame::Queued(EnvelopeId(Fixed(id)))),
        any::<[u8; 32]>().prop_map(|c| Frame::Challenged(Challenge(Fixed(c)))),
        ticket().prop_map(|ticket| Frame::Incoming(Incoming { ticket })),
    ]
}

proptest! {
    #[test]
    fn what_is_encoded_decodes_to_itself(frame in frame()) {
        let bytes = frame.encode();
        let (length, rest) = bytes.split_first_chunk::<4>().unwrap();
        prop_assert_eq!(frame_length(*length), Ok(rest.len()));
        prop_assert_eq!(Frame::decode(rest), Ok(frame));
    }

    #[test]
    fn a_truncated_or_extended_frame_is_refused(frame in frame(), cut in any::<prop::sample::Index>()) {
        let bytes = frame.encode();
        let body = &bytes[4..];
        prop_assert!(Frame::decode(&body[..cut.index(body.len())]).is_err());
        let mut longer = body.to_vec();
        longer.push(0);
        prop_assert!(Frame::decode(&longer).is_err());
    }

    #[test]
    fn any_bytes_decode_to_one_frame_or_none(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(frame) = Frame::decode(&bytes) {
            prop_assert_eq!(&frame.encode()[4..], &bytes[..]);
        }
    }
}

#[test]
fn an_oversize_length_is_refused_before_allocation() {
    assert_eq!(frame_length([0xff; 4]), Err(FrameError::TooLarge));
    assert_eq!(frame_length([0, 0, 0x40, 0]), Ok(limits::FRAME_BYTES));
    assert_eq!(frame_length([0, 0, 0x40, 1]), Err(FrameError::TooLarge));
}

#[test]
fn the_largest_ack_fits_a_frame() {
    let proof = MailboxProof { mailbox_key: Fixed([0xff; 32]), signature: Fixed([0xff; 64]) };
    let ids = vec![EnvelopeId(Fixed([0xff; 32])); limits::FETCH_ENVELOPES].try_into().unwrap();
    let frame = Frame::Ack(Ack { mailbox: Some(proof), ids });
    let bytes = frame.encode();
    assert!(bytes.len() <= limits::FRAME_BYTES);
    assert_eq!(Frame::decode(&bytes[4..]), Ok(frame));
}

#[test]
fn an_ack_of_one_id_too_many_can_be_neither_made_nor_read() {
    let ids = vec![EnvelopeId(Fixed([1; 32])); limits::FETCH_ENVELOPES + 1];
    let bytes = [&[0, 7][..], &codec::encode(&(None::<MailboxProof>, &ids))].concat();
    assert_eq!(AckIds::try_from(ids.clone()), Err(TooManyIds));
    let mut rest = ids;
    assert_eq!((AckIds::take(&mut rest).len(), rest.len()), (limits::FETCH_ENVELOPES, 1));
    assert_eq!((AckIds::take(&mut rest).len(), rest.len()), (1, 0));
    assert_eq!(Frame::decode(&bytes), Err(FrameError::Malformed));
}

#[test]
fn an_envelope_id_covers_everything_but_the_ticket() {
    let inbox = InboxId(Fixed([1; 16]));
    let base = Deposit { to: Destination::Inbox(inbox), ticket: None, ttl: TtlClass::Day, reply_mailbox: None };
    let id = base.envelope_id(b"sealed");
    let ticketed = Deposit { ticket: Some(TicketId(Fixed([9; 16]))), ..base };
    assert_eq!(ticketed.envelope_id(b"sealed"), id);
    let others = [
        Deposit { to: Destination::Mailbox(MailboxId(inbox.0)), ..base.clone() },
        Deposit { ttl: TtlClass::Week, ..base.clone() },
        Deposit { reply_mailbox: Some(Fixed([2; 32])), ..base },
    ];
    for other in others {
        assert_ne!(other.envelope_id(b"sealed"), id);
    }
    assert_ne!(base.envelope_id(b"sealee"), id);
}
