//! Where a passphrase comes from: a file, a systemd credential, a prompt. Never an argument.

use std::fs;
use std::io::{self, IsTerminal as _};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::failure::{Failure, Kind};
use crate::sheet;
use crate::texts;
use crate::vault::{Passphrase, RecoverySecret};

/// The passphrase of an existing safe.
pub(super) fn existing(file: Option<&Path>) -> Result<Passphrase, Failure> {
    match file.map(Path::to_owned).or_else(credential) {
        Some(file) => Ok(Passphrase::new(first_line(&file)?.to_string())),
        None => ask(texts::ASK_PASSPHRASE).map(Passphrase::new),
    }
}

/// A new passphrase, asked for twice at a terminal. Never the credential on its own: that is the present one.
pub(super) fn new(file: Option<&Path>) -> Result<Passphrase, Failure> {
    if let Some(file) = file {
        return Ok(Passphrase::new(first_line(file)?.to_string()));
    }
    let first = Zeroizing::new(ask(texts::ASK_NEW_PASSPHRASE)?);
    let second = Zeroizing::new(ask(texts::ASK_AGAIN)?);
    if first == second {
        Ok(Passphrase::new(first.to_string()))
    } else {
        Err(Failure::new(Kind::Usage, texts::PASSPHRASES_DIFFER))
    }
}

/// What stands on a recovery sheet.
pub(super) fn sheet(file: &Path) -> Result<RecoverySecret, Failure> {
    let text = Zeroizing::new(fs::read_to_string(file).map_err(|error| unreadable(file, &error))?);
    let secret = sheet::read(&text).ok_or_else(|| Failure::new(Kind::Wrong, texts::BAD_SHEET))?;
    Ok(RecoverySecret::from_bytes(*secret.expose()))
}

/// systemd hands credentials to a service as files in a folder of its own.
pub(super) fn credential() -> Option<PathBuf> {
    let file = PathBuf::from(std::env::var_os("CREDENTIALS_DIRECTORY")?).join("passphrase");
    file.exists().then_some(file)
}

fn first_line(file: &Path) -> Result<Zeroizing<String>, Failure> {
    let text = Zeroizing::new(fs::read_to_string(file).map_err(|error| unreadable(file, &error))?);
    Ok(Zeroizing::new(text.lines().next().unwrap_or_default().to_owned()))
}

fn unreadable(file: &Path, error: &io::Error) -> Failure {
    Failure::new(Kind::Usage, texts::passphrase_file(file, error))
}

fn ask(question: &str) -> Result<String, Failure> {
    if !io::stdin().is_terminal() {
        return Err(Failure::new(Kind::Usage, texts::NO_PASSPHRASE));
    }
    rpassword::prompt_password(question).map_err(|_| Failure::new(Kind::Usage, texts::NO_PASSPHRASE))
}
