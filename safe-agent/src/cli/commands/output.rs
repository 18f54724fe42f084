//! Printing: text for people, or one JSON object with `"version": 1`.
#![expect(clippy::print_stdout, reason = "this is where the command line speaks")]

use qrcode::QrCode;
use qrcode::render::unicode::Dense1x2;
use serde_json::{Value, json};

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
    pub(super) fn reply(&self, reply: &Reply) {
        if let (Reply::Link { link, pin, expires, .. }, false) = (reply, self.json) {
            print!("{}", texts::link(link, &spaced(pin), expires, &qr_code(link)));
            return;
        }
        let object = serde_json::to_value(reply).unwrap_or_else(|_| json!({}));
        self.object(&object, &texts::reply(reply));
    }

    /// Prints an object, or the text that says the same.
    pub(super) fn object(&self, object: &Value, text: &str) {
        if !self.json {
            print!("{text}");
            return;
        }
        let mut versioned = json!({ "version": 1 });
        if let (Some(all), Some(fields)) = (versioned.as_object_mut(), object.as_object()) {
            all.extend(fields.clone());
        }
        println!("{versioned}");
    }
}

/// Two groups of three are easier to say and to type.
fn spaced(pin: &str) -> String {
    pin.split_at_checked(3).map_or_else(|| pin.to_owned(), |(first, second)| format!("{first} {second}"))
}

fn qr_code(link: &str) -> String {
    QrCode::new(link).map_or_else(
        |_| String::new(),
        |code| code.render::<Dense1x2>().dark_color(Dense1x2::Light).light_color(Dense1x2::Dark).build(),
    )
}
