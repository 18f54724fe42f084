//! `rohrpost-safe`: see [`rohrpost_safe_agent::cli`].

use std::process::ExitCode;

use clap::Parser as _;
use rohrpost_safe_agent::cli::{self, Cli};

#[expect(clippy::print_stderr, reason = "where a failure is told")]
fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let shown = if error.use_stderr() { 2 } else { 0 };
            // Nothing is left to do if the terminal is gone.
            let _gone = error.print();
            return ExitCode::from(shown);
        }
    };
    let json = cli.is_json();
    match cli::run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{}", failure.render(json));
            ExitCode::from(failure.kind.code())
        }
    }
}
