//! Whoever does not read is waited for alone: nobody else's stream stands still with his.

use rohrpost_relay::Limits;
use rohrpost_wire::{ErrorCode, Frame};

use crate::Place;
use crate::peer::{Peer, Stream, inbox_of, key, request};

/// Rounds without a byte taken, each of them a whole question to the relay and back, after which a writer is held up.
const HELD_UP: usize = 50;

/// Writes until nothing more is taken: the reader does not read, and every window on the way is full.
async fn fill(stream: &mut Stream, beside: &Peer) {
    let piece = vec![3; 1024 * 1024];
    let mut rounds = 0;
    while rounds < HELD_UP {
        tokio::select! {
            biased;
            written = stream.send.write(&piece) => { written.unwrap(); rounds = 0; }
            _ = beside.challenge() => rounds += 1,
        }
    }
}

async fn answered(caller: &Peer, safe: &Peer) {
    let (call, incoming) = tokio::join!(caller.call(inbox_of(&key(1))), safe.accept());
    let (mut call, mut incoming) = (call.unwrap(), incoming);
    let object = vec![7; 600_000];
    let answering = async {
        incoming.send.write_all(&object).await.unwrap();
        incoming.send.finish().unwrap();
        incoming
    };
    let (read, _incoming) = tokio::join!(call.recv.read_to_end(object.len()), answering);
    assert_eq!(read.unwrap(), object);
}

/// A stream was allowed half of what all of a safe's streams were: two callers that did not read froze every other
/// reply, deposit and publication of that safe, and the relay closed its connection for being late.
#[tokio::test(flavor = "multi_thread")]
async fn callers_that_do_not_read_hold_up_nobody_else_at_their_safe() {
    let place = Place::new();
    let relay = place.relay().await;
    let safe = Peer::safe(&relay.url(), &key(1)).await;
    let (client, beside) = (Peer::connect(&relay.url()).await, Peer::connect(&relay.url()).await);
    let mut stalled = Vec::new();
    for _ in 0..10 {
        let (call, incoming) = tokio::join!(client.call(inbox_of(&key(1))), safe.accept());
        let mut incoming = incoming;
        fill(&mut incoming, &beside).await;
        stalled.push((call.unwrap(), incoming));
    }
    answered(&beside, &safe).await;
    assert!(matches!(safe.deposit(&request(&key(1), None), &vec![5; 900_000]).await, Frame::Queued(_)));
    assert_eq!(safe.ask(&Frame::Publish, Some(&vec![6; 60_000])).await, Frame::Done);
    assert_eq!(relay.metrics().misbehaved.read(), 0);
    drop(stalled);
}

/// Those that waited for their turn had filled the window of the connection, and those whose turn it was starved.
#[tokio::test(flavor = "multi_thread")]
async fn more_deposits_at_once_than_may_move_do_not_starve_each_other() {
    let place = Place::new();
    let relay = place.relay().await;
    let client = Peer::connect(&relay.url()).await;
    let mut depositing = tokio::task::JoinSet::new();
    let client = std::sync::Arc::new(client);
    for number in 0..8 {
        let client = std::sync::Arc::clone(&client);
        depositing.spawn(async move { client.deposit(&request(&key(1), None), &vec![number; 300_000]).await });
    }
    while let Some(answer) = depositing.join_next().await {
        assert!(matches!(answer.unwrap(), Frame::Queued(_)));
    }
}

/// One byte now and then the other way was enough to keep what a reader did not read in memory for ever.
#[tokio::test(flavor = "multi_thread")]
async fn a_call_whose_reader_stands_still_is_ended_whatever_moves_the_other_way() {
    let place = Place::new();
    let relay = place.relay_with(Limits { call_idle_seconds: 1, ..Limits::default() }).await;
    let safe = Peer::safe(&relay.url(), &key(1)).await;
    let (client, beside) = (Peer::connect(&relay.url()).await, Peer::connect(&relay.url()).await);
    let (call, incoming) = tokio::join!(client.call(inbox_of(&key(1))), safe.accept());
    let (mut call, mut incoming) = (call.unwrap(), incoming);
    let piece = vec![3; 1024 * 1024];
    let timed_out = quinn::WriteError::Stopped(ErrorCode::TimedOut.number().into());
    let refused = loop {
        tokio::select! {
            biased;
            written = incoming.send.write(&piece) => if let Err(error) = written { break error },
            _ = beside.challenge() => {
                // The other way goes on, until the call is ended there too.
                let _ended = call.send.write_all(b".").await;
                let _ended = incoming.recv.read(&mut [0; 100]).await;
            }
        }
    };
    assert_eq!(refused, timed_out);
    assert_eq!(safe.fetch(false).await, Ok(vec![]));
}
