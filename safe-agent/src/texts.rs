//! Everything a person at the safe is told, in one place, so that German can be added in one step.
//!
//! Plain sentences that name the thing and the next step. What is wrong with a file of the vault, and what to do about
//! it, is said by [`crate::vault::Trouble`].

use std::io;
use std::path::Path;

use zeroize::Zeroizing;

use crate::office::view::{Device, Document, Entry, Patient, Status};
use crate::office::{Invalid, Reply, Thing};
use crate::vault::{Condition, Standing, Structure};

pub(crate) const NOT_UNDERSTOOD: &str =
    "the served safe does not understand this command; use the same version of rohrpost-safe for both";

pub(crate) const TOO_MANY_IMPORTS: &str =
    "as many documents as possible are being imported already; wait for one to end, then try again";

pub(crate) fn not_found(thing: Thing) -> String {
    match thing {
        Thing::Patient => "there is no patient with this id; `rohrpost-safe patient list` shows all",
        Thing::Document => "this patient has no document with this id; `rohrpost-safe document list` shows all",
        Thing::Device => "there is no device with this id; `rohrpost-safe device list` shows all",
    }
    .to_owned()
}

pub(crate) fn ambiguous(thing: Thing) -> String {
    format!("this beginning of an id fits more than one {thing}; type more of it")
}

pub(crate) fn invalid(invalid: Invalid) -> &'static str {
    match invalid {
        Invalid::Name => "a name or title needs at least one and at most 200 characters",
        Invalid::BirthDate => "a birth date is written as year, month, day: 1980-04-23",
        Invalid::Past => "the date has passed; choose one that is still to come",
        Invalid::TooLate => "a link lives 14 days at most; choose an earlier date, or make a new link later",
        Invalid::AppUrl => "the address of the app must begin with https:// (for trials http://localhost)",
        Invalid::Clock => {
            "this machine's clock is far ahead of the safe's own time; set the clock, or vouch for it with \
             `rohrpost-safe clock --accept`"
        }
    }
}

pub(crate) fn source_unreadable(error: &io::Error) -> String {
    format!("the document could not be read to its end ({}); nothing of it was kept, please try again", error.kind())
}

pub(crate) fn safe_went_away(socket: &Path) -> String {
    format!("the served safe at {} does not answer; check that it still runs, then try again", socket.display())
}

pub(crate) fn not_your_safe(data: &Path) -> String {
    format!("the safe in {} belongs to another user; run this command as the user who serves it", data.display())
}

pub(crate) fn no_safe(data: &Path) -> String {
    format!(
        "there is no safe in {}; name its folder with --data, or make a new one with `rohrpost-safe init`",
        data.display()
    )
}

pub(crate) fn passphrase_file(file: &Path, error: &io::Error) -> String {
    format!("the passphrase file {} cannot be read ({}); check its name and owner", file.display(), error.kind())
}

pub(crate) fn file_unreadable(file: &Path, error: &io::Error) -> String {
    format!("{} cannot be read ({}); nothing of it was kept", file.display(), error.kind())
}

pub(crate) const NO_PASSPHRASE: &str = "no passphrase was given and there is no terminal to ask at; use --passphrase-file, for a new one \
     --new-passphrase-file";
pub(crate) const PASSPHRASES_DIFFER: &str = "the two passphrases differ; please start again";
pub(crate) const BAD_SHEET: &str =
    "this is not a complete recovery sheet; compare it with the paper, character by character";
pub(crate) const ASK_PASSPHRASE: &str = "Passphrase of the safe: ";
pub(crate) const ASK_NEW_PASSPHRASE: &str = "New passphrase (at least 10 characters): ";
pub(crate) const ASK_AGAIN: &str = "Once more: ";
pub(crate) const PASSPHRASE_CHANGED: &str = "The passphrase is changed. The old one no longer opens this safe.";
pub(crate) const BAD_DATE: &str = "a date is written as year, month, day: 2027-01-31";

