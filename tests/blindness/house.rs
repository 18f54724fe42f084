//! A relay, a tap before it, a safe and a phone as the real programs, all at their most verbose, and all they say kept.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rohrpost_e2ee::keys::SigningSecret;
use rohrpost_safe_agent::identity;
use rohrpost_safe_agent::opening;
use rohrpost_safe_agent::rows::{self, EpochKeys, PrekeyRow};
use rohrpost_safe_agent::vault::{Passphrase, Unlock};
use rohrpost_tests::process::{Running, Said, program};
use rohrpost_tests::until;
use rohrpost_wire::RelayAddress;
use serde_json::Value;
use tempfile::TempDir;

use crate::packets::Sniffer;
use crate::tap::Tap;

/// Everything, the libraries included that a relay silences by itself because they name peers.
const LOUD: &str = "trace,quinn=trace,quinn_proto=trace,quinn_udp=trace,rustls=trace";

/// All programs, their folders under one roof.
pub(crate) struct House {
    folder: TempDir,
    pub(crate) relay: Option<Running>,
    pub(crate) safe: Option<Running>,
    pub(crate) tap: Tap,
    pub(crate) sniffer: Option<Sniffer>,
    pub(crate) url: RelayAddress,
    /// Where the real relay listens.
    pub(crate) place: SocketAddr,
    pub(crate) tap_port: u16,
}

/// A safe's secret keys, as its vault gives them to whoever has the passphrase.
pub(crate) struct SafeKeys {
    pub(crate) keys: EpochKeys,
    pub(crate) prekeys: Vec<[u8; 32]>,
}

