//! The program itself: what it prints, how it ends, and what a kill leaves behind.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Output, Stdio};

use rohrpost_wire::frame::Destination;
use rohrpost_wire::{EnvelopeId, Frame, RelayAddress};

use crate::Place;
use crate::peer::{Peer, inbox_of, key, reply, request};

/// A running relay process, killed when dropped.
pub(crate) struct Running {
    child: Child,
    pub(crate) url: RelayAddress,
    out: BufReader<ChildStdout>,
}

impl Running {
    pub(crate) fn start(data: &Path) -> Self {
        Self::start_with(data, Stdio::null())
    }

    fn start_with(data: &Path, log: Stdio) -> Self {
        Self::spawn(program(&["serve", "--listen", "127.0.0.1:0"], data).stderr(log))
    }

    /// One that logs by this filter into a file.
    #[cfg(unix)]
    pub(crate) fn start_talkative(data: &Path, filter: &str, log: std::fs::File) -> Self {
        Self::spawn(program(&["serve", "--listen", "127.0.0.1:0", "--log", filter], data).stderr(log))
    }

    fn spawn(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        out.read_line(&mut line).unwrap();
        let url = line.strip_prefix("relay: ").unwrap().parse().unwrap();
        Self { child, url, out }
    }

    /// Its process id.
    #[cfg(target_os = "linux")]
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Asks it to stop and waits until it has.
    #[cfg(unix)]
    pub(crate) fn stop(mut self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        assert!(self.child.wait().unwrap().success());
    }

    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have been killed or have ended already.
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}

fn program(arguments: &[&str], data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rohrpost-relay"));
    command.args(arguments).arg("--data").arg(data);
    command
}

