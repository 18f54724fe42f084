//! The full workload: everything that the programs can do, and much that they refuse.

use std::fs;
use std::path::PathBuf;

use data_encoding::HEXLOWER;
use rohrpost_canary::Canary;
use rohrpost_client::{Deposited, Visit, random};
use rohrpost_e2ee::body::{Operation, Payload};
use rohrpost_e2ee::exchange::{Author, RequestDraft};
use rohrpost_e2ee::link::LinkSecret;
use rohrpost_e2ee::{Link, RequestId};
use rohrpost_patient::Home;
use rohrpost_safe_agent::{clock, sheet};
use rohrpost_tests::patient::part_length;
use rohrpost_tests::process::Running;
use rohrpost_tests::{PATIENCE, until};
use rohrpost_wire::frame::TtlClass;
use serde_json::Value;

use crate::capture;
use crate::house::{House, vault_keys};
use crate::secrets::Secrets;
use crate::stranger;

/// What is there when the story has been told: the relay still runs, the safe has ended.
pub(crate) struct Told {
    pub(crate) house: House,
    pub(crate) secrets: Secrets,
    /// What no relay and no thief of a safe may find.
    pub(crate) canaries: Vec<Canary>,
    /// What every relay has.
    pub(crate) inbox: Vec<u8>,
    /// Cores of the relay under load, after a deposit, and at the end.
    pub(crate) relay_cores: Vec<PathBuf>,
    /// Of the safe and of the phone at work.
    pub(crate) end_cores: Vec<PathBuf>,
    pub(crate) thrown: usize,
}

struct Story {
    house: House,
    secrets: Secrets,
    learned: Vec<Canary>,
    relay_cores: Vec<PathBuf>,
    end_cores: Vec<PathBuf>,
}

/// Tells all of it.
pub(crate) async fn tell() -> Told {
    tell_it(false).await
}

/// The same, with a capture of all packets where that is possible.
pub(crate) async fn tell_with_packets() -> Told {
    tell_it(true).await
}

async fn tell_it(with_packets: bool) -> Told {
    let secrets = Secrets::draw();
    let (house, made) = House::start(&secrets.practice, &secrets.passphrase, with_packets).await;
    let mut story = Story { house, secrets, learned: Vec::new(), relay_cores: Vec::new(), end_cores: Vec::new() };
    story.learn_sheets(&made);
    let [patient, other] = story.add_patients();
    let [finding, image, others] = story.import(&patient, &other);
    story.enrol(&patient);
    story.fetch(&finding, &image, &others).await;
    let inbox = Home::at(story.house.path("home")).account().unwrap().unwrap().safe.inbox;
    let thrown = stranger::throw(story.house.place, inbox, &story.secrets.thrown).await;
    story.deposit().await;
    story.take_back(&patient, &finding);
    story.learn_keys().await;
    let Story { house, secrets, learned, relay_cores, end_cores } = story;
    let canaries = [secrets.canaries(), learned].concat();
    Told { house, secrets, canaries, inbox: inbox.0.0.to_vec(), relay_cores, end_cores, thrown }
}

impl Story {
    fn add_patients(&mut self) -> [String; 2] {
        let Secrets { name, number, birth_date, other_name, .. } = &self.secrets;
        let patient = ["patient", "add", "--name", name, "--number", number, "--birth-date", birth_date];
        let ids = [&patient[..], &["patient", "add", "--name", other_name]]
            .map(|arguments| text(&self.house.safe(arguments)["patient_id"]));
        self.learn_id("patient's id", &ids[0]);
        self.house.safe(&["patient", "list"]);
        ids
    }