pub(crate) fn socket_failed(path: &Path, error: &io::Error) -> String {
    format!(
        "the local socket {} cannot be made ({}); its path must be shorter than 100 characters and writable",
        path.display(),
        error.kind()
    )
}

/// The sheets, before there is a safe.
pub(crate) fn sheets(practice: &str, first: &str, second: &str) -> Zeroizing<String> {
    Zeroizing::new(format!(
        "These are the two recovery sheets of the safe of {practice}.

Print or copy them NOW. They are shown once and stored nowhere.
Keep them apart from each other and from this computer: each opens the safe if the
passphrase is lost, and sheet 1 signs its identity.

  Sheet 1 (root key)
    {first}

  Sheet 2 (next root key)
    {second}

",
        practice = visible(practice),
    ))
}

pub(crate) fn created(data: &Path) -> String {
    let data = visible(&data.display().to_string());
    format!("The safe is made, in {data}.\n\nNext: start it with\n  rohrpost-safe serve --data {data}\n")
}

pub(crate) fn sheets_unwritten(error: &io::Error) -> String {
    format!(
        "the recovery sheets could not be written ({}), so no safe was made; run `rohrpost-safe init` again where they \
         can be shown, and destroy what was shown of these",
        error.kind()
    )
}

pub(crate) fn answer_unwritten(error: &io::Error) -> String {
    format!("the command was carried out, but its answer could not be written ({})", error.kind())
}

pub(crate) const SERVING: &str = "The safe is open. It connects to its relay; stop it with Ctrl-C.";

pub(crate) fn clock_astray(days: u64) -> String {
    format!(
        "warning: this machine's clock is {days} days ahead of the safe's own time, so no old key is erased; set the \
         clock, or vouch for it with `rohrpost-safe clock --accept`"
    )
}

/// What is said of a vault that is opened although something was found wrong.
pub(crate) fn warnings(condition: Condition) -> impl Iterator<Item = &'static str> {
    let doubtful = (condition.standing == Standing::Doubtful).then_some(DOUBTFUL);
    let hides = (condition.structure == Structure::Damaged).then_some(HIDES_ROWS);
    doubtful.into_iter().chain(hides)
}

/// What was found at the opening, in one word for programs.
pub(crate) fn finding(condition: Condition) -> &'static str {
    match condition {
        Condition { structure: Structure::Damaged, .. } => "damaged",
        Condition { standing: Standing::SetBack { .. }, .. } | Condition { structure: Structure::Altered, .. } => {
            "set_back"
        }
        Condition { standing: Standing::Doubtful, .. } => "doubtful",
        Condition { standing: Standing::Whole { .. } | Standing::Unwitnessed, structure: Structure::Sound } => "sound",
    }
}

const HIDES_ROWS: &str = "warning: the safe's database (vault.db) is damaged: patients, documents, shares or devices may be missing from the \
     lists, or shown as they were earlier. Stop the safe, keep a copy of its folder as it is, and call whoever looks after \
     the machine: the disk has to be checked and a backup restored, which forgets what was revoked since (see Restore in the \
     operations guide)";

const DOUBTFUL: &str = "warning: vault.witness or the count it is held against was damaged or lost, so nobody can tell whether all that was \
     confirmed is there; check the disk, and look through devices and shares";

/// Why there is nothing to accept.
pub(crate) fn nothing_accepted(condition: Condition) -> &'static str {
    if condition.structure == Structure::Damaged {
        "There is nothing here to accept: damage is not mended by that. Nothing was changed.\n"
    } else if condition.standing == Standing::Doubtful {
        "Nobody can tell whether anything is missing, so there is nothing to accept. The count is made anew.\n"
    } else {
        "Nothing that this safe had confirmed is missing. Nothing was changed.\n"
    }
}

