//! What happens in the demo: a practice, two invented patients, four documents, one phone.
//!
//! Every step is a call of a real program over real connections; what is said to have happened has been checked.

use std::fs::{self, File};
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::daemon::{Daemon, Speaks};
use super::page::Page;
use super::programs::{Programs, text};
use super::sockets;

/// A document the practice shares.
#[derive(Debug)]
pub(super) struct Document {
    pub(super) fixture: &'static str,
    pub(super) title: &'static str,
    pub(super) id: String,
    pub(super) sha256: String,
    pub(super) bytes: Vec<u8>,
}

/// Everything that is up and known once the story has been told.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) documents: Vec<Document>,
    pub(super) link: String,
    pub(super) pin: String,
    pub(super) inbox_id: String,
    pub(super) annegret: String,
    pub(super) joerg: String,
    pub(super) other_document: String,
    /// The safe, then the relay.
    pub(super) daemons: [Daemon; 2],
}

pub(super) const PRACTICE: &str = "Gemeinschaftspraxis am Lindenhof";
pub(super) const ANNEGRET: &str = "Annegret Beispiel";
pub(super) const JOERG: &str = "Jörg Žofka";
pub(super) const JOERGS_TITLE: &str = "Laborbefund Žofka";
pub(super) const PHONE: &str = "Annegrets Telefon";

/// Files of `tests/fixtures`, and what the practice calls them.
const DOCUMENTS: [(&str, &str); 4] = [
    ("laboratory-finding.pdf", "Laborbefund März"),
    ("laboratory-finding.fhir.json", "Laborwerte als FHIR"),
    ("skin-photo.png", "Muttermal am Unterarm"),
    ("phantom.dcm", "Röntgen der Hand"),
];

/// Tells the story in the folder.
pub(super) fn tell(folder: &Path, programs: &Programs, page: &Page) -> Result<Told> {
    let (relay, url) = start_relay(folder, programs)?;
    page.step("A relay starts", address(&url));
    let safe = start_safe(folder, programs, &url)?;
    let status = programs.safe(&["status"])?;
    ensure!(status.get("connected") == Some(&Value::Bool(true)), "the safe is not connected: {status}");
    page.step("A practice makes its safe", PRACTICE);
    page.step("The safe dials out to the relay", about_listening(&safe)?);

    let annegret = add_patient(programs, ANNEGRET, "1958-02-28")?;
    let joerg = add_patient(programs, JOERG, "1971-11-05")?;
    page.step("Two patients are added", &format!("{ANNEGRET} and {JOERG}, both invented"));
    let mut documents = Vec::new();
    for (fixture, title) in DOCUMENTS {
        documents.push(share(programs, &annegret, fixture, title)?);
    }
    page.step("Four documents are shared", &format!("with {ANNEGRET}: PDF, FHIR, PNG, DICOM"));
    let other = share(programs, &joerg, "laboratory-finding.pdf", JOERGS_TITLE)?;
    page.step("A fifth one is shared", &format!("with {JOERG}"));

    let (link, pin) = make_link(folder, programs, &annegret)?;
    page.step("The practice makes a link and a PIN", "the link by mail, the PIN on paper");
    programs.patient(&["accept", &link, "--pin-file", "pin.txt", "--device-name", PHONE])?;
    page.step("A phone is enrolled with them", "the real program `rohrpost`, over the relay");
    fetch_all(folder, programs, &documents)?;
    page.step("It lists and fetches all four", "each is byte for byte what the practice shared");
    let code = programs.patient_is_refused(&["get", &other.id])?;
    ensure!(code == Some(NOT_FOUND), "another patient's document was answered with exit code {code:?}");
    page.step("It asks for the fifth, by its id", "refused: not hers is the same as not there");

    let inbox_id = text(&status, "inbox_id")?.to_owned();
    Ok(Told { documents, link, pin, inbox_id, annegret, joerg, other_document: other.id, daemons: [safe, relay] })
}

