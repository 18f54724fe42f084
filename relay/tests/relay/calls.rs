//! Calls: spliced to a safe that is there, refused at once where none is.

use rohrpost_relay::Limits;
use rohrpost_wire::{ErrorCode, Frame};

use crate::Place;
use crate::peer::{Peer, inbox_of, key};

#[tokio::test]
async fn a_call_carries_a_request_an_object_and_the_reply() {
    let place = Place::new();
    let relay = place.relay().await;
    let safe = Peer::safe(&relay.url(), &key(1)).await;
    let client = Peer::connect(&relay.url()).await;
    let (call, incoming) = tokio::join!(client.call(inbox_of(&key(1))), safe.accept());
    let (mut call, mut incoming) = (call.unwrap(), incoming);
    call.write_blob(b"sealed request").await.unwrap();
    call.send.write_all(b"object").await.unwrap();
    call.send.finish().unwrap();
    assert_eq!(incoming.blob().await, b"sealed request");
    assert_eq!(incoming.recv.read_to_end(100).await.unwrap(), b"object");
    incoming.write_blob(b"sealed reply").await.unwrap();
    incoming.send.finish().unwrap();
    assert_eq!(call.blob().await, b"sealed reply");
    assert_eq!(call.recv.read_to_end(100).await.unwrap(), b"");
}

/// A window that shrank after a call and grew with the next took nothing back and gave more each time: after a thousand
/// small calls a stranger was allowed two gigabytes.
#[tokio::test]
async fn small_calls_do_not_add_to_what_a_connection_may_have_in_flight() {
    let place = Place::new();
    let relay = place.relay().await;
    let safe = Peer::safe(&relay.url(), &key(1)).await;
    let client = Peer::connect(&relay.url()).await;
    for _ in 0..20 {
        let (call, incoming) = tokio::join!(client.call(inbox_of(&key(1))), safe.accept());
        let (mut call, mut incoming) = (call.unwrap(), incoming);
        call.write_blob(b"sealed request").await.unwrap();
        call.send.finish().unwrap();
        assert_eq!(incoming.blob().await, b"sealed request");
        incoming.write_blob(b"sealed reply").await.unwrap();
        incoming.send.finish().unwrap();
        assert_eq!(call.blob().await, b"sealed reply");
        assert_eq!(call.recv.read_to_end(100).await.unwrap(), b"");
    }
    assert_eq!(client.connection.stats().frame_rx.max_data, 0);
}

#[tokio::test]
async fn a_call_to_an_absent_safe_is_answered_away() {
    let place = Place::new();
    let relay = place.relay().await;
    let client = Peer::connect(&relay.url()).await;
    assert_eq!(client.call(inbox_of(&key(1))).await.err(), Some(ErrorCode::Away));
    let safe = Peer::safe(&relay.url(), &key(1)).await;
    assert!(client.call(inbox_of(&key(1))).await.is_ok());
    safe.leave().await;
    assert_eq!(client.call(inbox_of(&key(1))).await.err(), Some(ErrorCode::Away));
}

#[tokio::test]
async fn fifty_megabytes_go_both_ways_unchanged() {
    const PIECE: usize = 64 * 1024;
    const PIECES: usize = 50 * 1024 * 1024 / PIECE;
    let place = Place::new();
    let relay = place.relay().await;
    let safe = Peer::safe(&relay.url(), &key(1)).await;
    let client = Peer::connect(&relay.url()).await;
    let (call, echo) = tokio::join!(client.call(inbox_of(&key(1))), safe.accept());
    let (mut call, mut echo) = (call.unwrap(), echo);
    let echo = tokio::spawn(async move {
        tokio::io::copy(&mut echo.recv, &mut echo.send).await.unwrap();
        echo.send.finish().unwrap();
        // Dropped before everything is acknowledged, the safe would close its connection.
        let _all_read = echo.send.stopped().await;
    });
    let piece = |index: usize| vec![u8::try_from(index % 251).unwrap(); PIECE];
    let mut send = call.send;
    let sending = tokio::spawn(async move {
        for index in 0..PIECES {
            send.write_all(&piece(index)).await.unwrap();
        }
        send.finish().unwrap();
    });
    let mut read = vec![0; PIECE];
    for index in 0..PIECES {
        call.recv.read_exact(&mut read).await.unwrap();
        assert!(read == piece(index), "piece {index}");
    }
    assert_eq!(call.recv.read(&mut read).await.unwrap(), None);
    sending.await.unwrap();
    echo.await.unwrap();
}

