//! The secrets of one run, drawn so that they stand nowhere by accident.

use rand_chacha::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};
use rohrpost_canary::Canary;
use rohrpost_tests::content;

/// A seed to repeat a run with.
const SEED_VARIABLE: &str = "ROHRPOST_BLINDNESS_SEED";

/// What is invented before anything runs.
#[derive(Debug)]
pub(crate) struct Secrets {
    pub(crate) seed: u64,
    pub(crate) practice: String,
    pub(crate) passphrase: String,
    pub(crate) name: String,
    pub(crate) number: String,
    pub(crate) birth_date: String,
    pub(crate) other_name: String,
    pub(crate) title: String,
    pub(crate) image_title: String,
    pub(crate) file_name: String,
    pub(crate) device: String,
    /// A text document: one sentence, again and again.
    pub(crate) sentence: String,
    /// What strangers put into frames.
    pub(crate) thrown: String,
}

/// Long enough to be cut off in the middle, many windows of the relay.
pub(crate) const IMAGE_BYTES: usize = 12 << 20;
/// As the safe cuts content into sealed chunks.
const CHUNK: usize = 16 * 1024;

impl Secrets {
    /// Draws everything, from the seed in the environment or a fresh one, which is printed.
    #[expect(clippy::print_stderr, reason = "whoever wants to repeat a run needs its seed")]
    pub(crate) fn draw() -> Self {
        let named = std::env::var(SEED_VARIABLE).ok().map(|text| text.parse().expect("the seed is a number"));
        let seed = named.unwrap_or_else(|| getrandom::u64().unwrap());
        eprintln!("seed: {SEED_VARIABLE}={seed}");
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let mut token = |length| token(&mut rng, length);
        Self {
            seed,
            practice: format!("Praxis Dr. {} am Köster-{}", token(9), token(9)),
            passphrase: format!("{} elf Elefanten {}", token(10), token(10)),
            name: format!("Žofie {} Ünal-{}", token(9), token(9)),
            number: format!("Q{}", digits(&token(9))),
            birth_date: format!("19{:02}-{:02}-{:02}", 10 + seed % 30, 1 + seed % 12, 1 + seed % 28),
            other_name: format!("Jörg {} Straßer-{}", token(9), token(9)),
            title: format!("Laborbefund {} Schilddrüse {}", token(9), token(9)),
            image_title: format!("Röntgen {} Thorax {}", token(9), token(9)),
            file_name: format!("{}-befund-{}.txt", token(10), token(10)),
            device: format!("Telefon {} von {}", token(9), token(9)),
            sentence: format!("Diagnose {} gesichert, Verlauf {}. ", token(10), token(10)),
            thrown: format!("geworfen {} und {}", token(10), token(10)),
        }
    }

    /// The text document.
    pub(crate) fn finding(&self) -> Vec<u8> {
        self.sentence.repeat(4000).into_bytes()
    }

    /// The large document.
    pub(crate) fn image(&self) -> Vec<u8> {
        content(IMAGE_BYTES, self.seed)
    }

    /// The canaries among them that neither a relay nor whoever copies a safe may find.
    pub(crate) fn canaries(&self) -> Vec<Canary> {
        let texts = [
            ("practice", &self.practice),
            ("passphrase", &self.passphrase),
            ("patient's name", &self.name),
            ("patient's number", &self.number),
            ("patient's birth date", &self.birth_date),
            ("other patient's name", &self.other_name),
            ("title", &self.title),
            ("image's title", &self.image_title),
            ("file name", &self.file_name),
            ("device's name", &self.device),
            ("document's text", &self.sentence),
        ];
        let image = self.image();
        // At its beginning, across the seam of two chunks, deep inside, at its end.
        let places = [0, CHUNK - 24, IMAGE_BYTES / 2 + 5, IMAGE_BYTES - 48];
        let pieces = places.map(|at| Canary::bytes(format!("image at {at}"), &image[at..at + 48]));
        texts.into_iter().map(|(label, text)| Canary::text(label, text)).chain(pieces).collect()
    }

    /// What strangers threw at the relay: it has it while it refuses it, and must not write it down.
    pub(crate) fn thrown(&self) -> Canary {
        Canary::text("what a stranger threw", &self.thrown)
    }
}

/// Letters and digits that form no word.
fn token(rng: &mut ChaCha20Rng, length: usize) -> String {
    const LETTERS: &[u8; 32] = b"bcdfghjklmnpqrstvwxz23456789BDGK";
    (0..length).map(|_| char::from(LETTERS[(rng.next_u32() % 32) as usize])).collect()
}

fn digits(token: &str) -> String {
    token.bytes().map(|byte| char::from(b'0' + byte % 10)).collect()
}