fn start_relay(folder: &Path, programs: &Programs) -> Result<(Daemon, String)> {
    let log = File::create(folder.join("relay.log")).context("cannot make relay.log")?;
    let serve = ["serve", "--data", "relay", "--listen", "127.0.0.1:0", "--log", "trace"];
    let command = programs.command("rohrpost-relay", &serve);
    let relay = Daemon::start("relay", &command, Speaks::OnOutput { log })?;
    let url = relay.wait_for(|line| line.strip_prefix("relay: ").map(str::to_owned))?;
    Ok((relay, url))
}

fn start_safe(folder: &Path, programs: &Programs, url: &str) -> Result<Daemon> {
    fs::write(folder.join("passphrase"), "eleven elephants wait\n").context("cannot write the passphrase")?;
    programs.safe(&["init", "--practice", PRACTICE, "--relay", url])?;
    let serve = ["serve", "--data", "safe", "--passphrase-file", "passphrase"];
    let safe = Daemon::start("safe", &programs.command("rohrpost-safe", &serve), Speaks::OnError)?;
    safe.wait_for(|line| line.contains("logged in at the relay").then_some(()))?;
    Ok(safe)
}

fn about_listening(safe: &Daemon) -> Result<&'static str> {
    match safe.pid().and_then(sockets::listening) {
        Some(0) => Ok("it has no socket that listens"),
        Some(count) => bail!("the safe has {count} sockets that listen"),
        None => Ok("what it listens at is not shown by this machine"),
    }
}

fn add_patient(programs: &Programs, name: &str, birth_date: &str) -> Result<String> {
    let answer = programs.safe(&["patient", "add", "--name", name, "--birth-date", birth_date])?;
    Ok(text(&answer, "patient_id")?.to_owned())
}

fn share(programs: &Programs, patient: &str, fixture: &'static str, title: &'static str) -> Result<Document> {
    // The demo works from another folder than this program.
    let path = fs::canonicalize(Path::new("tests/fixtures").join(fixture)).context("a sample document is missing")?;
    let bytes = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let path = path.to_str().context("the workspace has a name that is no text")?;
    let added = programs.safe(&["document", "add", "--patient", patient, "--title", title, path])?;
    let (id, sha256) = (text(&added, "document_id")?.to_owned(), text(&added, "sha256")?.to_owned());
    programs.safe(&["share", "--patient", patient, "--document", &id])?;
    Ok(Document { fixture, title, id, sha256, bytes })
}

fn make_link(folder: &Path, programs: &Programs, patient: &str) -> Result<(String, String)> {
    let answer = programs.safe(&["link", "--patient", patient])?;
    let (link, pin) = (text(&answer, "link")?.to_owned(), text(&answer, "pin")?.to_owned());
    fs::write(folder.join("link.txt"), &link).context("cannot write link.txt")?;
    fs::write(folder.join("pin.txt"), &pin).context("cannot write pin.txt")?;
    Ok((link, pin))
}

fn fetch_all(folder: &Path, programs: &Programs, documents: &[Document]) -> Result<()> {
    let list = programs.patient(&["list"])?;
    let listed = list.get("documents").and_then(Value::as_array).context("the list holds no documents")?;
    ensure!(listed.len() == documents.len(), "{} documents were listed", listed.len());
    fs::write(folder.join("list.txt"), list.to_string()).context("cannot write list.txt")?;
    fs::create_dir(folder.join("got")).context("cannot make a folder")?;
    for document in documents {
        let path = format!("got/{}", document.fixture);
        programs.patient(&["get", &document.id, "--output", &path])?;
        let got = fs::read(folder.join(&path)).with_context(|| format!("{path} did not arrive"))?;
        ensure!(got == document.bytes, "{path} is not what the practice shared");
    }
    Ok(())
}

fn address(url: &str) -> &str {
    url.trim_start_matches("rohrpost-relay://").split('#').next().unwrap_or(url)
}

/// What a program answers for what does not exist or is not allowed.
const NOT_FOUND: i32 = 3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_without_scheme_and_key() {
        assert_eq!(address("rohrpost-relay://127.0.0.1:4433#c229"), "127.0.0.1:4433");
    }
}