/// What an owner who has accepted a loss must look at.
pub(crate) fn loss_accepted(missing: u64, recorded_until: &str) -> String {
    let gone = match missing {
        0 => "rows are older than this safe had confirmed, or gone".to_owned(),
        missing => format!("{missing} writes that this safe had confirmed are gone"),
    };
    format!(
        "Accepted and recorded: {gone}.

The latest decision that is still recorded is of {recorded_until}. Whatever was
done since then, here or by patients, may be among them. Before you serve the safe,
go through

  rohrpost-safe device list    was one of them revoked? Revoke it again
  rohrpost-safe document list  was a share taken back? Take it back again

and add again what is missing. A link that was used, or dead after five wrong PINs,
may be open again: wait until its 14 days are over.
"
    )
}

pub(crate) fn damaged_rows(rows: u64) -> String {
    format!(
        "warning: {rows} damaged rows were left out; check the disk, keep a copy of the data folder as it is, and \
         restore the last backup"
    )
}

/// What a reply says to a person.
pub(crate) fn reply(reply: &Reply) -> String {
    match reply {
        Reply::PatientAdded { patient_id } => format!("Added patient {patient_id}.\n"),
        Reply::Patients { patients, .. } => {
            table(patients, "No patients yet. Add one with `rohrpost-safe patient add`.", patient)
        }
        Reply::DocumentAdded { document_id, length, .. } => {
            format!("Imported document {document_id} ({}). Nobody sees it until it is shared.\n", size(*length))
        }
        Reply::Documents { documents, .. } => table(documents, "No documents.", document),
        Reply::Shared { document_id, until: None, .. } => format!("Shared document {document_id}.\n"),
        Reply::Shared { document_id, until: Some(until), .. } => {
            format!("Shared document {document_id} until {until}.\n")
        }
        Reply::Unshared { document_id, .. } => {
            format!("Document {document_id} is no longer shared. What was fetched before stays with the patient.\n")
        }
        Reply::Link { .. } => String::new(),
        Reply::Devices { devices, .. } => {
            table(devices, "No devices yet. Invite a patient with `rohrpost-safe link`.", device)
        }
        Reply::DeviceRevoked { device_id } => format!("Device {device_id} is revoked and gets nothing any more.\n"),
        Reply::Log { entries, .. } => table(entries, "Nothing recorded.", entry),
        Reply::Status(report) => status(report),
        Reply::Condition(condition) => format!("vault {}\n", finding(*condition)),
        Reply::Clock { clock, acted, ahead_days, accepted } => {
            let verdict = match (accepted, ahead_days) {
                (true, _) => "accepted",
                (false, None) => "believed",
                (false, Some(_)) => "NOT believed: nothing is erased by it; set it, or vouch for it with --accept",
            };
            format!("clock    {clock}\nsafe     acted last at {acted}\nverdict  {verdict}\n")
        }
    }
}

pub(crate) fn link(link: &str, pin: &str, expires: &str, qr: &str) -> Zeroizing<String> {
    Zeroizing::new(format!(
        "Give the LINK to the patient (this QR code, or by e-mail):

{qr}
{link}

Give the PIN another way (on paper, or by telephone), never together with the link:

  PIN  {pin}

It enrols one device, once, until {expires}. After five wrong PINs it is dead.
"
    ))
}

fn table<T>(rows: &[T], none: &str, line: impl Fn(&T) -> String) -> String {
    if rows.is_empty() { format!("{none}\n") } else { rows.iter().map(|row| line(row) + "\n").collect() }
}

fn patient(row: &Patient) -> String {
    let birth = row.birth_date.as_deref().unwrap_or("-");
    let number = row.number.as_deref().unwrap_or("-");
    format!("{}  {:10}  {:12}  {}", row.patient_id, birth, visible(number), visible(&row.name))
}

fn document(row: &Document) -> String {
    let shared = match (&row.shared, &row.until) {
        (false, _) => "not shared".to_owned(),
        (true, None) => "shared".to_owned(),
        (true, Some(until)) => format!("until {until}"),
    };
    format!("{}  {:>9}  {:26}  {}", row.document_id, size(row.length), shared, visible(&row.title))
}

