//! Carrying out a command and printing what came of it.

mod loss;
mod output;
mod serve;

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use rohrpost_wire::{RelayAddress, Timestamp};
use serde_json::json;

use super::passphrase;
use super::{Cli, Command, DeviceCommand, DocumentCommand, PatientCommand};
use crate::admin::Desk;
use crate::clock;
use crate::failure::{Failure, Kind};
use crate::office::{Reply, Request, clean_name};
use crate::opening;
use crate::sheet;
use crate::texts;
use crate::vault::{Cost, Folder, Trouble, Unlock, change_passphrase, system_rng};

use output::Output;

/// Runs one command; the failure, if any, is not printed yet.
pub fn run(cli: Cli) -> Result<(), Failure> {
    let data = cli.data.unwrap_or_else(default_data);
    let output = Output::new(cli.json);
    let file = cli.passphrase_file.as_deref();
    let desk = || open_desk(&data, file);
    let ask = |request: Request| output.reply(&all_pages(&desk()?, &request)?);
    match cli.command {
        Command::Init { practice, relay } => init(&data, &practice, &relay, file, &output),
        Command::Serve { log } => serve::run(&data, &log, || passphrase::existing(file)),
        Command::Passphrase { sheet_file, new_passphrase_file } => {
            change(&data, file, sheet_file.as_deref(), new_passphrase_file.as_deref(), &output)
        }
        Command::Patient(PatientCommand::Add { name, birth_date, number }) => {
            ask(Request::PatientAdd { name, birth_date, number })
        }
        Command::Patient(PatientCommand::List) => ask(Request::PatientList),
        Command::Document(DocumentCommand::Add { patient, title, files }) => {
            let desk = desk()?;
            files.iter().try_for_each(|file| add_document(&desk, &patient, title.as_deref(), file, &output))
        }
        Command::Document(DocumentCommand::List { patient }) => ask(Request::DocumentList { patient, after: None }),
        Command::Share { patient, document, until } => {
            ask(Request::Share { patient, document, until: end_of_day(until.as_deref())? })
        }
        Command::Unshare { patient, document } => ask(Request::Unshare { patient, document }),
        Command::Link { patient, app_url, until } => {
            ask(Request::Link { patient, app_url, until: end_of_day(until.as_deref())? })
        }
        Command::Device(DeviceCommand::List) => ask(Request::DeviceList),
        Command::Device(DeviceCommand::Revoke { device }) => ask(Request::DeviceRevoke { device }),
        Command::Log { patient } => ask(Request::Log { patient, from: 0 }),
        Command::Status => ask(Request::Status),
        Command::Clock { accept } => ask(Request::Clock { accept }),
        Command::AcceptLoss => loss::accept(&data, &passphrase::existing(file)?, &output),
    }
}

fn open_desk(data: &Path, passphrase_file: Option<&Path>) -> Result<Desk, Failure> {
    let desk = Desk::open(data, || passphrase::existing(passphrase_file))?;
    texts::warnings(desk.condition()?).for_each(output::warn);
    Ok(desk)
}

/// Lists come in pages; a command shows all of them.
fn all_pages(desk: &Desk, request: &Request) -> Result<Reply, Failure> {
    let mut reply = desk.perform(request.clone(), &mut io::empty())?;
    loop {
        let next = match (request, &reply) {
            (Request::DocumentList { patient, .. }, Reply::Documents { next: Some(next), .. }) => {
                Request::DocumentList { patient: patient.clone(), after: Some(next.clone()) }
            }
            (Request::Log { patient, .. }, Reply::Log { next: Some(next), .. }) => {
                Request::Log { patient: patient.clone(), from: *next }
            }
            _ => return Ok(reply),
        };
        match (&mut reply, desk.perform(next, &mut io::empty())?) {
            (
                Reply::Documents { documents, next, damaged_rows },
                Reply::Documents { documents: more, next: after, damaged_rows: worse },
            ) => {
                documents.extend(more);
                *damaged_rows += worse;
                *next = after;
            }
            (
                Reply::Log { entries, next, damaged_rows },
                Reply::Log { entries: more, next: after, damaged_rows: worse },
            ) => {
                entries.extend(more);
                *damaged_rows += worse;
                *next = after;
            }
            (_, other) => return Ok(other),
        }
    }
}

