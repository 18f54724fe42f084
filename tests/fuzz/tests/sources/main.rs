//! What the sources themselves must show, so that a new type, log line or dependency cannot slip past the targets.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a helper of tests fails as a test does")]

mod doors;
mod ids;
mod inflation;
mod logs;
mod types;

use std::fs;
use std::path::{Path, PathBuf};

/// The packages of the product, below the root.
pub(crate) const PRODUCT: [&str; 6] = ["protocol/wire", "protocol/e2ee", "client", "relay", "safe-agent", "patient"];

/// Every source file of the product without its tests, and its text.
pub(crate) fn sources() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut files = Vec::new();
    for package in PRODUCT {
        collect(&root.join(package).join("src"), &mut files);
    }
    assert!(files.len() > 100, "the sources are missing");
    files.into_iter().map(|path| (path.clone(), without_tests(&fs::read_to_string(path).unwrap()))).collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let is = |names: &[&str]| names.iter().any(|name| path.file_name().is_some_and(|own| own == *name));
        if path.is_dir() {
            if !is(&["tests"]) {
                collect(&path, files);
            }
        } else if path.extension().is_some_and(|kind| kind == "rs") && !is(&["tests.rs", "testing.rs", "model.rs"]) {
            files.push(path);
        }
    }
}

/// Tests within a file stand at its end.
fn without_tests(text: &str) -> String {
    text.split("\n#[cfg(test)]\nmod ").next().unwrap_or_default().to_owned()
}
