//! What the fuzzer's driver asks of the table: `list`, `seeds TARGET FOLDER`, `try TARGET FILE…`.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line speaks on standard output and error")]

use std::path::Path;
use std::process::ExitCode;
use std::{fs, io};

use rohrpost_fuzz::{TARGETS, Target, corpus, target};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["list"] => {
            list();
            Ok(())
        }
        ["seeds", name, folder] => named(name).and_then(|target| seeds(target, Path::new(folder))),
        ["try", name, files @ ..] => named(name).and_then(|target| attempt(target, files)),
        _ => Err(io::Error::other("usage: rohrpost-fuzz list | seeds TARGET FOLDER | try TARGET FILE…")),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn list() {
    for target in TARGETS {
        println!("{}\t{}", target.name, corpus::folder(target.name).display());
    }
}

fn named(name: &str) -> io::Result<&'static Target> {
    target::find(name).ok_or_else(|| io::Error::other(format!("there is no target `{name}`")))
}

fn seeds(target: &Target, folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    for (number, seed) in (target.seeds)().iter().enumerate() {
        fs::write(folder.join(format!("seed-{number:02}")), seed)?;
    }
    Ok(())
}

fn attempt(target: &Target, files: &[&str]) -> io::Result<()> {
    for file in files {
        println!("{file}: {:?}", (target.run)(&fs::read(file)?));
    }
    Ok(())
}
