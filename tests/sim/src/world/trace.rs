//! The trace: a hash over everything that happened, and what a relay could see of it.
#![expect(clippy::wildcard_enum_match_arm, reason = "what is not named is traced as it prints")]

use std::collections::BTreeMap;
use std::fmt::Write as _;

use ring::digest;
use rohrpost_wire::{EnvelopeId, Frame};

use super::Event;
use crate::client::Told;
use crate::message::Reader;
use crate::port::{FromRelay, ToPeer, ToRelay};
use crate::time::Millis;

/// By this every invented secret can be recognised in the clear.
const MARK: &[u8] = b"KANARI";

/// Whether a marked secret stands there in the clear.
pub(super) fn holds_a_secret(bytes: &[u8]) -> bool {
    bytes.windows(MARK.len()).any(|window| window == MARK)
}

/// An event as a short text, and the bytes it carries.
fn split(event: &Event) -> (String, &[u8]) {
    match event {
        Event::ToRelay(ToRelay::Asked(conn, stream, bytes)) => (format!("asked {conn:?} {stream:?}"), bytes),
        Event::ToRelay(ToRelay::Answered { conn, stream, bytes, whole }) => {
            (format!("answered {conn:?} {stream:?} {whole}"), bytes)
        }
        Event::ToPeer(_, ToPeer::Answered { conn, stream, bytes, whole }) => {
            (format!("answer {conn:?} {stream:?} {whole}"), bytes)
        }
        Event::ToPeer(_, ToPeer::Called(conn, stream, bytes)) => (format!("called {conn:?} {stream:?}"), bytes),
        event => (format!("{event:?}"), &[]),
    }
}

/// What a relay saw at one moment, with sealed bytes reduced to their lengths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line(pub String);

/// The trace of a simulation.
pub(super) struct Trace {
    hash: digest::Context,
    events: u64,
    lines: Option<Vec<Line>>,
    /// Envelopes by the order of their first appearance: their ids are hashes of sealed bytes.
    names: BTreeMap<EnvelopeId, usize>,
}

impl Trace {
    pub(super) fn new(record: bool) -> Self {
        let lines = record.then(Vec::new);
        Self { hash: digest::Context::new(&digest::SHA256), events: 0, lines, names: BTreeMap::new() }
    }

    pub(super) fn event(&mut self, at: Millis, event: &Event) {
        self.events += 1;
        self.hash.update(&at.0.to_be_bytes());
        let (text, bytes) = split(event);
        self.hash.update(text.as_bytes());
        self.hash.update(bytes);
    }

    /// What somebody came to believe belongs to what happened.
    pub(super) fn told(&mut self, told: &Told) {
        self.hash.update(format!("{told:?}").as_bytes());
    }

    pub(super) fn events(&self) -> u64 {
        self.events
    }

    pub(super) fn hash(&self) -> String {
        let hash = self.hash.clone().finish();
        hex(hash.as_ref().iter().take(8).copied())
    }

    pub(super) fn take_lines(&mut self) -> Vec<Line> {
        self.lines.take().unwrap_or_default()
    }

    /// Something reaches the relay.
    pub(super) fn seen(&mut self, at: Millis, input: &ToRelay) {
        if self.lines.is_none() {
            return;
        }
        let text = match input {
            ToRelay::Opened(conn) => format!("{conn:?} opens"),
            ToRelay::Closed(conn) => format!("{conn:?} closes"),
            ToRelay::Asked(conn, stream, bytes) => format!("{conn:?} {stream:?} asks {}", self.project(bytes)),
            ToRelay::Answered { conn, stream, bytes, whole } => {
                format!("{conn:?} {stream:?} answers {} bytes, whole {whole}", bytes.len())
            }
            ToRelay::Timer(timer) => format!("{timer:?}"),
        };
        self.push(at, &text);
    }

    /// The relay does something.
    pub(super) fn said(&mut self, at: Millis, action: &FromRelay) {
        if self.lines.is_none() {
            return;
        }
        let text = match action {
            FromRelay::Answer { conn, stream, bytes, whole } => {
                format!("to {conn:?} {stream:?} {}, whole {whole}", self.project(bytes))
            }
            FromRelay::Call(conn, stream, bytes) => format!("calls {conn:?} {stream:?} {}", self.project(bytes)),
            FromRelay::Close(conn, code) => format!("closes {conn:?} {code:?}"),
            FromRelay::Timer(..) => return,
        };
        self.push(at, &text);
    }

    fn push(&mut self, at: Millis, text: &str) {
        if let Some(lines) = &mut self.lines {
            lines.push(Line(format!("{} {text}", at.0)));
        }
    }

    /// Frames in full, what is sealed by its length.
    fn project(&mut self, bytes: &[u8]) -> String {
        let mut reader = Reader::new(bytes);
        let mut text = String::new();
        while let Ok(frame) = reader.frame() {
            let blob = match &frame {
                Frame::Publish | Frame::Call(_) | Frame::Deposit(_) | Frame::Delivery(_) | Frame::Incoming(_) => true,
                Frame::Done => !reader.rest().is_empty(),
                _ => false,
            };
            text += &self.describe(frame);
            if blob {
                let length = reader.blob(usize::MAX).map_or(0, <[u8]>::len);
                let _infallible = write!(text, " blob {length}");
            }
            if !matches!(reader.rest(), [0, 0, ..]) {
                break;
            }
        }
        let _infallible = write!(text, " rest {}", reader.rest().len());
        text
    }

    fn describe(&mut self, frame: Frame) -> String {
        match frame {
            Frame::Queued(id) => format!("queued {}", self.name(id)),
            Frame::Delivery(delivery) => {
                let named = self.name(delivery.id);
                format!(
                    "delivery {named} {:?} {}",
                    delivery.ttl,
                    hex(delivery.reply_mailbox.iter().flat_map(|key| key.0))
                )
            }
            Frame::Ack(ack) => {
                let named: Vec<usize> = ack.ids.iter().map(|id| self.name(*id)).collect();
                // The proof is a signature over the ids.
                format!("ack {named:?} {}", hex(ack.mailbox.iter().flat_map(|proof| proof.mailbox_key.0)))
            }
            frame => format!("{} {}", frame.number(), hex(frame.encode())),
        }
    }

    fn name(&mut self, id: EnvelopeId) -> usize {
        let next = self.names.len();
        *self.names.entry(id).or_insert(next)
    }
}

fn hex(bytes: impl IntoIterator<Item = u8>) -> String {
    bytes.into_iter().fold(String::new(), |mut text, byte| {
        let _infallible = write!(text, "{byte:02x}");
        text
    })
}
