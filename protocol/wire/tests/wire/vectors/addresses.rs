//! Names that are hashes of keys, and relay URLs.

use rohrpost_wire::fixed::Fixed;
use rohrpost_wire::records::next_root_hash;
use rohrpost_wire::{InboxId, MailboxId, RelayAddress, RelayKeyHash, SafePin};

use super::harness::{Case, Fields, File, Outcome, Read as _, Vectors, fields, hex};

pub(super) const VECTORS: Vectors = Vectors { name: "addresses.json", write, check };
pub(super) const RELAY_URLS: Vectors = Vectors { name: "relay-urls.json", write: write_urls, check: check_url };

fn write() -> File {
    let case = |name: &str, kind: &str| Case::accept(name, "").with("kind", kind);
    File::new("names derived from bytes", "section 3", "accept: the name of these bytes, for this kind. reject: no key")
        .common("bytes", hex(&[7; 32]))
        .case(case("an inbox of a route key", "inbox"))
        .case(case("a mailbox of the same key", "mailbox"))
        .case(case("a relay key hash of the same key", "relay-key"))
        .case(case("a commitment to the same key", "next-root"))
        .case(case("a pin of 66 bytes", "safe-pin").with("bytes", hex(&[7; 66])))
        .case(Case::reject("an inbox of 31 bytes", "").with("kind", "inbox").with("bytes", hex(&[7; 31])))
}

fn check(input: &Fields) -> Outcome {
    let bytes = input.bytes("bytes");
    let key = || <&[u8; 32]>::try_from(bytes.as_slice()).map_err(|_| "");
    let name = match input.text("kind").as_str() {
        "inbox" => InboxId::of_route_key(key()?).0.0.to_vec(),
        "mailbox" => MailboxId::of_key(key()?).0.0.to_vec(),
        "relay-key" => RelayKeyHash::of_key(key()?).0.0.to_vec(),
        "next-root" => next_root_hash(key()?).0.to_vec(),
        "safe-pin" => SafePin::of_statement(&bytes).0.0.to_vec(),
        other => panic!("no kind {other}"),
    };
    Ok(fields([("name", hex(&name))]))
}

fn write_urls() -> File {
    let hash = Fixed([0xab; 32]).to_hex();
    let text = |host: &str, port: &str| format!("rohrpost-relay://{host}:{port}#{hash}");
    let yes = |name: &str, text: String| Case::accept(name, "").with("text", text);
    let no = |name: &str, text: String| Case::reject(name, "").with("text", text);
    File::new(
        "relay URLs: rohrpost-relay://HOST:PORT#KEYHASH",
        "section 3",
        "accept: host, port, key hash and the text as it is written. reject: not a relay URL",
    )
    .case(yes("a name", text("relay.example", "4433")))
    .case(yes("an IPv4 address", text("192.0.2.7", "443")))
    .case(yes("an IPv6 address", text("[2001:db8::1]", "4433")))
    .case(yes("white space around it", format!(" {}\n", text("relay.example", "4433"))))
    .case(yes("a hash in capitals", text("relay.example", "4433").replace(&hash, &hash.to_uppercase())))
    .case(yes("a host of 255 characters", text(&"a".repeat(255), "1")))
    .case(no("a host of 256 characters", text(&"a".repeat(256), "1")))
    .case(no("another scheme", text("relay.example", "4433").replace("rohrpost-relay", "https")))
    .case(no("no port", text("relay.example", "4433").replace(":4433", "")))
    .case(no("an empty port", text("relay.example", "")))
    .case(no("a port beyond 65535", text("relay.example", "65536")))
    .case(no("a negative port", text("relay.example", "-1")))
    .case(no("no host", text("", "4433")))
    .case(no("a host with a space", text("relay example", "4433")))
    .case(no("a host with a slash", text("relay.example/x", "4433")))
    .case(no("a host with a user", text("me@relay.example", "4433")))
    .case(no("a host with a letter beyond ASCII", text("r\u{e9}lais.example", "4433")))
    .case(no("half a bracket", text("[::1", "4433")))
    .case(no("no hash", "rohrpost-relay://relay.example:4433".into()))
    .case(no("a hash cut by one digit", text("relay.example", "4433").strip_suffix('b').unwrap().into()))
    .case(no("a hash that is not hexadecimal", text("relay.example", "4433").replace("ab", "xy")))
}

fn check_url(input: &Fields) -> Outcome {
    let address: RelayAddress = input.text("text").parse().map_err(|_| "")?;
    Ok(fields([
        ("host", address.host.clone().into()),
        ("port", address.port.into()),
        ("key_hash", hex(&address.key_hash.0.0)),
        ("written", address.to_string().into()),
    ]))
}