    /// Two documents for the patient, one for the other, all shared; what is not there is asked for as well.
    fn import(&mut self, patient: &str, other: &str) -> [String; 3] {
        let files = ["image.dcm", &self.secrets.file_name.clone()].map(|name| self.house.path(name));
        fs::write(&files[0], self.secrets.image()).unwrap();
        fs::write(&files[1], self.secrets.finding()).unwrap();
        let [image_file, finding_file] = files.map(|file| file.to_str().unwrap().to_owned());
        let add = |whose: &str, title: &str, file: &str| {
            let added = self.house.safe(&["document", "add", "--patient", whose, "--title", title, file]);
            self.house.safe(&["share", "--patient", whose, "--document", &text(&added["document_id"])]);
            (text(&added["document_id"]), text(&added["sha256"]))
        };
        let finding = add(patient, &self.secrets.title, &finding_file);
        let image = add(patient, &self.secrets.image_title, &image_file);
        let others = self.house.path("others.txt");
        fs::write(&others, "another finding").unwrap();
        let others = add(other, "Befund", others.to_str().unwrap());
        assert_eq!(self.house.safe_says(&["share", "--patient", patient, "--document", NONE]).code, 3);
        self.learn_id("document's id", &finding.0);
        self.learn_id("document's hash", &finding.1);
        [finding.0, image.0, others.0]
    }

    /// With a wrong PIN, then with the right one.
    fn enrol(&mut self, patient: &str) {
        // No counter or time is printed with a zero in front, so such a PIN stands nowhere by accident.
        let invited = (0..500).map(|_| self.house.safe(&["link", "--patient", patient]));
        let invited =
            invited.into_iter().find(|made| text(&made["pin"]).starts_with('0')).expect("one PIN in ten does");
        let (link, pin) = (text(&invited["link"]), text(&invited["pin"]));
        let wrong = format!(
            "0{}",
            pin.bytes().skip(1).map(|digit| char::from(b'0' + (digit - b'0' + 3) % 10)).collect::<String>()
        );
        let secret = link_secret(&link);
        for (file, pin, code) in [("wrong pin", &wrong, 4), ("pin", &pin, 0)] {
            let file = self.house.path(file);
            fs::write(&file, pin).unwrap();
            let name = &self.secrets.device;
            let accept = ["accept", &link, "--pin-file", file.to_str().unwrap(), "--device-name", name];
            let said = self.house.patient_says(&accept);
            assert_eq!(said.code, code, "{said:?}");
        }
        let device = text(&self.house.safe(&["device", "list"])["devices"][0]["device_id"]);
        self.learn_id("device's id", &device);
        let account = Home::at(self.house.path("home")).account().unwrap().unwrap();
        self.learned.extend([
            Canary::number("PIN", &pin),
            Canary::number("wrong PIN", &wrong),
            Canary::bytes("link's secret", secret),
            Canary::bytes("device's key", *account.key().expose().expose()),
            Canary::bytes("device's public key", account.key().public().0),
        ]);
    }

    /// Lists, fetches, is killed in the middle and goes on; asks for what is another's and for what is not there.
    async fn fetch(&mut self, finding: &str, image: &str, others: &str) {
        let house = &self.house;
        let inbox = house.path("inbox");
        fs::create_dir(&inbox).unwrap();
        let [first, second] = ["finding", "image"].map(|name| inbox.join(name).to_str().unwrap().to_owned());
        for (arguments, code) in [
            (&["list"][..], 0),
            (&["status"], 0),
            (&["get", finding, "-o", &first], 0),
            (&["get", others], 3),
            (&["get", NONE], 3),
        ] {
            let said = house.patient_says(arguments);
            assert_eq!(said.code, code, "{arguments:?}: {said:?}");
        }
        assert!(fs::read(&first).unwrap() == self.secrets.finding());

        let getting = Running::start(&mut house.patient_command(&["get", image, "-o", &second]));
        until("the middle of the transfer", || part_length(&inbox) > 2 << 20).await;
        getting.pause();
        let cores = house.path("cores");
        self.relay_cores.extend(capture::core(house.pid_of_relay(), &cores.join("load")));
        self.end_cores.extend(capture::core(getting.pid(), &cores.join("phone")));
        self.end_cores.extend(capture::core(house.pid_of_safe(), &cores.join("safe")));
        getting.kill();
        let said = house.patient_says(&["get", image, "-o", &second]);
        assert_eq!(said.code, 0, "{said:?}");
        assert!(fs::read(&second).unwrap() == self.secrets.image());
    }