fn add_document(desk: &Desk, patient: &str, title: Option<&str>, file: &Path, output: &Output) -> Result<(), Failure> {
    let (mut content, name): (Box<dyn Read>, String) = if file.as_os_str() == "-" {
        (Box::new(io::stdin()), "document".to_owned())
    } else {
        let unreadable = |error| Failure::new(Kind::Other, texts::file_unreadable(file, &error));
        let opened = File::open(file).map_err(unreadable)?;
        if opened.metadata().map_err(unreadable)?.is_dir() {
            return Err(unreadable(io::ErrorKind::IsADirectory.into()));
        }
        let name = file.file_name().map(|name| name.to_string_lossy().into_owned());
        (Box::new(opened), name.unwrap_or_default())
    };
    let request =
        Request::DocumentAdd { patient: patient.to_owned(), title: title.map(str::to_owned), file_name: name };
    output.reply(&desk.perform(request, &mut content)?)
}

fn init(
    data: &Path,
    practice: &str,
    relay: &RelayAddress,
    passphrase_file: Option<&Path>,
    output: &Output,
) -> Result<(), Failure> {
    let practice = clean_name(practice).map_err(|error| Failure::new(Kind::Usage, texts::invalid(error)))?;
    let file = passphrase_file.map(Path::to_owned).or_else(passphrase::credential);
    let passphrase = passphrase::new(file.as_deref())?;
    let new = opening::create(data, &passphrase, Cost::STANDARD, &practice, relay, clock::now())?;
    let (first, second) = (sheet::write(1, &new.roots().root), sheet::write(2, &new.roots().next_root));
    output.sheets(
        &json!({ "kind": "created", "data": data.display().to_string(), "practice": practice,
                 "recovery_sheets": [*first, *second] }),
        &texts::sheets(&practice, &first, &second),
    )?;
    new.finish()?;
    output.text(&texts::created(data))
}

fn change(
    data: &Path,
    passphrase_file: Option<&Path>,
    sheet_file: Option<&Path>,
    new_file: Option<&Path>,
    output: &Output,
) -> Result<(), Failure> {
    let folder = Folder::open(data).map_err(|error| Trouble::new(data, error))?;
    let mut rng = system_rng();
    let trouble = |error| Trouble::new(folder.keys_path(), error);
    if let Some(file) = sheet_file {
        let secret = passphrase::sheet(file)?;
        let new = passphrase::new(new_file)?;
        change_passphrase(&folder, &Unlock::Recovery(&secret), &new, Cost::STANDARD, &mut rng).map_err(trouble)?;
    } else {
        let old = passphrase::existing(passphrase_file)?;
        let new = passphrase::new(new_file)?;
        change_passphrase(&folder, &Unlock::Passphrase(&old), &new, Cost::STANDARD, &mut rng).map_err(trouble)?;
    }
    output.object(&json!({ "kind": "passphrase_changed" }), &format!("{}\n", texts::PASSPHRASE_CHANGED))
}

/// The last second of a local day.
fn end_of_day(date: Option<&str>) -> Result<Option<Timestamp>, Failure> {
    let Some(date) = date else { return Ok(None) };
    let bad = || Failure::new(Kind::Usage, texts::BAD_DATE);
    let day: jiff::civil::Date = date.parse().map_err(|_| bad())?;
    let end = day.at(23, 59, 59, 0).to_zoned(jiff::tz::TimeZone::system()).map_err(|_| bad())?;
    let seconds = u64::try_from(end.timestamp().as_second()).map_err(|_| bad())?;
    Ok(Some(Timestamp(seconds)))
}

/// The platform's usual place: for a service the system's, for a person their own.
fn default_data() -> PathBuf {
    if rustix::process::geteuid().is_root() {
        return PathBuf::from("/var/lib/rohrpost-safe");
    }
    let home = |name: &str| std::env::var_os(name).map(PathBuf::from);
    let base = home("XDG_DATA_HOME").or_else(|| home("HOME").map(|home| home.join(".local/share")));
    base.unwrap_or_default().join("rohrpost-safe")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn until_means_the_end_of_that_local_day() {
        let end = end_of_day(Some("2027-03-31")).unwrap().unwrap();
        let zoned = jiff::Timestamp::from_second(end.0.cast_signed()).unwrap().to_zoned(jiff::tz::TimeZone::system());
        assert_eq!(zoned.strftime("%Y-%m-%d %H:%M:%S").to_string(), "2027-03-31 23:59:59");
        assert!(end_of_day(Some("31.03.2027")).is_err());
    }
}
