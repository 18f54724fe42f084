//! What a person sees while something goes on: notes, warnings and a progress bar, all on standard error.
//!
//! With `--json` nothing of it is shown: standard error then carries at most one error object.

use std::io::IsTerminal as _;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Where to show what goes on.
#[derive(Clone, Debug)]
pub struct Console {
    talks: bool,
}

impl Console {
    /// One that talks to a person.
    pub fn talking() -> Self {
        Self { talks: true }
    }

    /// One that says nothing.
    pub fn silent() -> Self {
        Self { talks: false }
    }

    /// A line for the person.
    pub fn note(&self, text: &str) {
        if self.talks {
            #[expect(clippy::print_stderr, reason = "this is what the console is")]
            {
                eprintln!("{text}");
            }
        }
    }

    /// A bar up to so many bytes, if there is a terminal.
    pub fn progress(&self, total: u64) -> Progress {
        let shows = self.talks && std::io::stderr().is_terminal();
        let target = if shows { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(total), target);
        // A template that does not parse leaves the default bar.
        if let Ok(style) = ProgressStyle::with_template("{bar:30} {bytes}/{total_bytes} {bytes_per_sec} {eta}") {
            bar.set_style(style);
        }
        Progress { bar }
    }
}

/// A bar that goes away when dropped.
#[derive(Debug)]
pub struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// So many bytes are here.
    pub fn set(&self, bytes: u64) {
        self.bar.set_position(bytes);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
