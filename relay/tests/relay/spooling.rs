//! Deposits: durable before they are answered, delivered until acked, erased when their time is up.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rohrpost_relay::pace::Reading;
use rohrpost_relay::{Limits, Relay};
use rohrpost_wire::time::DAY;
use rohrpost_wire::{EnvelopeId, ErrorCode, Frame, Timestamp, limits};

use crate::peer::{Delivered, Peer, key, reply, request};
use crate::{Place, config, loopback};

fn ids(delivered: &[Delivered]) -> Vec<EnvelopeId> {
    delivered.iter().map(|(delivery, _)| delivery.id).collect()
}

#[tokio::test]
async fn a_queued_envelope_survives_the_relay_and_is_delivered_until_it_is_acked() {
    let place = Place::new();
    let relay = place.relay().await;
    let client = Peer::connect(&relay.url()).await;
    let header = request(&key(1), None);
    let envelope = vec![5; limits::ENVELOPE_BYTES];
    let id = header.envelope_id(&envelope);
    assert_eq!(client.deposit(&header, &envelope).await, Frame::Queued(id));
    assert_eq!(client.deposit(&header, &envelope).await, Frame::Queued(id));
    let port = relay.local_address().port();
    drop(relay);

    let again = config(place.folder.path(), Limits::default(), loopback(port));
    let relay = Relay::bind(again).await.unwrap();
    let safe = Peer::safe(&relay.url(), &key(1)).await;
    for _ in 0..2 {
        let delivered = safe.fetch(true).await.unwrap();
        assert_eq!(ids(&delivered), vec![id]);
        assert_eq!(delivered[0].1, envelope);
        assert_eq!((delivered[0].0.ttl, delivered[0].0.reply_mailbox), (header.ttl, None));
    }
    assert_eq!(safe.ack(vec![id]).await, Frame::Done);
    assert_eq!(safe.fetch(false).await, Ok(vec![]));
}

#[tokio::test]
async fn a_fetch_that_waits_is_answered_by_the_first_envelope() {
    let place = Place::new();
    let relay = place.relay().await;
    let safe = Peer::safe(&relay.url(), &key(1)).await;
    let client = Peer::connect(&relay.url()).await;
    let depositing = async {
        // Another verb on the safe's connection is answered first, so the fetch has reached the relay.
        assert_eq!(safe.ack(vec![]).await, Frame::Done);
        client.deposit(&request(&key(1), None), b"sealed").await
    };
    let (fetched, queued) = tokio::join!(safe.fetch(true), depositing);
    let fetched = fetched.unwrap();
    assert_eq!(queued, Frame::Queued(fetched[0].0.id));
    assert_eq!(fetched[0].1, b"sealed");
}

#[tokio::test]
async fn a_reply_mailbox_serves_its_safe_and_its_owner_alone() {
    let place = Place::new();
    let relay = place.relay().await;
    let (client, stranger) = (Peer::connect(&relay.url()).await, Peer::connect(&relay.url()).await);
    let safe = Peer::safe(&relay.url(), &key(1)).await;
    let other = Peer::safe(&relay.url(), &key(2)).await;
    let mailbox = key(9);
    assert_eq!(client.fetch_mailbox(&mailbox).await, Err(ErrorCode::Unknown));
    let queued = client.deposit(&request(&key(1), Some(&mailbox)), b"request").await;
    assert!(matches!(queued, Frame::Queued(_)));
    assert_eq!(client.fetch_mailbox(&mailbox).await, Ok(vec![]));

    assert_eq!(stranger.deposit(&reply(&mailbox), b"forged").await, Frame::Refused(ErrorCode::NotLoggedIn));
    assert_eq!(other.deposit(&reply(&mailbox), b"forged").await, Frame::Refused(ErrorCode::Unknown));
    let fetched = safe.fetch(false).await.unwrap();
    assert_eq!(fetched[0].0.reply_mailbox.unwrap().0, mailbox.verifying_key().to_bytes());
    assert!(matches!(safe.deposit(&reply(&mailbox), b"reply").await, Frame::Queued(_)));

    let fetched = client.fetch_mailbox(&mailbox).await.unwrap();
    assert_eq!(fetched[0].1, b"reply");
    assert_eq!(stranger.ack_mailbox(&key(8), ids(&fetched)).await, Frame::Done);
    assert_eq!(client.fetch_mailbox(&mailbox).await.unwrap().len(), 1);
    assert_eq!(client.ack_mailbox(&mailbox, ids(&fetched)).await, Frame::Done);
    assert_eq!(client.fetch_mailbox(&mailbox).await, Ok(vec![]));
}

