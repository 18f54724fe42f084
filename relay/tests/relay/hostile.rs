//! Bytes that are no requests and texts that are no log: what strangers send is their own trouble alone.

use rohrpost_figures::Figures;
use rohrpost_wire::frame::{self, Ack, Call, Fetch, MailboxProof};
use rohrpost_wire::proof::{self, Exporter};
use rohrpost_wire::{ErrorCode, Frame, RelayAddress, RelayKeyHash, fixed::Fixed};

use crate::Place;
use crate::peer::{Peer, code_of, inbox_of, key, request};

const SEED: u64 = 7;
const ROUNDS: usize = 120;

/// `SplitMix64`, for reproducible mischief.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        usize::try_from((mixed ^ (mixed >> 27)) % bound.max(1) as u64).unwrap()
    }
}

/// How a relay answers: with a frame of this number, or by ending stream or connection with this code.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Answered(u16),
    Ended(u64),
}

/// Requests that a stranger can make; none of them is answered by waiting.
fn requests() -> Vec<Vec<u8>> {
    let login = proof::sign_login(&key(3), &RelayKeyHash(Fixed([0; 32])), &Exporter([0; 32]), 1);
    let proof = MailboxProof { mailbox_key: Fixed([4; 32]), signature: Fixed([5; 64]) };
    let with_blob = |frame: &Frame, blob: &[u8]| [&frame.encode()[..], &frame::blob_prefix(blob), blob].concat();
    vec![
        Frame::Login(login).encode(),
        with_blob(&Frame::Publish, b"records"),
        Frame::Records(inbox_of(&key(2))).encode(),
        Frame::Call(Call { to: inbox_of(&key(2)), ticket: None }).encode(),
        with_blob(&Frame::Deposit(request(&key(2), Some(&key(9)))), b"sealed"),
        Frame::Fetch(Fetch::Mailbox(proof.clone())).encode(),
        Frame::Ack(Ack { mailbox: Some(proof), ids: vec![].try_into().unwrap() }).encode(),
        Frame::Challenge.encode(),
    ]
}

fn spoil(bytes: &mut Vec<u8>, dice: &mut Dice) {
    let at = dice.below(bytes.len());
    match dice.below(6) {
        0 => bytes[at] ^= 1 << dice.below(8),
        1 => bytes[at] = 0xff,
        2 => bytes.truncate(at),
        3 => bytes.insert(at, 0),
        4 => bytes.extend_from_slice(&[0xff; 9]),
        // Not spoiled at all.
        _ => {}
    }
}

/// Sends bytes on a connection of their own, cut where the pieces say.
async fn send(url: &RelayAddress, bytes: &[u8], pieces: &[usize]) -> Outcome {
    let peer = Peer::connect(url).await;
    let (mut send, mut recv) = peer.connection.open_bi().await.unwrap();
    let mut rest = bytes;
    for piece in pieces {
        let (now, later) = rest.split_at((*piece).min(rest.len()));
        // A relay may have refused already.
        if send.write_all(now).await.is_err() {
            break;
        }
        // Whoever has been heard on another stream has sent what it wrote before.
        tokio::task::yield_now().await;
        rest = later;
    }
    let _refused_early = send.write_all(rest).await;
    let _refused_early = send.finish();
    match recv.read_to_end(1 << 20).await {
        Ok(answer) => Outcome::Answered(Frame::decode(frame_in(&answer)).unwrap().number()),
        Err(quinn::ReadToEndError::Read(quinn::ReadError::Reset(code))) => Outcome::Ended(code.into_inner()),
        Err(_) => Outcome::Ended(u64::from(code_of(&peer.connection.closed().await).number())),
    }
}

fn frame_in(answer: &[u8]) -> &[u8] {
    let (length, rest) = answer.split_first_chunk::<4>().unwrap();
    &rest[..frame::frame_length(*length).unwrap()]
}

