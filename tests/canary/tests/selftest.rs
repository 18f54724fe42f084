//! The scanner itself: finds every canary in every encoding wherever it begins, and nothing in noise.
//!
//! The encoders here are others than the scanner's own: a form that it has wrong is missed.

use std::io::Write as _;

use data_encoding::{BASE32, BASE64, BASE64URL_NOPAD, HEXLOWER, HEXUPPER};
use miniz_oxide::deflate::{compress_to_vec, compress_to_vec_zlib};
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};
use rohrpost_canary::{Canary, Scanner};
use rohrpost_figures::Figures;

const SEED: u64 = 0x5ca2;
/// Before and behind a canary stands noise of so many bytes, so that it begins at every place of a group and a word.
const ALIGNMENTS: usize = 9;
const NOISE: usize = 24 << 20;

const NAME: &str = "Žofie Ünal-Qvz37 Öxmeñ";
const TITLE: &str = "Befund zhw4w9-kkq Schilddrüse";
const NUMBER: &str = "X482 900 771";
const PIN: &str = "482913";
const KEY: [u8; 32] = *b"\x01\x93\xfe\x07kq\xc1\x00\xf3\x9a\x11mW\x8d\xaa\x5e\x2f\x90\xc8\x33\x04\xbe\x71\xd9\x66\x1b\xe5\x42\xa7\x0c\x99\x3d";

fn canaries() -> [Canary; 5] {
    [
        Canary::text("name", NAME),
        Canary::text("title", TITLE),
        Canary::text("number", NUMBER),
        Canary::number("PIN", PIN),
        Canary::bytes("key", KEY),
    ]
}

/// What has no form of its own but is reached by unpacking, or by taking two of these one after the other.
type Encoder = fn(&[u8]) -> Vec<u8>;

const ENCODERS: [(&str, Encoder); 22] = [
    ("plain", <[u8]>::to_vec),
    ("hex", |bytes| HEXLOWER.encode(bytes).into()),
    ("HEX", |bytes| HEXUPPER.encode(bytes).into()),
    ("hex with colons", |bytes| joined(bytes, ":", |byte| format!("{byte:02x}"))),
    ("base64", |bytes| BASE64.encode(bytes).into()),
    ("base64url", |bytes| BASE64URL_NOPAD.encode(bytes).into()),
    ("base32", |bytes| BASE32.encode(bytes).into()),
    ("Debug", |bytes| format!("{bytes:?}").into()),
    ("pretty Debug", |bytes| format!("{bytes:#?}").into()),
    ("byte string", |bytes| format!("{}", bytes.escape_ascii()).into()),
    ("whole url", |bytes| joined(bytes, "", |byte| format!("%{byte:02X}"))),
    ("deflate in zlib", |bytes| compress_to_vec_zlib(bytes, 6)),
    ("stored in zlib", |bytes| compress_to_vec_zlib(bytes, 0)),
    ("gzip", gzip),
    ("gzip with a name", gzip_with_name),
    ("base64 of base64", |bytes| BASE64.encode(BASE64.encode(bytes).as_bytes()).into()),
    ("base64 of gzip", |bytes| BASE64.encode(&gzip(bytes)).into()),
    ("gzip of base64", |bytes| gzip(BASE64.encode(bytes).as_bytes())),
    ("hex of base64", |bytes| HEXLOWER.encode(BASE64.encode(bytes).as_bytes()).into()),
    ("gzip of gzip", |bytes| gzip(&gzip(bytes))),
    ("base64 in lines", base64_in_lines),
    ("reversed", |bytes| bytes.iter().rev().copied().collect()),
];

fn joined(bytes: &[u8], between: &str, show: impl Fn(&u8) -> String) -> Vec<u8> {
    bytes.iter().map(show).collect::<Vec<_>>().join(between).into_bytes()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    [&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255][..], &compress_to_vec(bytes, 6), &[0; 8]].concat()
}

fn gzip_with_name(bytes: &[u8]) -> Vec<u8> {
    [&[0x1f, 0x8b, 8, 8, 0, 0, 0, 0, 0, 255][..], b"finding.pdf\0", &compress_to_vec(bytes, 9), &[0; 8]].concat()
}

