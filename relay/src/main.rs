//! The relay's program; everything it does is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    rohrpost_relay::cli::run()
}
