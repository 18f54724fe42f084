//! The packets themselves: captured on the loopback, and opened with the secrets of the TLS sessions that the tap has.
//!
//! The tap hears what is said inside TLS; this shows that another program, given packets and secrets, sees the same, and
//! that the packets alone show nothing. Needs tcpdump, tshark and the right to capture.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use data_encoding::HEXLOWER;
use rohrpost_tests::samples::skip;

/// A capture that runs until it is ended.
#[derive(Debug)]
pub(crate) struct Sniffer {
    tcpdump: Child,
    file: PathBuf,
}

impl Sniffer {
    /// Captures what these ports send and receive; nothing, and a line that says so, where that is not possible.
    pub(crate) fn start(ports: [u16; 2], folder: &Path) -> Option<Self> {
        let file = folder.join("packets.pcap");
        let [tap, relay] = ports;
        let mut command = Command::new("tcpdump");
        // Room for bursts, and no change of user, who could not write here.
        command.args(["-i", "lo", "-U", "-B", "65536", "-Z", "root", "-w"]).arg(&file);
        command.arg(format!("udp port {tap} or udp port {relay}"));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let Ok(mut tcpdump) = command.spawn() else {
            skip("packets", "tcpdump is not installed");
            return None;
        };
        let said = BufReader::new(tcpdump.stderr.take().unwrap()).lines().map_while(Result::ok);
        if said.into_iter().any(|line| line.contains("listening on")) {
            return Some(Self { tcpdump, file });
        }
        skip("packets", "tcpdump may not capture here");
        tcpdump.wait().unwrap();
        None
    }

    /// Ends the capture.
    pub(crate) fn finish(mut self) -> PathBuf {
        let pid = rustix::process::Pid::from_child(&self.tcpdump);
        rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
        self.tcpdump.wait().unwrap();
        self.file.clone()
    }
}

impl Drop for Sniffer {
    fn drop(&mut self) {
        let _ended_already = self.tcpdump.kill();
        let _reaped_already = self.tcpdump.wait();
    }
}

/// What tshark reads out of the packets with the secrets: the bytes of each stream, each way.
pub(crate) fn opened(packets: &Path, secrets: &str, ports: [u16; 2]) -> Option<BTreeMap<String, Vec<u8>>> {
    let keys = packets.with_file_name("secrets");
    fs::write(&keys, secrets).unwrap();
    let mut command = Command::new("tshark");
    command.arg("-r").arg(packets).args(["-o", &format!("tls.keylog_file:{}", keys.display())]);
    for port in ports {
        command.args(["-d", &format!("udp.port=={port},quic")]);
    }
    command.args(["-Y", "quic.stream_data", "-T", "fields", "-e", "udp.srcport", "-e", "udp.dstport"]);
    command.args(["-e", "quic.stream.stream_id", "-e", "quic.stream_data"]);
    let Ok(output) = command.stdin(Stdio::null()).stderr(Stdio::null()).output() else {
        skip("packets opened with the TLS secrets", "tshark is not installed");
        return None;
    };
    assert!(output.status.success(), "tshark ended with {}", output.status);
    let mut streams: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        let fields: Vec<_> = line.split('\t').collect();
        let [from, to, ids, pieces] = fields[..] else { panic!("tshark says {line:?}") };
        // A piece without bytes only ends its stream.
        for (id, piece) in ids.split(',').zip(pieces.split(',')).filter(|(_, piece)| *piece != "<MISSING>") {
            let stream = streams.entry(format!("stream {id} from {from} to {to}")).or_default();
            stream.extend(HEXLOWER.decode(piece.replace(':', "").as_bytes()).unwrap());
        }
    }
    Some(streams)
}