fn base64_in_lines(bytes: &[u8]) -> Vec<u8> {
    BASE64.encode(&[b"Content: ", bytes].concat()).as_bytes().chunks(20).collect::<Vec<_>>().join(&b"\r\n"[..])
}

/// How a text may be written before it is encoded.
fn spellings(text: &str) -> Vec<(&'static str, Vec<u8>)> {
    let apart = "Z\u{30c}ofie U\u{308}nal-Qvz37 O\u{308}xmen\u{303}";
    let mut all = vec![
        ("as it is", text.as_bytes().to_vec()),
        ("lower case", text.to_lowercase().into_bytes()),
        ("upper case", text.to_uppercase().into_bytes()),
        ("utf-16le", text.encode_utf16().flat_map(u16::to_le_bytes).collect()),
        ("utf-16be", text.encode_utf16().flat_map(u16::to_be_bytes).collect()),
        ("utf-32le", text.chars().flat_map(|letter| u32::from(letter).to_le_bytes()).collect()),
        ("latin-1", text.chars().filter_map(|letter| u8::try_from(letter).ok()).collect()),
    ];
    if text == NAME {
        all.push(("accents apart", apart.as_bytes().to_vec()));
        all.pop_if(|(name, _)| *name == "latin-1");
    }
    all.retain(|(name, _)| *name != "latin-1" || text.chars().all(|letter| u8::try_from(letter).is_ok()));
    all
}

fn noise(rng: &mut ChaCha20Rng, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    rng.fill_bytes(&mut bytes);
    bytes
}

/// Counts what was looked for and what was not found.
struct Tally<'a> {
    scanner: &'a Scanner,
    rng: ChaCha20Rng,
    cases: u64,
    missed: Vec<String>,
}

impl Tally<'_> {
    /// Encodes a secret together with what stands around it, at each place, and looks for it.
    fn look(&mut self, label: &str, what: &str, secret: &[u8], encode: impl Fn(&[u8]) -> Vec<u8>) {
        for before in 0..ALIGNMENTS {
            // Letters would be taken for digits of a longer number.
            let around = |count: usize| b"(;:\"=|!<.".iter().take(count).copied().collect::<Vec<_>>();
            let inside = encode(&[around(before), secret.to_vec(), around(ALIGNMENTS - before)].concat());
            let (front, back) = (noise(&mut self.rng, 700 + before), noise(&mut self.rng, 900));
            let found = self.scanner.bytes("case", &[front, b"\n".to_vec(), inside, b"\n".to_vec(), back].concat());
            self.cases += 1;
            if found.count(label) == 0 {
                self.missed.push(format!("{label}, {what}, at {before}"));
            }
        }
    }
}

#[test]
fn every_canary_is_found_in_every_encoding_wherever_it_begins() {
    let scanner = Scanner::new(&canaries());
    let mut tally = Tally { scanner: &scanner, rng: ChaCha20Rng::seed_from_u64(SEED), cases: 0, missed: Vec::new() };
    for (name, encode) in ENCODERS {
        for (label, secret) in [("name", NAME), ("title", TITLE), ("number", NUMBER)] {
            tally.look(label, name, secret.as_bytes(), encode);
        }
        tally.look("key", name, &KEY, encode);
        if name != "reversed" {
            tally.look("PIN", name, PIN.as_bytes(), encode);
        }
    }
    for (label, text) in [("name", NAME), ("title", TITLE), ("number", NUMBER)] {
        for (spelling, bytes) in spellings(text) {
            for (name, encode) in [ENCODERS[0], ENCODERS[1], ENCODERS[4], ENCODERS[13]] {
                tally.look(label, &format!("{spelling}, {name}"), &bytes, encode);
            }
        }
    }
    assert!(tally.missed.is_empty(), "missed {} of {}: {:#?}", tally.missed.len(), tally.cases, tally.missed);

    let mut rng = ChaCha20Rng::seed_from_u64(SEED + 1);
    let mut random = scanner.bytes("random bytes", &noise(&mut rng, NOISE));
    let text = BASE64.encode(&noise(&mut rng, NOISE / 8));
    random.join(scanner.bytes("random text", text.as_bytes()));
    assert_eq!(random.total(), 0, "{random}");
    Figures::of("blindness.scanner")
        .seed(SEED)
        .count("forms of five canaries", scanner.forms() as u64)
        .count("encodings × places × canaries tried", tally.cases)
        .none("missed")
        .count("random bytes", random.bytes())
        .count("found in them", random.total())
        .publish();
}

