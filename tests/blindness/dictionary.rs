//! A relay that has stolen the link too, and a dictionary of all PINs there are.
//!
//! It heard the whole enrolment inside TLS and has the link's secret; every PIN is tried in every form in which a PIN could
//! have been made comparable: hashed, alone or with what the thief knows, or as a key over it. And seen from within: of two
//! enrolments that differ in their PINs alone, made with the same randomness, nothing differs but what is under the seal.

use std::collections::{BTreeSet, HashSet};
use std::ops::Range;

use data_encoding::BASE64URL_NOPAD;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use ring::{digest, hmac};
use rohrpost_client::{Visit, random};
use rohrpost_e2ee::Link;
use rohrpost_e2ee::body::{Operation, Pin, RequestId};
use rohrpost_e2ee::exchange::{Author, Lane, RequestDraft, seal_request};
use rohrpost_e2ee::keys::SigningSecret;
use rohrpost_e2ee::link::LinkSecret;
use rohrpost_e2ee::trust::Known;
use rohrpost_figures::Figures;
use rohrpost_safe_agent::clock;
use rohrpost_tests::practice::Invitation;
use rohrpost_tests::{Patient, Practice, World};

use crate::classifier::tap;

const PINS: u32 = 1_000_000;
const SEED: u64 = 32;
/// Enrolments that differ in their PINs alone.
const TWINS: u32 = 500;
/// The PIN, the proof of the link and the new device's signature over it, and the tag (docs/protocol.md §8).
const DEPENDS_ON_THE_PIN: usize = 6 + 32 + 64 + 16;
/// So many bytes at the same place are no chance: 2^64 against some 10^12 comparisons.
const MATCH: usize = 8;

/// All that was heard, by every eight bytes of it.
struct Heard(HashSet<[u8; MATCH]>);

impl Heard {
    fn of(bytes: &[u8]) -> Self {
        Self(bytes.windows(MATCH).map(|window| window.try_into().unwrap()).collect())
    }

    /// The PINs of which something was heard, whatever the form.
    fn pins(&self, dictionary: &Dictionary, tried: Range<u32>) -> Vec<u32> {
        tried.filter(|pin| dictionary.forms(*pin).any(|form| self.0.contains(&form))).collect()
    }
}

/// What the thief can work out of a PIN.
struct Dictionary {
    known: Vec<Vec<u8>>,
    keys: Vec<hmac::Key>,
}

impl Dictionary {
    fn of(text: &str) -> Self {
        let link = Link::parse(text).unwrap();
        let secrets = [secret_in(text, &link), *link.secret.mac_key().expose()].map(Vec::from);
        let keys = secrets.iter().map(|secret| hmac::Key::new(hmac::HMAC_SHA256, secret)).collect();
        let [secret, mac_key] = secrets;
        Self { known: vec![Vec::new(), secret, mac_key, link.inbox.0.0.to_vec()], keys }
    }

    fn forms(&self, pin: u32) -> impl Iterator<Item = [u8; MATCH]> {
        let digits = format!("{pin:06}");
        let under = digits.clone();
        let hashed = self.known.iter().map(move |known| {
            let said = [known, digits.as_bytes()].concat();
            cut(digest::digest(&digest::SHA256, &said).as_ref())
        });
        hashed.chain(self.keys.iter().map(move |key| cut(hmac::sign(key, under.as_bytes()).as_ref())))
    }
}

fn cut(bytes: &[u8]) -> [u8; MATCH] {
    bytes[..MATCH].try_into().unwrap()
}

/// The link's own secret, out of its text as a thief would take it.
fn secret_in(text: &str, link: &Link) -> [u8; 32] {
    let bytes = BASE64URL_NOPAD.decode(text.rsplit_once('#').unwrap().1.as_bytes()).unwrap();
    let mut windows = bytes.windows(32).map(|window| window.try_into().unwrap());
    windows.find(|window| LinkSecret::from_bytes(*window).id() == link.secret.id()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thief_of_the_link_who_heard_the_enrolment_tries_every_pin_and_learns_none() {
    let world = World::start().await;
    let practice = Practice::open(&world, "practice").await;
    let tap = tap(&world);
    let id = practice.patient("Erika Beispiel").await;
    let invitation = practice.invite(&id).await;
    let mut link = Link::parse(&invitation.link).unwrap();
    link.relay.port = tap.port();
    let through = Invitation { link: link.to_url("https://app.invalid/").to_string(), ..invitation.clone() };
    Patient::new(&world, "phone").accept(&through).await.unwrap();

    let heard: Vec<u8> = tap.said().into_iter().flat_map(|said| said.bytes).collect();
    assert!(heard.len() > 5_000, "the tap heard the enrolment: {} bytes", heard.len());
    assert!(!heard.windows(6).any(|window| window == invitation.pin.as_bytes()));
    let dictionary = Dictionary::of(&invitation.link);
    assert_eq!(Heard::of(&heard).pins(&dictionary, 0..PINS), [0; 0]);
    // The control: with one of these forms among what was said, the PIN is known.
    let pin: u32 = invitation.pin.parse().unwrap();
    let leaks: Vec<_> = dictionary.forms(pin).collect();
    let few = pin.saturating_sub(500)..(pin + 500).min(PINS);
    for leak in &leaks {
        assert_eq!(Heard::of(&[&heard[..1000], leak, &heard[1000..]].concat()).pins(&dictionary, few.clone()), [pin]);
    }
    Figures::of("blindness.dictionary")
        .count("PINs tried", u64::from(PINS))
        .count("forms of each", leaks.len() as u64)
        .count("bytes heard of the enrolment", heard.len() as u64)
        .none("PINs found in them")
        .count("forms by which a planted PIN is found (control)", leaks.len() as u64)
        .publish();
}

#[tokio::test(flavor = "multi_thread")]
async fn enrolments_that_differ_in_their_pins_differ_under_the_seal_alone() {
    let world = World::start().await;
    let practice = Practice::open(&world, "practice").await;
    let id = practice.patient("Erika Beispiel").await;
    let link = Link::parse(&practice.invite(&id).await.link).unwrap();
    let visit = Visit::begin(world.relay(), link.inbox, &Known::of_link(&link), clock::now()).await.unwrap();
    let (key, now) = (SigningSecret::generate(&mut random::system()), clock::now());
    let id = RequestId::generate(&mut random::system());
    let sealed = |pin: u32| {
        let pin = Pin::parse(&format!("{pin:06}")).unwrap();
        let operation = Operation::Enrol { pin, device_name: "phone".into() };
        let draft = RequestDraft { id, created: now, expires: now.plus(600), operation };
        let author = Author::Enrol { key: &key, link: &link.secret };
        let rng = &mut ChaCha20Rng::seed_from_u64(SEED);
        seal_request(visit.safe(), Lane::Live, &draft, &author, rng).unwrap().0
    };
    let first = sealed(0);
    let mut differ = BTreeSet::new();
    for twin in 1..TWINS {
        let other = sealed(twin * (PINS / TWINS) + twin);
        assert_eq!(other.len(), first.len());
        differ.extend((0..first.len()).filter(|at| first[*at] != other[*at]));
    }
    visit.end().await;
    assert_eq!(differ.len(), DEPENDS_ON_THE_PIN, "{differ:?} of {}", first.len());
}