fn device(row: &Device) -> String {
    let state = row.revoked.as_ref().map_or_else(|| "active".to_owned(), |at| format!("revoked {at}"));
    format!("{}  {}  {:28}  {} ({})", row.device_id, row.enrolled, state, visible(&row.patient), visible(&row.name))
}

fn entry(row: &Entry) -> String {
    let who = row.device_id.as_ref().map_or_else(|| row.actor.clone(), |id| format!("device {}", short(id)));
    let about = row.patient_id.as_ref().map_or_else(String::new, |id| format!("  patient {}", short(id)));
    let what = row.document_id.as_ref().map_or_else(String::new, |id| format!("  document {}", short(id)));
    let lost = row.missing_writes.map_or_else(String::new, |writes| format!("  confirmed writes gone: {writes}"));
    let how = row.reason.as_ref().map_or_else(String::new, |reason| format!("  REFUSED: {reason}"));
    format!("{:>6}  {}  {:15}  {}{about}{what}{lost}{how}", row.number, row.at, who, row.action)
}

fn status(report: &Status) -> String {
    let state = match (report.served, report.connected) {
        (false, _) => "not served; start it with `rohrpost-safe serve`",
        (true, Some(true)) => "served and connected to its relay",
        (true, _) => "served, but not connected to its relay; it keeps trying",
    };
    let warning = if report.identity_days_left < 60 {
        "  WARNING: after that day no patient reaches this safe; update rohrpost-safe in time, keep sheet 1 ready"
    } else {
        ""
    };
    format!(
        "practice   {}
state      {state}
relay      {}
safe pin   {}
identity   epoch {}, until {} ({} days){warning}
prekeys    until {}
vault      {}
patients   {}
documents  {}
devices    {} active, {} open links
transfers  {} under way
record     {} decisions
",
        visible(&report.practice),
        report.relay,
        report.safe_pin,
        report.epoch,
        report.identity_until,
        report.identity_days_left,
        report.prekeys_until.as_deref().unwrap_or("none"),
        report.vault,
        report.patients,
        report.documents,
        report.devices,
        report.open_links,
        report.transfers,
        report.decisions,
    )
}

fn short(id: &str) -> &str {
    id.get(..8).unwrap_or(id)
}

fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{}.{} kB", bytes / 1_000, bytes / 100 % 10),
        1_000_000..1_000_000_000 => format!("{}.{} MB", bytes / 1_000_000, bytes / 100_000 % 10),
        _ => format!("{}.{} GB", bytes / 1_000_000_000, bytes / 100_000_000 % 10),
    }
}

/// Text from elsewhere on a terminal: control characters and those that turn the writing direction become visible, so
/// that a name cannot move the cursor or hide what stands beside it.
pub(crate) fn visible(text: &str) -> String {
    text.chars().map(|c| if is_harmless(c) { c } else { '\u{fffd}' }).collect()
}

/// Whether a character stays where it stands: no control character, no end of a line or paragraph, none that turns the
/// writing direction. Names are kept without all others.
pub(crate) fn is_harmless(c: char) -> bool {
    let turns = matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    !c.is_control() && !turns
}

#[cfg(test)]
mod hostile;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_move_the_cursor() {
        assert_eq!(visible("A\x1b[2J\r\nB\u{202e}C"), "A\u{fffd}[2J\u{fffd}\u{fffd}B\u{fffd}C");
        assert_eq!(visible("A\u{61c}B\u{2029}"), "A\u{fffd}B\u{fffd}");
        assert_eq!(visible("Žofie Müller"), "Žofie Müller");
    }

    #[test]
    fn sizes_are_short() {
        let sizes = [0, 999, 1_000, 130_068, 2_000_000, 2_147_483_648].map(size);
        assert_eq!(sizes, ["0 B", "999 B", "1.0 kB", "130.0 kB", "2.0 MB", "2.1 GB"]);
    }
}
