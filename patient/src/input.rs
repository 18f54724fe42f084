//! What a person or script hands in: the link, the PIN, the name of the computer.
//!
//! Link and PIN are erased from memory after use. The PIN is never an argument, where other users could see it.

use std::convert::Infallible;
use std::fmt;
use std::fs::File;
use std::io::{self, BufRead as _, IsTerminal as _, Read as _};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use rohrpost_e2ee::body::Pin;
use zeroize::Zeroizing;

use crate::console::Console;
use crate::problem::Problem;
use crate::texts;

/// Longer than any link.
const LINK_BYTES: u64 = 8 * 1024;
/// Longer than six digits however they are spaced.
const PIN_BYTES: u64 = 64;

/// The LINK argument: a link, or `-` for standard input.
#[derive(Clone)]
pub(crate) struct LinkText(Zeroizing<String>);

impl LinkText {
    pub(crate) fn read(self) -> Result<Zeroizing<String>, Problem> {
        if self.0.as_str() != "-" {
            return Ok(self.0);
        }
        let stdin = io::stdin();
        if stdin.is_terminal() {
            Console::talking().note(texts::LINK_PROMPT);
        }
        let mut line = Zeroizing::new(String::new());
        let read = stdin.lock().take(LINK_BYTES).read_line(&mut line);
        read.map_err(|error| Problem::Input(PathBuf::from("-"), error))?;
        Ok(line)
    }
}

impl FromStr for LinkText {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(Zeroizing::new(text.to_owned())))
    }
}

impl fmt::Debug for LinkText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinkText")
    }
}

/// Reads the PIN from a file, or asks for it without showing it.
pub(crate) fn pin(file: Option<&Path>) -> Result<Pin, Problem> {
    let mut text = Zeroizing::new(String::new());
    match file {
        Some(path) => {
            let read = File::open(path).and_then(|file| file.take(PIN_BYTES).read_to_string(&mut text));
            read.map_err(|error| Problem::Input(path.to_owned(), error))?;
        }
        None if io::stdin().is_terminal() => {
            let typed = rpassword::prompt_password(texts::PIN_PROMPT);
            *text = typed.map_err(|error| Problem::Input(PathBuf::from("-"), error))?;
        }
        None => return Err(Problem::PinMissing),
    }
    Pin::parse(&text).ok_or(Problem::PinMalformed)
}

/// How this computer calls itself.
pub(crate) fn host_name() -> String {
    let name = system_name();
    if name.trim().is_empty() { texts::DEVICE.to_owned() } else { name }
}

#[cfg(unix)]
fn system_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

#[cfg(not(unix))]
fn system_name() -> String {
    std::env::var("COMPUTERNAME").unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_file_may_end_with_a_line_break_and_holds_six_digits() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pin");
        std::fs::write(&path, "123 456\n").unwrap();
        assert_eq!(pin(Some(&path)).unwrap().expose(), b"123456");
        for text in ["12345", "1234567", "12345x", "", &"1".repeat(1000)] {
            std::fs::write(&path, text).unwrap();
            assert!(matches!(pin(Some(&path)), Err(Problem::PinMalformed)), "{text}");
        }
        let none = folder.path().join("none");
        assert!(matches!(pin(Some(&none)), Err(Problem::Input(..))));
    }

    #[test]
    fn a_link_is_not_printed() {
        let link: LinkText = "https://app.example/#secret".parse().unwrap();
        assert_eq!(format!("{link:?}"), "LinkText");
        assert_eq!(link.read().unwrap().as_str(), "https://app.example/#secret");
    }

    #[test]
    fn a_computer_always_has_a_name() {
        assert!(!host_name().trim().is_empty());
    }
}
