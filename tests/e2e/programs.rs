//! The programs as scripts use them: JSON, exit codes, kill -9.

use std::fs;
use std::path::Path;
use std::process::Command;

use rohrpost_tests::patient::part_length;
use rohrpost_tests::process::{RelayProcess, Running, Said, program, run};
use rohrpost_tests::{content, until};
use serde_json::Value;
use tempfile::TempDir;

/// A relay, a safe that is served, and a patient's home, all as processes and folders.
struct House {
    folder: TempDir,
    relay: RelayProcess,
    safe: Option<Running>,
}

impl House {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let relay = RelayProcess::start(&folder.path().join("relay"));
        fs::write(folder.path().join("pass"), "an invented passphrase\n").unwrap();
        let mut house = Self { folder, relay, safe: None };
        let url = house.relay.url.clone();
        let made = house.safe(&["init", "--practice", "Praxis am Markt", "--relay", &url]);
        assert_eq!(made["recovery_sheets"].as_array().unwrap().len(), 2);
        house.serve_safe().await;
        house
    }

    async fn serve_safe(&mut self) {
        let mut command = Command::new(program("rohrpost-safe"));
        command.args(["serve", "--data", &self.path("safe"), "--passphrase-file", &self.path("pass")]);
        self.safe = Some(Running::start(&mut command));
        // Before the socket is there, `status` would open the vault itself and keep the safe from it.
        until("the safe is open", || self.folder.path().join("safe/admin.sock").exists()).await;
        until("the safe is connected", || self.safe_says(&["status"]).out.contains("\"connected\":true")).await;
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    fn safe_says(&self, arguments: &[&str]) -> Said {
        let (data, pass) = (self.path("safe"), self.path("pass"));
        run("rohrpost-safe", &[arguments, &["--json", "--data", &data, "--passphrase-file", &pass]].concat())
    }

    fn safe(&self, arguments: &[&str]) -> Value {
        let said = self.safe_says(arguments);
        assert_eq!(said.code, 0, "{arguments:?}: {said:?}");
        let object = said.json();
        assert_eq!(object["version"], 1);
        object
    }

    fn patient_says(&self, arguments: &[&str]) -> Said {
        run("rohrpost", &[arguments, &["--json", "--home", &self.path("home")]].concat())
    }

    fn patient(&self, arguments: &[&str]) -> Value {
        let said = self.patient_says(arguments);
        assert_eq!(said.code, 0, "{arguments:?}: {said:?}");
        said.json()
    }

    /// Adds a patient, imports and shares a file, enrols. Returns the patient's and the document's ids.
    fn share(&self, file: &Path) -> (String, String) {
        let patient = text(&self.safe(&["patient", "add", "--name", "Erika Beispiel"])["patient_id"]);
        let added = self.safe(&["document", "add", "--patient", &patient, file.to_str().unwrap()]);
        let document = text(&added["document_id"]);
        self.safe(&["share", "--patient", &patient, "--document", &document]);
        let link = self.safe(&["link", "--patient", &patient]);
        fs::write(self.path("pin"), text(&link["pin"])).unwrap();
        let accepted = self.patient(&["accept", &text(&link["link"]), "--pin-file", &self.path("pin")]);
        let devices = self.safe(&["device", "list"]);
        assert_eq!(accepted["device_id"], devices["devices"][0]["device_id"], "both sides name it alike");
        (patient, document)
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_travels_through_the_programs() {
    let house = House::start().await;
    let file = house.folder.path().join("finding.bin");
    fs::write(&file, content(300_000, 1)).unwrap();
    let (patient, document) = house.share(&file);
    let listed = house.patient(&["list"]);
    assert_eq!(listed["documents"][0]["document_id"], document.as_str());
    let to = house.path("received");
    house.patient(&["get", &document, "-o", &to]);
    assert!(fs::read(&to).unwrap() == content(300_000, 1));

    house.safe(&["unshare", "--patient", &patient, "--document", &document]);
    let refused = house.patient_says(&["get", &document, "-o", &house.path("again")]);
    assert_eq!(refused.code, 3, "{refused:?}");
    assert_eq!(refused.error_json()["code"], 3);
    let device = text(&house.safe(&["device", "list"])["devices"][0]["device_id"]);
    house.safe(&["device", "revoke", &device]);
    assert_eq!(house.patient_says(&["list"]).code, 3);
    let log = house.safe(&["log", "--patient", &patient]);
    assert!(log["entries"].as_array().unwrap().iter().any(|entry| entry["reason"] == "device revoked"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_killed_in_the_middle_of_a_get_loses_nothing() {
    const LENGTH: usize = 96 * 1024 * 1024;
    let mut house = House::start().await;
    let file = house.folder.path().join("scan.bin");
    fs::write(&file, content(LENGTH, 2)).unwrap();
    let (_, document) = house.share(&file);
    let inbox = house.folder.path().join("inbox");
    fs::create_dir(&inbox).unwrap();
    let to = inbox.join("scan.bin");

    let mut command = Command::new(program("rohrpost"));
    command.args(["get", &document, "--home", &house.path("home"), "-o", to.to_str().unwrap()]);
    let getting = tokio::task::spawn_blocking(move || command.output().unwrap());
    until("the middle of the transfer", || part_length(&inbox) > 4 << 20).await;
    house.relay.kill();
    assert!(!to.exists());
    house.relay.start_again();
    let said = getting.await.unwrap();
    assert!(said.status.success(), "{said:?}");
    assert!(fs::read(&to).unwrap() == content(LENGTH, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_have_their_exit_codes_and_one_sentence() {
    let mut house = House::start().await;
    let file = house.folder.path().join("finding.txt");
    fs::write(&file, "content").unwrap();
    let (patient, document) = house.share(&file);
    let code = |said: Said| {
        let object = said.error_json();
        assert_eq!(object["version"], 1);
        assert_eq!(object["code"], said.code);
        assert!(!object["error"].as_str().unwrap().is_empty());
        said.code
    };
    let none = "0123456789abcdef0123456789abcdef";
    assert_eq!(code(house.safe_says(&["share", "--patient", none, "--document", &document])), 3);
    assert_eq!(code(house.safe_says(&["share", "--patient", &patient, "--document", none])), 3);
    assert_eq!(
        code(house.safe_says(&["share", "--patient", &patient, "--document", &document, "--until", "2001-01-01"])),
        2
    );
    assert_eq!(code(house.safe_says(&["document", "add", "--patient", &patient, "/nonexistent/file"])), 1);
    assert_eq!(code(house.patient_says(&["get", none])), 3);

    let link = house.safe(&["link", "--patient", &patient]);
    let (link, wrong) = (text(&link["link"]), if link["pin"] == "000000" { "000001" } else { "000000" });
    fs::write(house.path("wrong"), wrong).unwrap();
    let other = house.path("other home");
    let said = run("rohrpost", &["accept", &link, "--json", "--home", &other, "--pin-file", &house.path("wrong")]);
    assert_eq!(code(said), 4);
    let cut = &link[..link.len() - 3];
    assert_eq!(
        code(run("rohrpost", &["accept", cut, "--json", "--home", &other, "--pin-file", &house.path("wrong")])),
        4
    );

    assert_eq!(house.safe.take().unwrap().stop(), Some(0));
    let said = house.patient_says(&["list"]);
    assert_eq!(code(said), 5);
    fs::write(house.path("pass"), "another passphrase\n").unwrap();
    assert_eq!(code(house.safe_says(&["status"])), 4);
    assert_eq!(run("rohrpost-safe", &["status", "--data", &house.path("nothing")]).code, 3);
    assert_eq!(run("rohrpost-safe", &["share"]).code, 2);
    for (program, arguments) in [("rohrpost-safe", ["share", "--json"]), ("rohrpost", ["get", "--json"])] {
        assert_eq!(code(run(program, &arguments)), 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_passphrase_is_replaced_with_a_recovery_sheet() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    fs::write(path("pass"), "an invented passphrase\n").unwrap();
    fs::write(path("new"), "quite another passphrase\n").unwrap();
    let url = format!("rohrpost-relay://127.0.0.1:4433#{}", "00".repeat(32));
    let data = path("safe");
    let made = run(
        "rohrpost-safe",
        &["init", "--json", "--practice", "P", "--relay", &url, "--data", &data, "--passphrase-file", &path("pass")],
    );
    fs::write(path("sheet"), text(&made.json()["recovery_sheets"][1])).unwrap();
    let (sheet, new) = (path("sheet"), path("new"));
    let changed =
        run("rohrpost-safe", &["passphrase", "--data", &data, "--sheet-file", &sheet, "--new-passphrase-file", &new]);
    assert_eq!(changed.code, 0, "{changed:?}");
    let status = |pass: &str| run("rohrpost-safe", &["status", "--data", &data, "--passphrase-file", &path(pass)]).code;
    assert_eq!((status("pass"), status("new")), (4, 0));
}
