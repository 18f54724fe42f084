//! What people paste and type: links, PINs, addresses, settings.

use data_encoding::BASE64URL_NOPAD;
use rohrpost_e2ee::body::Pin;
use rohrpost_e2ee::keys::SigningSecret;
use rohrpost_patient::enrol;
use rohrpost_relay::config::{FileConfig, PublicPlace};
use rohrpost_safe_agent::office::{Reply, Request};
use rohrpost_safe_agent::sheet;
use rohrpost_wire::{RelayAddress, address, limits};

use super::samples;
use crate::hostile;
use crate::input::Input;
use crate::memory::bounded;
use crate::target::Verdict;

const APP: &str = "https://app.example/";

/// A link has one form, and says nothing that a client could not use. Behind a 1 the bytes are taken for what stands in
/// the link, with the sum that fits: a sum stops mistakes and nobody who means it.
pub(super) fn link(bytes: &[u8]) -> Verdict {
    let (mode, rest) = bytes.split_first().unwrap_or((&0, &[]));
    let text = if mode % 2 == 1 { with_sum(rest) } else { String::from_utf8_lossy(rest).into_owned() };
    let Ok(link) = bounded(text.len(), || enrol::parse_link(&text)) else { return Verdict::Refused };
    let again = link.to_url(APP);
    let (_, fragment) = again.rsplit_once('#').unwrap();
    let given = text.trim();
    assert_eq!(given.rsplit_once('#').map_or(given, |(_, given)| given), fragment, "a link has two forms");
    assert!(link.relay.is_well_formed(), "a link names a relay that cannot be");
    assert!((1..=limits::ROOT_STATEMENTS).contains(&usize::from(link.chain.length)), "a chain that cannot be");
    Verdict::Taken
}

fn with_sum(body: &[u8]) -> String {
    let sum = &address::hash(b"rohrpost/1 link-check", &[body])[..4];
    format!("{APP}#{}", BASE64URL_NOPAD.encode(&[sum, body].concat()))
}

pub(super) fn link_seeds() -> Vec<Vec<u8>> {
    let url = samples::link().to_url(APP);
    let fragment = url.rsplit_once('#').unwrap().1;
    let body = BASE64URL_NOPAD.decode(fragment.as_bytes()).unwrap().split_off(4);
    vec![
        [b"\0", url.as_bytes()].concat(),
        [b"\0 ", fragment.as_bytes(), b"\n"].concat(),
        [b"\x01", &body[..]].concat(),
        [b"\x01\x09", &body[1..]].concat(),
    ]
}

/// Six ASCII digits, however they are spaced, and nothing else.
pub(super) fn pin(bytes: &[u8]) -> Verdict {
    let text = String::from_utf8_lossy(bytes);
    let digits: Vec<u8> = text.bytes().filter(|byte| !b" -\r\n".contains(byte)).collect();
    let expected = digits.len() == 6 && digits.iter().all(u8::is_ascii_digit);
    let parsed = bounded(text.len(), || Pin::parse(&text));
    assert_eq!(parsed.is_some(), expected, "{text:?}");
    if let Some(pin) = &parsed {
        assert_eq!(pin.expose()[..], digits[..]);
        assert_eq!(format!("{pin:?}"), "Pin");
    }
    Verdict::taken(parsed.is_some())
}

pub(super) fn pin_seeds() -> Vec<Vec<u8>> {
    let texts = ["012345", "012 345\n", "0-1-2-3-4-5", "12345", "1234567", "\u{661}\u{662}\u{663}456", "12345\u{ff16}"];
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}

/// A sheet has one meaning, however it was typed; behind a 1 the bytes are a key, and the sum is the one that fits.
pub(super) fn sheet(bytes: &[u8]) -> Verdict {
    let (mode, rest) = bytes.split_first().unwrap_or((&0, &[]));
    let text = match rest.first_chunk::<32>() {
        Some(key) if mode % 2 == 1 => sheet::write(mode >> 1 & 7, &SigningSecret::from_bytes(key)).to_string(),
        _ => String::from_utf8_lossy(rest).into_owned(),
    };
    let letters: String = text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect();
    let Some(secret) = bounded(text.len(), || sheet::read(&text)) else {
        assert!(mode % 2 == 0 || rest.len() < 32, "a sheet does not read back");
        return Verdict::Refused;
    };
    let number = letters.as_bytes()[2] - b'0';
    let again = sheet::write(number, &SigningSecret::from_bytes(secret.expose()));
    if number < 10 {
        assert_eq!(again.replace('-', ""), letters, "a sheet has two forms");
    }
    Verdict::Taken
}