impl House {
    /// Starts a relay, makes a safe and serves it. Returns what `init` said too: the recovery sheets.
    pub(crate) async fn start(practice: &str, passphrase: &str, with_packets: bool) -> (Self, Value) {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let tap_port = socket.local_addr().unwrap().port();
        let (relay, url, place) = start_relay(folder.path(), "127.0.0.1:0", tap_port);
        fs::write(path("pass"), format!("{passphrase}\n")).unwrap();
        let safe = [path("safe"), path("pass")].map(|path| path.to_str().unwrap().to_owned());
        let place_of_safe = ["--json", "--data", &safe[0], "--passphrase-file", &safe[1]];
        let init = ["init", "--practice", practice, "--relay", &url.to_string()];
        let said = say(folder.path(), "rohrpost-safe", &[&init[..], &place_of_safe].concat());
        assert_eq!(said.code, 0, "{said:?}");

        let key_file = fs::read(path("relay/relay.key")).unwrap();
        let seed: [u8; 32] = key_file[1..33].try_into().unwrap();
        let route = vault_keys(&path("safe"), passphrase).await.keys.route;
        let sniffer = if with_packets { Sniffer::start([tap_port, place.port()], folder.path()) } else { None };
        let tap = Tap::start(socket, &seed, place, url.key_hash, SigningSecret::from_bytes(route.expose().expose()));
        let mut house = Self { folder, relay: Some(relay), safe: None, tap, sniffer, url, place, tap_port };
        house.serve_safe().await;
        (house, said.json())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    /// Serves the safe and waits until it is logged in.
    pub(crate) async fn serve_safe(&mut self) {
        let mut command = quiet("rohrpost-safe", self.folder.path());
        command.args(["serve", "--log", LOUD, "--data", &self.text("safe"), "--passphrase-file", &self.text("pass")]);
        command.stderr(log(&self.path("safe.log")));
        self.safe = Some(Running::start_with_its_log(&mut command));
        until("the safe is open", || self.path("safe/admin.sock").exists()).await;
        until("the safe is connected", || self.safe_says(&["status"]).out.contains("\"connected\":true")).await;
    }

    /// Kills the relay and starts it on the same folder and port.
    pub(crate) fn restart_relay(&mut self) {
        self.relay.take().unwrap().kill();
        let (relay, url, place) = start_relay(self.folder.path(), &self.place.to_string(), self.tap_port);
        assert_eq!((url, place), (self.url.clone(), self.place));
        self.relay = Some(relay);
    }

    pub(crate) fn safe_says(&self, arguments: &[&str]) -> Said {
        let place = ["--json", "--data", &self.text("safe"), "--passphrase-file", &self.text("pass")];
        say(self.folder.path(), "rohrpost-safe", &[arguments, &place].concat())
    }

    /// What the practice types; it must succeed.
    pub(crate) fn safe(&self, arguments: &[&str]) -> Value {
        let said = self.safe_says(arguments);
        assert_eq!(said.code, 0, "{arguments:?}: {said:?}");
        said.json()
    }

    /// What the patient types.
    pub(crate) fn patient_says(&self, arguments: &[&str]) -> Said {
        say(self.folder.path(), "rohrpost", &[arguments, &["--json", "--home", &self.text("home")]].concat())
    }

    /// What the patient types, prepared to run beside the test.
    pub(crate) fn patient_command(&self, arguments: &[&str]) -> Command {
        let mut command = quiet("rohrpost", self.folder.path());
        command.args(arguments).args(["--json", "--home", &self.text("home")]);
        command
    }

    pub(crate) fn pid_of_relay(&self) -> u32 {
        self.relay.as_ref().unwrap().pid()
    }

    pub(crate) fn pid_of_safe(&self) -> u32 {
        self.safe.as_ref().unwrap().pid()
    }
}

/// Reads the secret keys out of a vault that nobody serves.
pub(crate) async fn vault_keys(data: &Path, passphrase: &str) -> SafeKeys {
    let vault = opening::open(data, &Unlock::Passphrase(&Passphrase::new(passphrase.to_owned()))).unwrap();
    let handle = vault.keeper.handle();
    let read = handle.transact(|draft| {
        let keys = identity::load(draft)?.1.keys();
        let page: rows::Page<PrekeyRow> = rows::page(draft, &[], None, 100)?;
        Ok::<_, rohrpost_safe_agent::vault::StoreError>(SafeKeys {
            keys,
            prekeys: page.rows.iter().map(|row| *row.secret().expose()).collect(),
        })
    });
    let keys = read.await.unwrap().unwrap();
    drop(handle);
    vault.keeper.shutdown().await;
    keys
}

fn start_relay(folder: &Path, listen: &str, tap_port: u16) -> (Running, RelayAddress, SocketAddr) {
    let mut command = quiet("rohrpost-relay", folder);
    let public = format!("127.0.0.1:{tap_port}");
    command.args(["serve", "--log", LOUD, "--listen", listen, "--public", &public, "--data"]);
    command.arg(folder.join("relay")).stderr(log(&folder.join("relay.log")));
    let (relay, greeting) = Running::start_logged(&mut command);
    let url = greeting.strip_prefix("relay: ").expect("a relay says its address").parse().unwrap();
    let said = fs::read_to_string(folder.join("relay.log")).unwrap();
    let place = said.lines().rev().find_map(|line| line.split_once("listening listen=")).expect("it listens").1;
    (relay, url, place.trim().parse().unwrap())
}

/// A program whose environment asks for everything that could make it talk.
fn quiet(name: &str, folder: &Path) -> Command {
    let mut command = Command::new(program(name));
    command.env("RUST_LOG", "trace").env("RUST_BACKTRACE", "full").env("SSLKEYLOGFILE", folder.join("sslkeys"));
    command.stdin(Stdio::null());
    command
}

/// Runs a command to its end and keeps what it said.
fn say(folder: &Path, name: &str, arguments: &[&str]) -> Said {
    let output = quiet(name, folder).args(arguments).output().unwrap();
    let mut kept = log(&folder.join("said"));
    kept.write_all(&[output.stdout.as_slice(), &output.stderr].concat()).unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let code = output.status.code().expect("not ended by a signal");
    Said { code, out: text(output.stdout), err: text(output.stderr) }
}

fn log(path: &Path) -> File {
    OpenOptions::new().create(true).append(true).open(path).unwrap()
}