#[tokio::test(flavor = "multi_thread")]
async fn spoiled_requests_in_any_pieces_end_the_same_way_and_trouble_nobody_else() {
    let place = Place::new();
    let relay = place.relay().await;
    let bystander = Peer::safe(&relay.url(), &key(1)).await;
    let (requests, mut dice) = (requests(), Dice(SEED));
    let (mut answered, mut ended) = (0, 0);
    for round in 0..ROUNDS {
        let mut bytes = requests[round % requests.len()].clone();
        spoil(&mut bytes, &mut dice);
        let whole = send(&relay.url(), &bytes, &[]).await;
        let pieces: Vec<usize> = (0..dice.below(6)).map(|_| dice.below(12)).collect();
        assert_eq!(send(&relay.url(), &bytes, &pieces).await, whole, "seed {SEED}, round {round}: {bytes:02x?}");
        match whole {
            Outcome::Answered(_) => answered += 1,
            Outcome::Ended(code) => {
                let known = ErrorCode::from_number(u16::try_from(code).unwrap()).unwrap();
                let protocol = [ErrorCode::Malformed, ErrorCode::TooLarge, ErrorCode::UnexpectedFrame];
                assert!(protocol.contains(&known), "round {round}: ended with {known:?}");
                ended += 1;
            }
        }
        assert_eq!(bystander.fetch(false).await, Ok(vec![]), "round {round}");
    }
    assert!(answered > 10 && ended > 10, "{answered} answered, {ended} ended");
    assert_eq!(relay.metrics().misbehaved.read(), 2 * ended);
    Figures::of("fuzz.relay_requests")
        .seed(SEED)
        .count("requests, each whole and in pieces", ROUNDS as u64)
        .count("answered", answered)
        .count("ended with their connection", ended)
        .none("other connections troubled")
        .publish();
}

/// What would steer a terminal or begin a line of its own.
#[cfg(unix)]
const FORGED: &[u8] = b"\r\n2026-01-01T00:00:00.000000Z  INFO forged\x1b[2J\x9b31m\xe2\x80\xae";

/// Everything in which a stranger can hand over bytes of its own choice, at the most talkative level there is.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn whatever_strangers_send_a_log_has_one_line_for_each_event_and_nothing_that_steers() {
    let (place, elsewhere) = (Place::new(), tempfile::tempdir().unwrap());
    let path = elsewhere.path().join("log");
    let relay = crate::process::Running::start_talkative(
        place.folder.path(),
        "trace,quinn=trace,quinn_proto=trace",
        std::fs::File::create(&path).unwrap(),
    );
    for alpn in [FORGED, b"\x1b]0;title\x07", b"%s%n{}"] {
        assert!(Peer::try_connect(&relay.url, &alpn[..alpn.len().min(200)]).await.is_err());
    }
    for bytes in [FORGED, &[FORGED, FORGED].concat(), &[0xff; 600], &[b'\n'; 600]] {
        let peer = Peer::connect(&relay.url).await;
        let (mut stream, _recv) = peer.connection.open_bi().await.unwrap();
        stream.write_all(bytes).await.unwrap();
        let _closed_already = stream.finish();
        peer.closed().await;
        let leaving = Peer::connect(&relay.url).await;
        leaving.challenge().await;
        leaving.connection.close(77u8.into(), bytes);
        leaving.leave().await;
    }
    let safe = Peer::safe(&relay.url, &key(1)).await;
    assert_eq!(safe.ask(&Frame::Publish, Some(FORGED)).await, Frame::Done);
    assert!(matches!(safe.deposit(&request(&key(1), None), FORGED).await, Frame::Queued(_)));
    let stranger = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    for garbage in [&FORGED.repeat(20)[..], &[0xc0; 1200], &[b'\n'; 1200]] {
        stranger.send_to(garbage, format!("127.0.0.1:{}", relay.url.port)).await.unwrap();
    }
    safe.challenge().await;
    relay.stop();
    let log = std::fs::read_to_string(&path).unwrap();
    assert!(log.contains("connection ended for what it sent") && log.lines().count() > 50, "{log}");
    let odd: Vec<&str> = log.lines().filter(|line| !is_an_event(line)).collect();
    assert!(odd.is_empty(), "{odd:#?}");
    Figures::of("fuzz.relay_log").count("lines", log.lines().count() as u64).none("not one event").publish();
}

/// A time, a level, and nothing that could be taken for another line or steer whoever looks at it.
#[cfg(unix)]
fn is_an_event(line: &str) -> bool {
    let Some((time, rest)) = line.split_once(' ') else { return false };
    let is_time = time.len() == 27 && time.ends_with('Z') && time.as_bytes()[10] == b'T';
    let level = rest.split_whitespace().next().unwrap_or_default();
    let steers = |c: char| {
        c.is_control()
            || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let forged = rest.trim_start().trim_start_matches(level).trim_start().starts_with("forged");
    is_time && ["ERROR", "WARN", "INFO", "DEBUG", "TRACE"].contains(&level) && !line.contains(steers) && !forged
}

#[cfg(unix)]
#[test]
fn a_line_that_a_stranger_began_or_coloured_is_noticed() {
    assert!(is_an_event("2026-01-01T00:00:00.000000Z  WARN something"));
    let text = String::from_utf8_lossy(FORGED);
    let forged = text.trim().split('\u{1b}').next().unwrap();
    for line in ["no time", "", "2026-01-01T00:00:00.000000Z  INFO a\u{1b}[2J", forged] {
        assert!(!is_an_event(line), "{line:?}");
    }
}
