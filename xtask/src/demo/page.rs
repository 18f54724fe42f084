//! How the demo looks: numbered steps, two columns side by side, all within a hundred columns of a plain terminal.

use std::cell::Cell;
use std::io::IsTerminal;

/// Prints the demo; bold where the terminal can.
#[derive(Debug)]
pub(super) struct Page {
    bold: bool,
    steps: Cell<u32>,
}

impl Page {
    pub(super) fn new() -> Self {
        let bold = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        Self { bold, steps: Cell::new(0) }
    }

    pub(super) fn heading(&self, text: &str) {
        println!("\n{}\n", self.strong(text));
    }

    /// Something that has happened, and a word about it.
    pub(super) fn step(&self, what: &str, about: &str) {
        self.steps.set(self.steps.get() + 1);
        println!("  {:>2}  {}  {about}", self.steps.get(), fit(what, 36));
    }

    /// Anything else.
    pub(super) fn line(text: &str) {
        println!("  {text}");
    }

    /// Two columns; the shorter one is filled up.
    pub(super) fn side_by_side(&self, left: &Column, right: &Column) {
        println!("\n  {} │ {}", self.strong(&fit(left.title, LEFT)), self.strong(right.title));
        println!("  {}─┼─{}", "─".repeat(LEFT), "─".repeat(RIGHT));
        for row in 0..left.lines.len().max(right.lines.len()) {
            let cell = |column: &Column| column.lines.get(row).cloned().unwrap_or_default();
            println!("  {} │ {}", fit(&cell(left), LEFT), fit(&cell(right), RIGHT).trim_end());
        }
    }

    fn strong(&self, text: &str) -> String {
        if self.bold { format!("\x1b[1m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// A column of text.
#[derive(Debug)]
pub(super) struct Column {
    pub(super) title: &'static str,
    pub(super) lines: Vec<String>,
}

/// A name and, at the right edge of a column that is `width` wide, a size.
pub(super) fn sized(name: &str, bytes: usize, width: usize) -> String {
    let size = grouped(bytes);
    format!("{} {size}", fit(name, width.saturating_sub(size.len() + 1)))
}

/// Cuts or fills a text to a width. Every character of ours is one column wide.
fn fit(text: &str, width: usize) -> String {
    if text.chars().count() > width {
        let kept: String = text.chars().take(width.saturating_sub(1)).collect();
        return format!("{kept}…");
    }
    format!("{text:<width$}")
}

/// Digits in groups of three.
pub(super) fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let place = |at: usize| digits.len() - at;
    let grouped = digits
        .char_indices()
        .map(|(at, digit)| if at > 0 && place(at).is_multiple_of(3) { format!(",{digit}") } else { digit.to_string() });
    grouped.collect()
}

/// Two columns, a rule and margins: 98.
pub(super) const LEFT: usize = 52;
pub(super) const RIGHT: usize = 41;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_as_wide_as_it_says_whatever_stands_in_it() {
        for text in ["", "Röntgen", "a title that is very much longer than its column"] {
            assert_eq!(fit(text, 12).chars().count(), 12);
            assert_eq!(sized(text, 65_952, 20).chars().count(), 20);
        }
        assert_eq!(2 + LEFT + 3 + RIGHT, 98);
    }

    #[test]
    fn numbers_are_grouped_by_thousands() {
        assert_eq!([0, 999, 1_000, 65_952, 1_234_567].map(grouped), ["0", "999", "1,000", "65,952", "1,234,567"]);
    }
}
