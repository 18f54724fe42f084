//! `rohrpost-safe`: see [`rohrpost_safe_agent::cli`].

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::Parser as _;
use rohrpost_safe_agent::cli::{self, Cli};
use rohrpost_safe_agent::failure::{Failure, Kind};

/// A command line that makes no sense, or that asks for help.
fn misused(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        // Nothing is left to do if the terminal is gone.
        let _gone = error.print();
        return ExitCode::SUCCESS;
    }
    if std::env::args_os().any(|argument| argument == "--json") {
        let text = error.to_string();
        let sentence: Vec<&str> = text.lines().take_while(|line| !line.is_empty()).map(str::trim).collect();
        let sentence = sentence.join(" ");
        tell(&Failure::new(Kind::Usage, sentence.trim_start_matches("error: ")).render(true));
    } else {
        let _gone = error.print();
    }
    ExitCode::from(Kind::Usage.code())
}

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return misused(&error),
    };
    let json = cli.is_json();
    match cli::run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            tell(&failure.render(json));
            ExitCode::from(failure.kind.code())
        }
    }
}

/// Standard error may be gone too; the exit code is left.
fn tell(sentence: &str) {
    let _gone = writeln!(io::stderr(), "{sentence}");
}