    /// Leaves a request with an absent safe, over a restart of the relay, and takes up its answer.
    async fn deposit(&mut self) {
        let house = &mut self.house;
        assert_eq!(house.safe.take().unwrap().stop(), Some(0));
        assert_eq!(house.patient_says(&["list"]).code, 5);
        let deposited = leave_request(house).await;
        let cores = house.path("cores");
        self.relay_cores.extend(capture::core(house.pid_of_relay(), &cores.join("deposit")));
        copy(&house.path("relay"), &house.path("relay with a deposit"));
        house.restart_relay();
        house.serve_safe().await;
        let collecting = async {
            loop {
                if let Some(reply) = deposited.collect(&house.url).await.unwrap() {
                    return reply;
                }
            }
        };
        let reply = tokio::time::timeout(PATIENCE, collecting).await.expect("an answer comes");
        assert!(matches!(&reply.payload, Payload::Documents(page) if page.documents.len() == 2));
        self.learned.push(Canary::bytes("reply mailbox's key", *deposited.mailbox.expose().expose()));
    }

    /// Ends the share, then the device.
    fn take_back(&mut self, patient: &str, finding: &str) {
        let house = &self.house;
        house.safe(&["unshare", "--patient", patient, "--document", finding]);
        assert_eq!(house.patient_says(&["get", finding]).code, 3);
        let device = text(&house.safe(&["device", "list"])["devices"][0]["device_id"]);
        house.safe(&["device", "revoke", &device]);
        assert_eq!(house.patient_says(&["list"]).code, 3);
        house.safe(&["log", "--patient", patient]);
        self.end_cores.extend(capture::core(house.pid_of_safe(), &house.path("cores/safe at the end")));
    }

    fn learn_sheets(&mut self, made: &Value) {
        for (number, written) in made["recovery_sheets"].as_array().unwrap().iter().enumerate() {
            let written = written.as_str().unwrap();
            let secret = *sheet::read(written).unwrap().expose();
            self.learned.push(Canary::text(format!("recovery sheet {}", number + 1), written));
            self.learned.push(Canary::bytes(format!("root key on sheet {}", number + 1), secret));
        }
    }

    /// Stops the safe, so that its vault can be opened, and takes its keys.
    async fn learn_keys(&mut self) {
        assert_eq!(self.house.safe.take().unwrap().stop(), Some(0));
        let safe = vault_keys(&self.house.path("safe"), &self.secrets.passphrase).await;
        let keys =
            [("online key", &safe.keys.online), ("audit key", &safe.keys.audit), ("route key", &safe.keys.route)];
        self.learned.extend(keys.map(|(label, key)| Canary::bytes(label, *key.expose().expose())));
        assert!(!safe.prekeys.is_empty());
        let prekeys = safe.prekeys.iter().enumerate();
        self.learned.extend(prekeys.map(|(number, key)| Canary::bytes(format!("prekey {number}"), *key)));
    }

    fn learn_id(&mut self, label: &str, hex: &str) {
        self.learned.push(Canary::bytes(label, HEXLOWER.decode(hex.as_bytes()).unwrap()));
    }
}

async fn leave_request(house: &House) -> Deposited {
    let account = Home::at(house.path("home")).account().unwrap().unwrap();
    let now = clock::now();
    let visit = Visit::begin(&house.url, account.safe.inbox, &account.safe.known(), now).await.unwrap();
    let operation = Operation::Documents { after: None };
    let id = RequestId::generate(&mut random::system());
    let draft = RequestDraft { id, created: now, expires: now.plus(86_400), operation };
    // Far enough ahead of what the phone has used.
    let author = Author::Device { key: &account.key(), sequence: 500 };
    let deposited = visit.deposit(&draft, &author, TtlClass::Day).await.unwrap();
    visit.end().await;
    deposited
}

/// The secret bytes of a link: those by which its name and its proof key are made.
fn link_secret(link: &str) -> Vec<u8> {
    let parsed = Link::parse(link).unwrap();
    let body = data_encoding::BASE64URL_NOPAD.decode(link.split_once('#').unwrap().1.as_bytes()).unwrap();
    let is_it = |bytes: &[u8]| LinkSecret::from_bytes(bytes.try_into().unwrap()).id() == parsed.secret.id();
    body.windows(32).find(|bytes| is_it(bytes)).expect("a link holds its secret").to_vec()
}

/// Copies a folder as it is, while a program has it open.
pub(crate) fn copy(from: &std::path::Path, to: &std::path::Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            copy(&entry.path(), &to.join(entry.file_name()));
        } else if kind.is_file() {
            fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

const NONE: &str = "00000000000000000000000000000000";
