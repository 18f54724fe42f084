//! A relay that learns: whether the shape of a visit tells whose document was fetched.
//!
//! It sees of every visit the sizes and counts of all that is said on each stream, and the gaps between. From half of the
//! visits it learns which is whose, and is asked about the other half. Documents of one size class must be told apart no
//! better than by chance; documents of two classes are told apart, which shows that it can learn.

use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use rand_chacha::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};
use rohrpost_client::random;
use rohrpost_e2ee::keys::SigningSecret;
use rohrpost_e2ee::padding::padme;
use rohrpost_figures::Figures;
use rohrpost_patient::Home;
use rohrpost_tests::{Patient, Practice, World, content};

use crate::regression;
use crate::tap::{Said, Tap};

const SEED: u64 = 42;
/// Of each kind.
const VISITS: usize = 120;
/// A long run sees finer differences.
const LONG_VISITS: usize = 1500;
/// How many standard deviations of a guesser's luck are allowed: exceeded once in thirty thousand runs.
const LUCK: f64 = 4.0;

/// One size class, and a document in the next but one.
const LENGTHS: [usize; 3] = [50_000, 50_900, 56_000];

#[tokio::test(flavor = "multi_thread")]
async fn whose_document_was_fetched_is_not_told_by_the_shape_of_a_visit() {
    assert_eq!(padme(LENGTHS[0] as u64), padme(LENGTHS[1] as u64));
    assert_ne!(padme(LENGTHS[0] as u64), padme(LENGTHS[2] as u64));
    let world = World::start().await;
    let practice = Practice::open(&world, "practice").await;
    let tap = tap(&world);
    let mut shelves = Vec::new();
    for (number, length) in LENGTHS.into_iter().enumerate() {
        shelves.push(Shelf::fill(&world, &practice, number, length).await);
    }
    let visits = if std::env::var_os("ROHRPOST_LONG").is_some() { LONG_VISITS } else { VISITS };
    let mut rng = ChaCha20Rng::seed_from_u64(SEED);
    let mut seen: [Vec<Vec<f64>>; 3] = Default::default();
    // In no order that a clock could tell, and each as often.
    while let Some(who) = next(&mut rng, &seen, visits) {
        let before = tap.said().len();
        shelves[who].visit(&tap).await;
        seen[who].push(features(&tap.said()[before..]));
    }
    let [first, second, other] = &seen;
    let alike = regression::accuracy(first, second);
    let unlike = regression::accuracy(first, other);
    #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
    let luck = LUCK * 0.5 / ((2 * visits) as f64).sqrt();
    assert!(alike < 0.5 + luck, "of one size class {alike} were told apart, a guesser gets at most {}", 0.5 + luck);
    assert!(unlike > 0.95, "of two size classes only {unlike} were told apart");
    Figures::of("blindness.visits")
        .seed(SEED)
        .count("visits of each kind", visits as u64)
        .count("features of a visit", first[0].len() as u64)
        .measure("told apart, one size class", percent(alike), " %")
        .measure("a guesser gets at most", percent(0.5 + luck), " %")
        .measure("told apart, two size classes (control)", percent(unlike), " %")
        .publish();
}

fn percent(share: f64) -> f64 {
    (share * 1000.0).round() / 10.0
}

fn next(rng: &mut ChaCha20Rng, seen: &[Vec<Vec<f64>>; 3], visits: usize) -> Option<usize> {
    let short: Vec<usize> = (0..seen.len()).filter(|who| seen[*who].len() < visits).collect();
    let pick = usize::try_from(rng.next_u32()).unwrap();
    (!short.is_empty()).then(|| short[pick % short.len()])
}

/// A patient with one document and the phone that fetches it.
struct Shelf {
    patient: Patient,
    document: String,
    to: std::path::PathBuf,
    visits: usize,
}

impl Shelf {
    async fn fill(world: &World, practice: &Practice, number: usize, length: usize) -> Self {
        let name = ["Annegret Beispiel", "Bertram Beispiel", "Cornelia Beispiel"][number];
        let (patient, id) = Patient::enrolled(world, practice, name).await;
        let document = practice.shared(&id, "finding.pdf", &content(length, number as u64)).await;
        let to = world.place(format!("inbox {number}"));
        std::fs::create_dir_all(&to).unwrap();
        Self { patient, document, to, visits: 0 }
    }

    /// Fetches the document through the tap.
    async fn visit(&mut self, tap: &Tap) {
        let home = Home::at(&self.patient.home);
        let port = tap.port();
        home.lock().unwrap().update_account(|account| account.safe.relay.port = port).unwrap().unwrap();
        self.visits += 1;
        self.patient.get(&self.document, &self.to.join(self.visits.to_string()), 1).await.unwrap();
    }
}

/// A tap before the relay for those who are told of it. The safe is not, so no login has to be signed.
pub(crate) fn tap(world: &World) -> Tap {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let seed: [u8; 32] = std::fs::read(world.relay_folder().join("relay.key")).unwrap()[1..33].try_into().unwrap();
    let url = world.relay();
    let place: SocketAddr = format!("{}:{}", url.host, url.port).parse().unwrap();
    Tap::start(socket, &seed, place, url.key_hash, SigningSecret::generate(&mut random::system()))
}

/// Everything a relay can measure of a visit, in one row: for each stream and way how much was said, in how many pieces,
/// how long after the one before, and for how long.
fn features(said: &[Said]) -> Vec<f64> {
    const STREAMS: usize = 8;
    let mut row = Vec::with_capacity(4 * STREAMS + 1);
    let mut last = Duration::ZERO;
    for said in said.iter().take(STREAMS) {
        let [began, ended] = [said.pieces.first(), said.pieces.last()].map(|piece| piece.map_or(last, |piece| piece.0));
        let sizes = [said.bytes.len(), said.pieces.len()].map(|size| f64::from(u32::try_from(size).unwrap()));
        row.extend(sizes);
        row.extend(
            [began.saturating_sub(last), ended.saturating_sub(began)].map(|gap| (1e-6 + gap.as_secs_f64()).ln()),
        );
        last = ended;
    }
    row.resize(4 * STREAMS, 0.0);
    row.push(f64::from(u32::try_from(said.len()).unwrap()));
    row
}