#[tokio::test]
async fn an_abort_on_either_side_reaches_the_other_as_interrupted() {
    let place = Place::new();
    let relay = place.relay().await;
    let safe = Peer::safe(&relay.url(), &key(1)).await;
    let client = Peer::connect(&relay.url()).await;
    let interrupted = quinn::VarInt::from(ErrorCode::Interrupted.number());
    let pair = || async {
        let (call, incoming) = tokio::join!(client.call(inbox_of(&key(1))), safe.accept());
        (call.unwrap(), incoming)
    };
    let (mut call, mut incoming) = pair().await;
    call.send.reset(5u8.into()).unwrap();
    assert_eq!(incoming.recv.read(&mut [0]).await, Err(quinn::ReadError::Reset(interrupted)));
    incoming.send.reset(5u8.into()).unwrap();
    assert_eq!(call.recv.read(&mut [0]).await, Err(quinn::ReadError::Reset(interrupted)));

    let (mut call, mut incoming) = pair().await;
    call.recv.stop(5u8.into()).unwrap();
    assert_eq!(incoming.send.stopped().await, Ok(Some(interrupted)));
    incoming.recv.stop(5u8.into()).unwrap();
    assert_eq!(call.send.stopped().await, Ok(Some(interrupted)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_side_that_goes_away_in_the_middle_interrupts_the_call() {
    let place = Place::new();
    let relay = place.relay().await;
    let safe = Peer::safe(&relay.url(), &key(1)).await;
    let client = Peer::connect(&relay.url()).await;
    let interrupted = quinn::ReadError::Reset(ErrorCode::Interrupted.number().into());
    // Several times, for the end must never look like a clean one, whichever of the relay's tasks notices first.
    for _ in 0..20 {
        let leaving = Peer::connect(&relay.url()).await;
        let (call, mut incoming) = tokio::join!(leaving.call(inbox_of(&key(1))), safe.accept());
        let mut call = call.unwrap();
        call.send.write_all(b"half an upload").await.unwrap();
        let mut half = [0; 14];
        incoming.recv.read_exact(&mut half).await.unwrap();
        leaving.connection.close(0u8.into(), b"");
        assert_eq!(incoming.recv.read(&mut [0]).await, Err(interrupted.clone()));
    }
    let (call, _incoming) = tokio::join!(client.call(inbox_of(&key(1))), safe.accept());
    safe.leave().await;
    assert_eq!(call.unwrap().recv.read(&mut [0]).await, Err(interrupted));
}

/// A call that was being opened towards the older connection was answered away, while the safe was there.
#[tokio::test]
async fn a_call_follows_its_safe_to_a_newer_login() {
    let place = Place::new();
    let relay = place.relay().await;
    let older = Peer::deaf(&relay.url()).await;
    assert_eq!(older.login(&key(1)).await, Frame::Done);
    let client = Peer::connect(&relay.url()).await;
    let moving = async {
        // The answers show that the relay has read the call, and waits for a stream.
        for _ in 0..20 {
            client.challenge().await;
        }
        Peer::safe(&relay.url(), &key(1)).await
    };
    let (call, newer) = tokio::join!(client.call(inbox_of(&key(1))), moving);
    assert!(call.is_ok());
    newer.leave().await;
}

#[tokio::test]
async fn a_call_in_which_nothing_moves_is_ended_for_both() {
    let place = Place::new();
    let relay = place.relay_with(Limits { call_idle_seconds: 1, ..Limits::default() }).await;
    let safe = Peer::safe(&relay.url(), &key(1)).await;
    let client = Peer::connect(&relay.url()).await;
    let (call, mut incoming) = tokio::join!(client.call(inbox_of(&key(1))), safe.accept());
    let timed_out = quinn::ReadError::Reset(ErrorCode::TimedOut.number().into());
    assert_eq!(call.unwrap().recv.read(&mut [0]).await, Err(timed_out.clone()));
    assert_eq!(incoming.recv.read(&mut [0]).await, Err(timed_out));
}
