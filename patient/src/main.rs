//! What a patient runs: `rohrpost accept | list | get | status`.

use std::process::ExitCode;

fn main() -> ExitCode {
    rohrpost_patient::run(std::env::args_os())
}