pub(super) fn sheet_seeds() -> Vec<Vec<u8>> {
    let text = sheet::write(1, &SigningSecret::from_bytes(&[7; 32]));
    let spaced = text.replace('-', " ").to_lowercase();
    vec![
        [b"\0", text.as_bytes()].concat(),
        [b"\0", spaced.as_bytes()].concat(),
        [&[3][..], &[9; 32]].concat(),
        b"\0RP".to_vec(),
    ]
}

/// What reads as an address is one that can be written, shown and read again.
pub(super) fn relay_address(bytes: &[u8]) -> Verdict {
    let text = String::from_utf8_lossy(bytes);
    // Neither takes more than a text is long, and neither panics.
    let place = bounded(text.len(), || text.parse::<PublicPlace>());
    let parsed = bounded(text.len(), || text.parse::<RelayAddress>());
    let Ok(address) = parsed else { return Verdict::taken(place.is_ok()) };
    assert!(address.is_well_formed() && address.host.len() <= limits::HOST_BYTES);
    let shown = address.to_string();
    assert!(!shown.contains(|c: char| c.is_control() || c.is_whitespace()), "{shown:?}");
    assert_eq!(shown.parse(), Ok(address), "an address does not read back");
    Verdict::Taken
}

pub(super) fn relay_address_seeds() -> Vec<Vec<u8>> {
    let address = samples::relay().to_string();
    let ip = address.replace("relay.example", "[::1]");
    let two = address.replace("relay.example", "a@b/c");
    [address, ip, two, "relay.example:4433".into(), "[::1]:4433".into()].map(String::into_bytes).to_vec()
}

/// Settings are read or refused, and a key that does not exist is refused wherever it stands.
pub(super) fn relay_config(bytes: &[u8]) -> Verdict {
    let text = String::from_utf8_lossy(bytes);
    let Ok(config) = toml::from_str::<FileConfig>(&text) else { return Verdict::Refused };
    for unknown in ["unknown_key = 1\n", "[unknown_table]\n"] {
        let extended = format!("{unknown}{text}");
        let table = unknown.starts_with('[');
        // In front of other keys a table would take them in; it is unknown either way.
        assert!(toml::from_str::<FileConfig>(&extended).is_err(), "an unknown key is taken, table: {table}");
    }
    // Whatever the numbers: a limit that cannot be used is named, and nothing is computed with it before.
    let usable = config.limits.unusable().is_none();
    assert!(!usable || config.limits.connections > 0);
    Verdict::Taken
}

pub(super) fn relay_config_seeds() -> Vec<Vec<u8>> {
    let example = include_str!("../../../../relay/relay.example.toml");
    let extreme = "[limits]\ncalls = 0\ninbox_bytes = 18446744073709551615\nstreams_per_connection = 4294967295\n";
    ["", example, extreme, "listen = '[::1]:1'\n", "public = 'h:1'\nlog = 'debug'\n"].map(Into::into).to_vec()
}

/// What travels over the owner's local socket is read as what it says, or refused.
pub(super) fn desk(bytes: &[u8]) -> Verdict {
    let request = bounded(bytes.len() + 1024, || serde_json::from_slice::<Request>(bytes));
    let reply = bounded(bytes.len() + 1024, || serde_json::from_slice::<Reply>(bytes));
    if let Ok(request) = &request {
        let text = serde_json::to_string(request).unwrap();
        let again: Request = serde_json::from_str(&text).unwrap();
        assert_eq!(serde_json::to_string(&again).unwrap(), text, "a request does not read back");
        assert_eq!(format!("{request:?}"), "Request");
    }
    if let Ok(reply) = &reply {
        let text = serde_json::to_string(reply).unwrap();
        let again: Reply = serde_json::from_str(&text).unwrap();
        assert_eq!(serde_json::to_string(&again).unwrap(), text, "a reply does not read back");
        assert_eq!(format!("{reply:?}"), "Reply");
    }
    Verdict::taken(request.is_ok() || reply.is_ok())
}

pub(super) fn desk_seeds() -> Vec<Vec<u8>> {
    let add = Request::PatientAdd { name: hostile::TEXTS[35].into(), birth_date: None, number: Some("1".into()) };
    let log = Request::Log { patient: None, from: u64::MAX };
    let share = Request::Share { patient: "5f".into(), document: "91".into(), until: Some(samples::NOW) };
    let devices = Reply::Devices { devices: vec![], damaged_rows: 1 };
    let mut seeds: Vec<Vec<u8>> = [add, log, share].iter().map(|r| serde_json::to_vec(r).unwrap()).collect();
    seeds.push(serde_json::to_vec(&devices).unwrap());
    // Depth is the one way in which JSON costs more than its length.
    seeds.push("[".repeat(500).into_bytes());
    seeds.push(br#"{"command":"status"}"#.to_vec());
    let mut input = Input::new(b"\x01");
    seeds.push(format!(r#"{{"command":"clock","accept":{}}}"#, input.byte() == 1).into_bytes());
    seeds
}
