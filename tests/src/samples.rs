//! Real files to run with: the small ones that the project ships, and larger ones where they are at hand.

use std::fs;
use std::path::{Path, PathBuf};

/// Every file of the shipped fixtures, and of the samples folder beside the project where there is one.
pub fn all() -> Vec<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    collect(&here.join("fixtures"), &mut files);
    assert!(files.len() >= 4, "the shipped fixtures are missing");
    match here.join("../../shared/samples").canonicalize() {
        Ok(samples) => collect(&samples, &mut files),
        Err(_) => skip("samples", "no folder of samples beside the project"),
    }
    files.sort();
    files
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { collect(&path, files) } else { files.push(path) }
    }
}

/// Says that a part of a test has nothing to work with here.
#[expect(clippy::print_stderr, reason = "whoever runs the tests must see what was left out")]
pub fn skip(what: &str, why: &str) {
    eprintln!("SKIP {what}: {why}");
}
