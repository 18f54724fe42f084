//! What passes on the wire: inside the relay's TLS on both legs of every connection, and as packets.

use rohrpost_canary::{Canary, Findings, Scanner};
use rohrpost_figures::Figures;

use crate::packets;
use crate::story::{self, Told};
use crate::tap::Said;

#[tokio::test(flavor = "multi_thread")]
async fn what_passes_inside_the_relays_tls_shows_nothing() {
    let mut told = story::tell_with_packets().await;
    let scanner = Scanner::new(&told.canaries);
    let known = Scanner::new(&[Canary::bytes("inbox", &told.inbox[..])]);
    let said = told.house.tap.said();
    let found = search(&scanner, &said);
    assert_eq!(found.total(), 0, "inside TLS: {found}");
    let control = search(&known, &said);
    assert!(control.count("inbox") > 4, "the tap hears what is said: {control}");

    let (packets, opened) = search_packets(&mut told, &scanner, &known);
    let connections = said.iter().map(|said| said.connection).max().unwrap();
    Figures::of("blindness.wire")
        .seed(told.secrets.seed)
        .count("connections", connections as u64)
        .count("streams, both ways", said.len() as u64)
        .count("bytes inside TLS", found.bytes())
        .none("found in them")
        .count("bytes of packets", packets.bytes())
        .count("bytes that tshark opened in them", opened.bytes())
        .none("found in either")
        .publish();
}

fn search(scanner: &Scanner, said: &[Said]) -> Findings {
    let mut findings = Findings::default();
    for Said { connection, stream, by_relay, bytes, .. } in said {
        let who = if *by_relay { "relay" } else { "client" };
        findings.join(scanner.bytes(&format!("stream {stream} of connection {connection}, the {who}'s"), bytes));
    }
    findings
}

/// Of the packets as they were, and of what is in them.
fn search_packets(told: &mut Told, scanner: &Scanner, known: &Scanner) -> (Findings, Findings) {
    let Some(sniffer) = told.house.sniffer.take() else { return Default::default() };
    let file = sniffer.finish();
    let packets = scanner.file(&file).unwrap();
    assert_eq!(packets.total(), 0, "packets: {packets}");
    assert_eq!(known.file(&file).unwrap().total(), 0, "whom somebody calls is inside TLS");
    let ports = [told.house.tap_port, told.house.place.port()];
    let mut opened = Findings::default();
    let mut control = Findings::default();
    for (stream, bytes) in packets::opened(&file, &told.house.tap.tls_secrets(), ports).into_iter().flatten() {
        opened.join(scanner.bytes(&stream, &bytes));
        control.join(known.bytes(&stream, &bytes));
    }
    assert_eq!(opened.total(), 0, "packets opened with the TLS secrets: {opened}");
    assert!(opened.bytes() == 0 || control.count("inbox") > 4, "the packets were opened: {control}");
    (packets, opened)
}
