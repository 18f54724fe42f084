//! A secret that was put into play so that it can be looked for.

/// What is looked for, and how.
#[derive(Clone, Debug)]
pub struct Canary {
    pub(crate) label: String,
    pub(crate) secret: Vec<u8>,
    pub(crate) kind: Kind,
    pub(crate) whole: bool,
}

/// What a secret is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Words: other character sets and letters of the other case are forms of it, and so are its hashes.
    Text,
    /// Digits so few that longer numbers hold them by accident: plain they count only where they stand alone.
    Number,
    /// A key, or part of a file.
    Bytes,
}

impl Canary {
    /// A name, a title, a sentence.
    pub fn text(label: impl Into<String>, text: &str) -> Self {
        Self { label: label.into(), secret: text.as_bytes().to_vec(), kind: Kind::Text, whole: false }
    }

    /// A PIN or another number of few digits.
    pub fn number(label: impl Into<String>, digits: &str) -> Self {
        Self { label: label.into(), secret: digits.as_bytes().to_vec(), kind: Kind::Number, whole: true }
    }

    /// A key, or a piece of a document.
    pub fn bytes(label: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        Self { label: label.into(), secret: bytes.into(), kind: Kind::Bytes, whole: false }
    }

    /// Never by its halves: for a text that shares words with what may be seen.
    #[must_use]
    pub fn whole(self) -> Self {
        Self { whole: true, ..self }
    }

    /// What it is called in what was found.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// The parts by which it is recognised: two halves if each says enough, so that one on either side of a boundary is
    /// found, and both where it stands whole.
    pub(crate) fn parts(&self) -> Vec<(&'static str, &[u8])> {
        match self.middle() {
            Some(middle) if !self.whole => {
                let (first, second) = self.secret.split_at(middle);
                vec![("first half", first), ("second half", second)]
            }
            _ => vec![("whole", &self.secret)],
        }
    }

    /// Where it can be cut in two, between two characters if it is a text.
    fn middle(&self) -> Option<usize> {
        let length = self.secret.len();
        let is_cut = |at: usize| match std::str::from_utf8(&self.secret) {
            Ok(text) if self.kind == Kind::Text => text.is_char_boundary(at),
            Ok(_) | Err(_) => true,
        };
        let at = (length / 2..length).find(|at| is_cut(*at))?;
        (at >= HALF_BYTES && length - at >= HALF_BYTES).then_some(at)
    }
}

/// Fewer bytes stand somewhere in a gigabyte by accident.
const HALF_BYTES: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_between_characters_and_only_if_both_halves_say_enough() {
        let long = Canary::text("name", "Žofie Ünal-Öztürk aus Köln");
        let halves: Vec<_> = long.parts().iter().map(|(_, part)| std::str::from_utf8(part).unwrap()).collect();
        assert_eq!(halves.concat(), "Žofie Ünal-Öztürk aus Köln");
        assert!(halves.iter().all(|half| half.len() >= HALF_BYTES) && halves.len() == 2);
        for whole in [Canary::text("name", "Jörg Žofka"), long.whole(), Canary::number("PIN", "010179")] {
            assert_eq!(whole.parts().len(), 1, "{}", whole.label());
        }
    }
}
