//! Printing: text for people, or one JSON object with `"version": 1`.
//!
//! Standard output may be a full disk or a closed pipe. Whoever closed the pipe has read enough; everything else is
//! told, because an answer that nobody got is none.

use std::io::{self, Write as _};

use qrcode::QrCode;
use qrcode::render::unicode::Dense1x2;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::failure::{Failure, Kind};
use crate::office::Reply;
use crate::texts;

/// How to print.
#[derive(Debug)]
pub(super) struct Output {
    json: bool,
}

impl Output {
    pub(super) fn new(json: bool) -> Self {
        Self { json }
    }

    /// Prints a reply of the desk.
    pub(super) fn reply(&self, reply: &Reply) -> Result<(), Failure> {
        if let (Reply::Link { link, pin, expires, .. }, false) = (reply, self.json) {
            return told(write(&texts::link(link, &spaced(pin), expires, &qr_code(link))));
        }
        let object = serde_json::to_value(reply).unwrap_or_else(|_| json!({}));
        self.object(&object, &texts::reply(reply))?;
        if let Reply::Status(status) = reply
            && let Some(days) = status.clock_ahead_days
        {
            warn(&texts::clock_astray(days));
        }
        if reply.damaged_rows() > 0 {
            warn(&texts::damaged_rows(reply.damaged_rows()));
        }
        Ok(())
    }

    /// Prints an object, or the text that says the same.
    pub(super) fn object(&self, object: &Value, text: &str) -> Result<(), Failure> {
        told(self.write_either(object, text))
    }

    /// Prints the recovery sheets. There is no safe unless all of it has arrived.
    pub(super) fn sheets(&self, object: &Value, text: &str) -> Result<(), Failure> {
        let undelivered = |error| Failure::new(Kind::Disk, texts::sheets_unwritten(&error));
        self.write_either(object, text).map_err(undelivered)
    }

    /// Prints what only people need to know.
    pub(super) fn text(&self, text: &str) -> Result<(), Failure> {
        if self.json { Ok(()) } else { told(write(text)) }
    }

    fn write_either(&self, object: &Value, text: &str) -> io::Result<()> {
        if !self.json {
            return write(text);
        }
        let mut versioned = json!({ "version": 1 });
        if let (Some(all), Some(fields)) = (versioned.as_object_mut(), object.as_object()) {
            all.extend(fields.clone());
        }
        write(&Zeroizing::new(format!("{versioned}\n")))
    }
}

/// Beside the answer, where neither a person nor a script takes it for one.
pub(super) fn warn(text: &str) {
    let _gone = writeln!(io::stderr(), "{text}");
}

fn write(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

fn told(written: io::Result<()>) -> Result<(), Failure> {
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::new(Kind::Disk, texts::answer_unwritten(&error)))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Two groups of three are easier to say and to type.
fn spaced(pin: &str) -> Zeroizing<String> {
    Zeroizing::new(
        pin.split_at_checked(3).map_or_else(|| pin.to_owned(), |(first, second)| format!("{first} {second}")),
    )
}

fn qr_code(link: &str) -> Zeroizing<String> {
    Zeroizing::new(QrCode::new(link).map_or_else(
        |_| String::new(),
        |code| code.render::<Dense1x2>().dark_color(Dense1x2::Light).light_color(Dense1x2::Dark).build(),
    ))
}