fn run(arguments: &[&str], data: &Path) -> Output {
    program(arguments, data).output().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_envelope_answered_queued_is_there_after_a_kill() {
    let place = Place::new();
    let mut promised: BTreeSet<EnvelopeId> = BTreeSet::new();
    for round in 0..4u8 {
        let mut relay = Running::start(place.folder.path());
        let mut depositing = tokio::task::JoinSet::new();
        let mut connections = Vec::new();
        for lane in 0..4u8 {
            let client = Peer::connect(&relay.url).await;
            connections.push(client.connection.clone());
            depositing.spawn(async move {
                let mut queued = Vec::new();
                for number in 0..=255u8 {
                    let envelope = [&[round, lane, number][..], &[9; 3000]].concat();
                    match attempt(&client, &envelope).await {
                        Some(id) => queued.push(id),
                        None => break,
                    }
                }
                queued
            });
        }
        let watch = Peer::safe(&relay.url, &key(1)).await;
        // The kill comes in the middle of the deposits, later in each round.
        while watch.fetch(true).await.unwrap().len() < promised.len().min(250) + 5 * usize::from(round) + 1 {}
        relay.kill();
        // Nobody answers any more; without this the depositors would find out only by their idle timeout.
        for connection in connections {
            connection.close(0u8.into(), b"");
        }
        let before = promised.len();
        while let Some(queued) = depositing.join_next().await {
            promised.extend(queued.unwrap());
        }
        assert!(promised.len() > before);

        let relay = Running::start(place.folder.path());
        let safe = Peer::safe(&relay.url, &key(1)).await;
        loop {
            let delivered = safe.fetch(false).await.unwrap();
            let ids: Vec<EnvelopeId> = delivered.iter().map(|(delivery, _)| delivery.id).collect();
            if ids.is_empty() {
                break;
            }
            promised.retain(|id| !ids.contains(id));
            assert_eq!(safe.ack(ids).await, Frame::Done);
        }
        assert_eq!(promised, BTreeSet::new());
    }
}

/// A deposit that may be cut off in its middle.
async fn attempt(client: &Peer, envelope: &[u8]) -> Option<EnvelopeId> {
    let (mut send, mut recv) = client.connection.open_bi().await.ok()?;
    let length = u32::try_from(envelope.len()).unwrap().to_be_bytes();
    let request = [&Frame::Deposit(request(&key(1), None)).encode()[..], &length, envelope].concat();
    send.write_all(&request).await.ok()?;
    send.finish().ok()?;
    let answer = recv.read_to_end(100).await.ok()?;
    match Frame::decode(answer.get(4..)?) {
        Ok(Frame::Queued(id)) => Some(id),
        _ => None,
    }
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn memory_stays_bounded_in_a_long_call_and_beside_a_reader_that_stops() {
    const MIB: usize = 1024 * 1024;
    let place = Place::new();
    let relay = Running::start(place.folder.path());
    let safe = Peer::safe(&relay.url, &key(1)).await;
    let client = Peer::connect(&relay.url).await;
    let (call, mut incoming) = tokio::join!(client.call(inbox_of(&key(1))), safe.accept());
    let (mut call, piece) = (call.unwrap(), vec![3; MIB]);
    let sending = tokio::spawn(async move {
        for _ in 0..200 {
            call.send.write_all(&piece).await.unwrap();
        }
        call.send.finish().unwrap();
        call
    });
    let mut read = vec![0; MIB];
    let mut total = 0;
    while let Some(length) = incoming.recv.read(&mut read).await.unwrap() {
        total += length;
    }
    assert_eq!(total, 200 * MIB);
    drop(sending.await.unwrap());

    // Nobody reads the second call: its writer is held back and the relay keeps a window, not the whole.
    let (call, _unread) = tokio::join!(client.call(inbox_of(&key(1))), safe.accept());
    let mut call = call.unwrap();
    let piece = vec![3; MIB];
    let mut blocked = 0;
    while blocked < 100 {
        tokio::select! {
            biased;
            written = call.send.write(&piece) => { written.unwrap(); blocked = 0; }
            _ = client.challenge() => blocked += 1,
        }
    }
    let peak = peak_kib(relay.child.id());
    assert!(peak <= 64 * 1024, "{peak} KiB");
}

#[cfg(target_os = "linux")]
pub(crate) fn peak_kib(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_relay_prints_its_url_alone_shows_its_status_and_stops_when_asked() {
    let place = Place::new();
    let mut relay = Running::start(place.folder.path());
    let client = Peer::connect(&relay.url).await;
    assert!(matches!(client.deposit(&request(&key(1), Some(&key(9))), b"sealed").await, Frame::Queued(_)));

    let status = || {
        let shown = run(&["status", "--json"], place.folder.path());
        assert!(shown.status.success(), "{}", String::from_utf8_lossy(&shown.stderr));
        serde_json::from_slice::<serde_json::Value>(&shown.stdout).unwrap()
    };
    let shown = status();
    assert_eq!(shown["url"], relay.url.to_string());
    assert_eq!((&shown["served"], &shown["envelopes"], &shown["bytes"]), (&true.into(), &1.into(), &6.into()));
    assert_eq!((&shown["mailboxes"], &shown["quarantined"]), (&1.into(), &0.into()));

    let pid = rustix::process::Pid::from_child(&relay.child);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert_eq!(client.closed().await, rohrpost_wire::ErrorCode::ShuttingDown);
    assert!(relay.child.wait().unwrap().success());
    let mut rest = String::new();
    relay.out.read_line(&mut rest).unwrap();
    assert_eq!(rest, "");
    assert_eq!(status()["served"], false);
    assert_eq!(status()["envelopes"], 1);
}

/// Everything a peer can do is done, a refused and a broken request among it.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_log_at_info_names_no_peer_and_nobodys_place_and_ends_with_totals() {
    let (place, elsewhere) = (Place::new(), tempfile::tempdir().unwrap());
    let path = elsewhere.path().join("log");
    let mut relay = Running::start_with(place.folder.path(), std::fs::File::create(&path).unwrap().into());
    let safe = Peer::safe(&relay.url, &key(1)).await;
    let client = Peer::connect(&relay.url).await;
    assert_eq!(safe.ask(&Frame::Publish, Some(b"records")).await, Frame::Done);
    client.open(&Frame::Records(inbox_of(&key(1))), None).await.frame().await;
    let (call, incoming) = tokio::join!(client.call(inbox_of(&key(1))), safe.accept());
    drop((call.unwrap(), incoming));
    assert!(client.call(inbox_of(&key(2))).await.is_err());
    assert!(matches!(client.deposit(&request(&key(1), Some(&key(9))), b"sealed").await, Frame::Queued(_)));
    let delivered = safe.fetch(true).await.unwrap();
    let asked = delivered[0].0.id;
    assert!(matches!(safe.deposit(&reply(&key(9)), b"reply").await, Frame::Queued(_)));
    assert_eq!(safe.ack(vec![asked]).await, Frame::Done);
    let answered = client.fetch_mailbox(&key(9)).await.unwrap()[0].0.id;
    assert_eq!(client.ack_mailbox(&key(9), vec![answered]).await, Frame::Done);
    let broken = Peer::connect(&relay.url).await;
    broken.open(&Frame::Done, None).await;
    broken.closed().await;
    let newer = Peer::safe(&relay.url, &key(1)).await;
    safe.closed().await;
    let stranger = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    for garbage in [&[0xc0; 1200][..], &[0x40; 40], &[0xff; 1300]] {
        stranger.send_to(garbage, format!("127.0.0.1:{}", relay.url.port)).await.unwrap();
    }
    newer.challenge().await;

    let pid = rustix::process::Pid::from_child(&relay.child);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert!(relay.child.wait().unwrap().success());
    let log = std::fs::read_to_string(&path).unwrap();
    let (listening, others): (Vec<_>, Vec<_>) = log.lines().partition(|line| line.contains(" listening "));
    assert_eq!(listening.len(), 1, "{log}");
    let others = others.join("\n");
    let Destination::Mailbox(mailbox) = reply(&key(9)).to else { panic!() };
    let places = [inbox_of(&key(1)).0.to_hex(), inbox_of(&key(2)).0.to_hex(), mailbox.0.to_hex()];
    for name in places.into_iter().chain([asked.0.to_hex(), answered.0.to_hex(), "127.0.0.1".into()]) {
        assert!(!others.contains(&name), "{others}");
    }
    for total in ["totals", "calls=1", "away=1", "queued=2", "delivered=2", "acked=2", "misbehaved=1", "logins=2"] {
        assert!(others.contains(total), "{total}: {others}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stops_a_relay_from_starting_is_said_with_its_exit_code() {
    let place = Place::new();
    let relay = Running::start(place.folder.path());
    let elsewhere = tempfile::tempdir().unwrap();
    let address = format!("127.0.0.1:{}", relay.url.port);
    let says = |output: &Output, code: i32, part: &str| {
        assert_eq!(output.status.code(), Some(code), "{output:?}");
        let error: serde_json::Value = serde_json::from_slice(&output.stderr).unwrap();
        assert_eq!((&error["version"], &error["code"]), (&1.into(), &code.into()));
        assert!(error["error"].as_str().unwrap().contains(part), "{error}");
        assert!(output.stdout.is_empty());
    };
    says(&run(&["serve", "--json", "--listen", &address], elsewhere.path()), 5, &address);
    let same_folder = run(&["serve", "--json", "--listen", "127.0.0.1:0"], place.folder.path());
    says(&same_folder, 5, &place.folder.path().display().to_string());
    says(&run(&["status", "--json"], &elsewhere.path().join("nowhere")), 3, "nowhere");
    std::fs::write(elsewhere.path().join("relay.key"), b"not a key").unwrap();
    says(&run(&["serve", "--json", "--listen", "127.0.0.1:0"], elsewhere.path()), 6, "relay.key");
    let config = elsewhere.path().join("relay.toml");
    std::fs::write(&config, "[limits]\ncals = 1\n").unwrap();
    says(&run(&["check", "--json", "--config", config.to_str().unwrap()], elsewhere.path()), 2, "cals");
    // What serve would refuse, check refuses.
    for public in ["host name:1", "host:70000"] {
        let checked = run(&["check", "--json", "--public", public], elsewhere.path());
        assert_eq!(checked.status.code(), Some(2), "{public}");
    }
    std::fs::write(&config, "[limits]\nhandshakes = 9223372036854775807\n").unwrap();
    says(&run(&["check", "--json", "--config", config.to_str().unwrap()], elsewhere.path()), 2, "handshakes");
    says(&run(&["check", "--json", "--log", "=,="], elsewhere.path()), 2, "=,=");
    assert_eq!(run(&["serve", "--nonsense"], elsewhere.path()).status.code(), Some(2));
}