#[test]
fn a_hash_of_a_number_that_can_be_guessed_is_found() {
    let scanner = Scanner::new(&canaries());
    // Worked out with coreutils, not with the library under the scanner: sha256sum, sha1sum, md5sum of "X482 900 771",
    // of "482913", and of the number without its spaces in small letters.
    for (label, hash) in [
        ("number", "ee2c3071581cca329b4f79c028769dbfd6f52d7ae7b705e5e9473a440190f516"),
        ("number", "68910b0eedf8cf2b134cd2841d158f480572630c"),
        ("number", "960b85bd7b0efa15bcd4b7942860c250"),
        ("PIN", "4a8eec4925826f4b60526d7ac3c0a9b61ef54ac19233bafce2f4a13eb49395d2"),
        ("number", "06dfa90043b443e4826d5d6c1b42be5d470be880f2b5cf8c591dff9832e7cd30"),
    ] {
        let raw = HEXLOWER.decode(hash.as_bytes()).unwrap();
        for shown in [hash.as_bytes().to_vec(), raw[..16].to_vec(), BASE64.encode(&raw).into_bytes(), raw] {
            let found = scanner.bytes("case", &[b"id=".to_vec(), shown, b"\n".to_vec()].concat());
            assert!(found.count(label) > 0, "{label} {hash}");
        }
    }
}

#[test]
fn half_of_a_canary_on_either_side_of_a_boundary_is_found() {
    let scanner = Scanner::new(&canaries());
    for cut in 0..=NAME.len() {
        let (front, back) = NAME.as_bytes().split_at(cut);
        let found = scanner.bytes("case", &[front, &[0; 4096], back].concat());
        assert!(found.count("name") > 0, "cut at {cut}");
    }
}

#[test]
fn a_stream_of_any_length_is_searched_like_bytes_at_hand() {
    let scanner = Scanner::new(&canaries());
    let mut rng = ChaCha20Rng::seed_from_u64(SEED + 2);
    let mut bytes = noise(&mut rng, 5 << 20);
    // Around the ends of windows, and within what a window sees of the next.
    let places = [0, (1 << 20) - 13, (1 << 20) - 1, 1 << 20, (1 << 20) + (1 << 16) - 5, (3 << 20) - 20];
    for (number, place) in places.into_iter().enumerate() {
        let hidden = if number % 2 == 0 { NAME.as_bytes().to_vec() } else { gzip(NAME.as_bytes()) };
        bytes.splice(place + 40 * number..place + 40 * number + hidden.len(), hidden);
    }
    bytes.write_all(PIN.as_bytes()).unwrap();
    let at_hand = scanner.bytes("case", &bytes);
    let streamed = scanner.stream("case", &bytes[..]).unwrap();
    assert_eq!(at_hand.hits(), streamed.hits());
    assert_eq!((at_hand.bytes(), streamed.bytes()), (bytes.len() as u64, bytes.len() as u64));
    assert_eq!((at_hand.count("name"), at_hand.count("PIN")), (2 * places.len() as u64, 1), "{at_hand}");
}

#[test]
fn six_digits_inside_a_longer_number_are_no_pin() {
    let scanner = Scanner::new(&canaries());
    let found = |text: &str| scanner.bytes("case", text.as_bytes()).count("PIN");
    assert_eq!(found("12:00:00.482913Z id=34829135 at=x482913 0.4829130"), 0);
    assert_eq!(found("pin=482913, again 482913"), 2);
}
