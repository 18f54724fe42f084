//! The commands of `rohrpost-safe`.

mod commands;
mod passphrase;

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use rohrpost_wire::RelayAddress;

pub use commands::run;

/// The data-safe of a practice: keeps documents sealed, shares them with patients through a relay that cannot read
/// them.
#[derive(Debug, Parser)]
#[command(name = "rohrpost-safe", version, after_help = "Example: rohrpost-safe status --data /srv/safe")]
pub struct Cli {
    /// Prints one JSON object instead of text.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// The safe's data folder [default: this user's data folder, for root /var/lib/rohrpost-safe].
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// A file whose first line is the passphrase; without it a systemd credential `passphrase`, or a prompt.
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) passphrase_file: Option<PathBuf>,
    #[command(subcommand)]
    pub(crate) command: Command,
}

impl Cli {
    /// Whether failures shall be told as JSON too.
    pub fn is_json(&self) -> bool {
        self.json
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Makes a new safe and shows its two recovery sheets, once.
    #[command(after_help = "Example: rohrpost-safe init --data /srv/safe --practice 'Praxis am Markt' \\
             --relay rohrpost-relay://relay.example:4433#1f0c…")]
    Init {
        /// The practice, as patients shall see it.
        #[arg(long)]
        practice: String,
        /// As the relay prints it: rohrpost-relay://HOST:PORT#KEYHASH.
        #[arg(long, value_name = "RELAY_URL")]
        relay: RelayAddress,
    },
    /// Opens the safe and keeps it connected to its relay.
    #[command(after_help = "Example: rohrpost-safe serve --data /srv/safe --passphrase-file /root/safe.pass")]
    Serve {
        /// Which events to log, for example `info` or `rohrpost_safe_agent=debug`.
        #[arg(long, default_value = "info", value_name = "FILTER")]
        log: String,
    },
    /// Adds and lists patients.
    #[command(subcommand)]
    Patient(PatientCommand),
    /// Imports and lists documents.
    #[command(subcommand)]
    Document(DocumentCommand),
    /// Shares a document with its patient.
    #[command(after_help = "Example: rohrpost-safe share --patient 5f0a11 --document 91c2 --until 2027-03-31")]
    Share {
        /// The patient's id, or its beginning.
        #[arg(long, value_name = "ID")]
        patient: String,
        /// The document's id, or its beginning.
        #[arg(long, value_name = "ID")]
        document: String,
        /// The last day, YYYY-MM-DD.
        #[arg(long, value_name = "DATE")]
        until: Option<String>,
    },
    /// Takes a share back, at once.
    #[command(after_help = "Example: rohrpost-safe unshare --patient 5f0a11 --document 91c2")]
    Unshare {
        /// The patient's id, or its beginning.
        #[arg(long, value_name = "ID")]
        patient: String,
        /// The document's id, or its beginning.
        #[arg(long, value_name = "ID")]
        document: String,
    },
    /// Makes a link and a PIN that enrol one device of a patient.
    #[command(after_help = "Example: rohrpost-safe link --patient 5f0a11")]
    Link {
        /// The patient's id, or its beginning.
        #[arg(long, value_name = "ID")]
        patient: String,
        /// Where the app for browsers lives.
        #[arg(long, value_name = "URL")]
        app_url: Option<String>,
        /// The last day, YYYY-MM-DD; 14 days from now at most.
        #[arg(long, value_name = "DATE")]
        until: Option<String>,
    },
    /// Lists and revokes devices.
    #[command(subcommand)]
    Device(DeviceCommand),
    /// Shows the record of decisions.
    #[command(after_help = "Example: rohrpost-safe log --patient 5f0a11")]
    Log {
        /// Only what concerns this patient.
        #[arg(long, value_name = "ID")]
        patient: Option<String>,
    },
    /// Shows how the safe is.
    #[command(after_help = "Example: rohrpost-safe status")]
    Status,
    /// Holds this machine's clock against the safe's own time.
    #[command(after_help = "Example: rohrpost-safe clock --accept")]
    Clock {
        /// Vouches for the clock, if it is right and the safe does not believe it, or once believed a wrong one.
        #[arg(long)]
        accept: bool,
    },
    /// Goes on without what the disk has lost, when the safe is not opened for that reason, and says what to check.
    #[command(after_help = "Example: rohrpost-safe accept-loss")]
    AcceptLoss,
    /// Changes the passphrase, with the old one or with a recovery sheet.
    #[command(after_help = "Example: rohrpost-safe passphrase --sheet-file sheet.txt")]
    Passphrase {
        /// A file with what stands on a recovery sheet, when the old passphrase is lost.
        #[arg(long, value_name = "FILE")]
        sheet_file: Option<PathBuf>,
        /// A file whose first line is the new passphrase; without it a prompt.
        #[arg(long, value_name = "FILE")]
        new_passphrase_file: Option<PathBuf>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum PatientCommand {
    /// Adds a patient.
    #[command(after_help = "Example: rohrpost-safe patient add --name 'Erika Beispiel' --birth-date 1980-04-23")]
    Add {
        /// As the practice writes it.
        #[arg(long)]
        name: String,
        /// YYYY-MM-DD.
        #[arg(long, value_name = "DATE")]
        birth_date: Option<String>,
        /// The practice's own number.
        #[arg(long)]
        number: Option<String>,
    },
    /// Lists all patients.
    #[command(after_help = "Example: rohrpost-safe patient list --json")]
    List,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DocumentCommand {
    /// Imports files of any type and size. Nobody sees them until they are shared.
    #[command(after_help = "Example: rohrpost-safe document add --patient 5f0a11 --title 'Blood count' finding.pdf")]
    Add {
        /// The patient's id, or its beginning.
        #[arg(long, value_name = "ID")]
        patient: String,
        /// For people; without it the file's name.
        #[arg(long)]
        title: Option<String>,
        /// The files; `-` is standard input.
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Lists documents.
    #[command(after_help = "Example: rohrpost-safe document list --patient 5f0a11")]
    List {
        /// Only this patient's.
        #[arg(long, value_name = "ID")]
        patient: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum DeviceCommand {
    /// Lists all devices.
    #[command(after_help = "Example: rohrpost-safe device list")]
    List,
    /// Revokes a device, at once.
    #[command(after_help = "Example: rohrpost-safe device revoke 77ab01")]
    Revoke {
        /// The device's id, or its beginning.
        #[arg(value_name = "ID")]
        device: String,
    },
}