#[tokio::test]
async fn a_challenge_is_good_once_and_on_its_connection() {
    use rohrpost_wire::frame::Fetch;
    use rohrpost_wire::proof::{MailboxVerb, sign_mailbox};
    let place = Place::new();
    let relay = place.relay().await;
    let (client, thief) = (Peer::connect(&relay.url()).await, Peer::connect(&relay.url()).await);
    let mailbox = key(9);
    assert!(matches!(client.deposit(&request(&key(1), Some(&mailbox)), b"request").await, Frame::Queued(_)));
    let challenge = client.challenge().await;
    let proof = sign_mailbox(&mailbox, &relay.url().key_hash, MailboxVerb::Fetch, &challenge, &[]);
    let fetch = Frame::Fetch(Fetch::Mailbox(proof));
    let bad = Frame::Refused(ErrorCode::BadProof);
    assert_eq!(thief.ask(&fetch, None).await, bad);
    thief.challenge().await;
    assert_eq!(thief.ask(&fetch, None).await, bad);
    assert_eq!(client.ask(&fetch, None).await, Frame::Drained);
    assert_eq!(client.ask(&fetch, None).await, bad);
}

#[tokio::test]
async fn an_envelope_whose_time_is_up_is_not_delivered() {
    let place = Place::new();
    let now = Arc::new(AtomicU64::new(1_000_000));
    let clock = {
        let now = Arc::clone(&now);
        Arc::new(move || Reading::undisturbed(Timestamp(now.load(Ordering::Relaxed))))
    };
    let config = config(place.folder.path(), Limits::default(), loopback(0));
    let relay = Relay::bind_with_clock(config, clock).await.unwrap();
    let safe = Peer::safe(&relay.url(), &key(1)).await;
    assert!(matches!(safe.deposit(&request(&key(1), None), b"sealed").await, Frame::Queued(_)));
    now.fetch_add(DAY - 1, Ordering::Relaxed);
    assert_eq!(safe.fetch(false).await.unwrap().len(), 1);
    now.fetch_add(1, Ordering::Relaxed);
    assert_eq!(safe.fetch(false).await, Ok(vec![]));
    assert_eq!(relay.metrics().expired.read(), 1);
}

#[tokio::test]
async fn an_envelope_with_a_bit_flipped_on_disk_is_set_aside_and_the_others_are_delivered() {
    let place = Place::new();
    let relay = place.relay().await;
    let client = Peer::connect(&relay.url()).await;
    // The second is long enough to lie on pages of its own.
    let envelopes = [vec![0x11; 300], vec![0x22; 30_000], vec![0x33; 300]];
    for envelope in &envelopes {
        assert!(matches!(client.deposit(&request(&key(1), None), envelope).await, Frame::Queued(_)));
    }
    relay.shutdown().await;
    let path = place.folder.path().join("spool.db");
    for pattern in [0x11, 0x22] {
        let mut database = std::fs::read(&path).unwrap();
        let place = database.windows(200).position(|window| window.iter().all(|byte| *byte == pattern)).unwrap();
        database[place + 100] ^= 0x40;
        std::fs::write(&path, database).unwrap();
    }

    let relay = place.relay().await;
    let safe = Peer::safe(&relay.url(), &key(1)).await;
    let delivered = safe.fetch(true).await.unwrap();
    assert_eq!(delivered.iter().map(|(_, envelope)| envelope).collect::<Vec<_>>(), vec![&envelopes[2]]);
    assert_eq!(relay.metrics().quarantined.read(), 2);
    relay.shutdown().await;
    let status = rohrpost_relay::status::read(place.folder.path()).unwrap();
    assert_eq!((status.spool.envelopes, status.spool.quarantined), (1, 2));
}
