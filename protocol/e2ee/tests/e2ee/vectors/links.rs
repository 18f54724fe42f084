//! Enrolment links: what they carry, what is derived from their secret, and what is no link.

use data_encoding::BASE64URL_NOPAD;
use rohrpost_e2ee::Link;
use rohrpost_e2ee::link::{LinkError, LinkSecret};
use rohrpost_wire::address::hash;
use rohrpost_wire::fixed::Fixed;
use rohrpost_wire::records::{RootChain, StatementHash};
use rohrpost_wire::{InboxId, RelayAddress, RelayKeyHash, SafePin, TicketId, Timestamp};

use super::harness::{Case, Fields, File, Outcome, Read as _, Vectors, digits, fields, hex, hex_if_any};
use super::reference::bytes;

pub(super) const VECTORS: Vectors = Vectors { name: "links.json", write, check };

const APP: &str = "https://app.example/";

fn link(host: &str, ticket: Option<TicketId>) -> Link {
    Link {
        expires: Timestamp(1_801_209_600),
        pin: SafePin(Fixed([0x51; 32])),
        epoch: 300,
        inbox: InboxId(Fixed([0x52; 16])),
        secret: LinkSecret::from_bytes(bytes(50)),
        ticket,
        relay: RelayAddress { host: host.into(), port: 4433, key_hash: RelayKeyHash(Fixed([0x53; 32])) },
        chain: RootChain { length: 2, newest: StatementHash(Fixed([0x55; 32])) },
    }
}

/// The body behind the four check bytes.
fn body(link: &Link) -> Vec<u8> {
    let url = link.to_url(APP);
    BASE64URL_NOPAD.decode(url.split_once('#').unwrap().1.as_bytes()).unwrap()[4..].to_vec()
}

/// A URL around a body, its check bytes right.
fn url(body: &[u8]) -> String {
    let check = hash(b"rohrpost/1 link-check", &[body]);
    format!("{APP}#{}", BASE64URL_NOPAD.encode(&[&check[..4], body].concat()))
}

fn write() -> File {
    let good = link("relay.example", None).to_url(APP).to_string();
    let fragment = good.split_once('#').unwrap().1;
    let yes = |name: &str, text: &str| Case::accept(name, "").with("text", text);
    let file = File::new(
        "enrolment links",
        "section 11",
        "accept: what the link carries, its body, and the link id and MAC key of its secret. reject: damaged, or of an \
         unknown version",
    )
    .case(yes("a link", &good))
    .case(yes("with a ticket", &link("relay.example", Some(TicketId(Fixed([0x54; 16])))).to_url(APP)))
    .case(yes("to an IPv6 address", &link("2001:db8::1", None).to_url(APP)))
    .case(yes("its fragment alone", fragment))
    .case(yes("under another app", &format!("https://other.example/path?query#{fragment}")))
    .case(yes("with white space around it", &format!(" {good}\n")));
    damaged(file, &good)
}

fn damaged(file: File, good: &str) -> File {
    let no = |name: &str, comment: &str, text: String| Case::refuse(name, comment, "damaged").with("text", text);
    let sound = body(&link("relay.example", None));
    let rightly = "its check bytes are right";
    let mut overlong = sound.clone();
    // The epoch, 300, stands behind version, expiry (5 bytes here) and pin, in two bytes; here in three.
    overlong.splice(38..40, [0xac, 0x82, 0x00]);
    let mut other = sound.clone();
    other[0] = 2;
    // The length of the chain stands before a hash of 32 bytes, at the end.
    let chain = |length: u8| [&sound[..sound.len() - 33], &[length], &sound[sound.len() - 32..]].concat();
    let at = APP.len() + 21;
    let changed = format!("{}{}{}", &good[..at], if &good[at..=at] == "A" { "B" } else { "A" }, &good[at + 1..]);
    let mut last = good.to_owned();
    last.pop();
    file.case(no("cut by a character", "", last))
        .case(no("cut to half", "", good[..good.len() / 2].into()))
        .case(no("a character changed", "", changed))
        .case(no("with padding", "base64url without padding", format!("{good}=")))
        .case(no("in the other alphabet", "", format!("{APP}#++//")))
        .case(no("empty", "", String::new()))
        .case(no("three bytes", "shorter than the check", format!("{APP}#AAAA")))
        .case(no("longer than 2048 characters", "", format!("{APP}#{}", "A".repeat(2049))))
        .case(no("with a byte behind it", rightly, url(&[&sound[..], &[0]].concat())))
        .case(no("with its last byte missing", rightly, url(&sound[..sound.len() - 1])))
        .case(no("with an overlong epoch", rightly, url(&overlong)))
        .case(no("to a host with a space", rightly, url(&body(&link("relay example", None)))))
        .case(no("with a root chain of no statement", rightly, url(&chain(0))))
        .case(no("with a root chain longer than may be", rightly, url(&chain(17))))
        .case(no("to no host", rightly, url(&body(&link("", None)))))
        .case(Case::refuse("of version 2", rightly, "unsupported").with("text", url(&other)))
        .case(Case::refuse("of no version", rightly, "unsupported").with("text", url(&[])))
}

fn check(input: &Fields) -> Outcome {
    let link = Link::parse(&input.text("text")).map_err(|error| match error {
        LinkError::Damaged => "damaged",
        LinkError::Unsupported => "unsupported",
    })?;
    assert_eq!(*url(&body(&link)), **link.to_url(APP));
    Ok(fields([
        ("expires", digits(link.expires.0)),
        ("pin", hex(&link.pin.0.0)),
        ("epoch", link.epoch.into()),
        ("inbox", hex(&link.inbox.0.0)),
        ("roots", link.chain.length.into()),
        ("last_root", hex(&link.chain.newest.0.0)),
        ("ticket", hex_if_any(link.ticket.as_ref().map(|ticket| ticket.0.as_ref()))),
        ("relay", link.relay.to_string().into()),
        ("body", hex(&body(&link))),
        ("link_id", hex(&link.secret.id().0.0)),
        ("mac_key", hex(link.secret.mac_key().expose())),
    ]))
}
