//! Whether the tests that a row names are in the sources, without building them.
//!
//! A run is stricter still: there a row's test has to have a verdict.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context, Result};

use crate::suite::TestName;

/// The tests that the sources declare: by package, each with the file it stands in.
#[derive(Debug, Default)]
pub(crate) struct Sources {
    declared: BTreeMap<String, Vec<Declared>>,
    /// The text of everything but our tables.
    texts: Vec<String>,
}

#[derive(Debug)]
struct Declared {
    /// From the package's folder.
    file: String,
    name: String,
}

impl Sources {
    /// Reads the packages whose manifests and sources these are.
    pub(crate) fn read(manifests: &[String], files: &[String]) -> Result<Self> {
        let mut folders = Vec::new();
        for manifest in manifests {
            let text = fs::read_to_string(manifest).with_context(|| format!("cannot read {manifest}"))?;
            folders.extend(package(&text).map(|name| (folder(manifest), name.to_owned())));
        }
        // The innermost folder is a file's package.
        folders.sort_by_key(|(folder, _)| Reverse(folder.len()));
        let mut sources = Self::default();
        for file in files {
            let Some((folder, package)) = folders.iter().find(|(folder, _)| file.starts_with(folder.as_str())) else {
                continue;
            };
            let text = fs::read_to_string(file).with_context(|| format!("cannot read {file}"))?;
            sources.add(package, file.strip_prefix(folder.as_str()).unwrap_or(file), &text);
            if !file.starts_with(TABLES) {
                sources.texts.push(text);
            }
        }
        Ok(sources)
    }

    fn add(&mut self, package: &str, file: &str, source: &str) {
        let of_package = self.declared.entry(package.to_owned()).or_default();
        of_package.push(Declared { file: file.to_owned(), name: String::new() });
        of_package.extend(declarations(source).map(|name| Declared { file: file.to_owned(), name: name.to_owned() }));
    }

    /// Whether there is such a test.
    pub(crate) fn has(&self, test: &TestName) -> bool {
        let leaf = test.path.rsplit("::").next().unwrap_or(&test.path);
        self.of(&test.package, &test.target).any(|declared| declared.name == leaf)
    }

    /// Whether there is such a target.
    pub(crate) fn has_target(&self, package: &str, target: &str) -> bool {
        self.of(package, target).next().is_some()
    }

    /// Whether something publishes figures of this name.
    pub(crate) fn publishes(&self, figures: &str) -> bool {
        let quoted = format!("\"{figures}\"");
        self.texts.iter().any(|text| text.contains(&quoted))
    }

    fn of<'a>(&'a self, package: &str, target: &'a str) -> impl Iterator<Item = &'a Declared> {
        let of_package = self.declared.get(package).map_or(&[][..], Vec::as_slice);
        of_package.iter().filter(move |declared| is_of(&declared.file, target))
    }
}

/// Where names of figures stand without being published.
const TABLES: &str = "xtask/src/reliability";

fn folder(manifest: &str) -> String {
    manifest.strip_suffix("Cargo.toml").unwrap_or(manifest).to_owned()
}

fn package(manifest: &str) -> Option<&str> {
    manifest.lines().find_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"'))
}

/// Whether a file of a package belongs to one of its targets: `src` is the library's, a target has a folder or a file.
fn is_of(file: &str, target: &str) -> bool {
    let target = if target == "lib" { "src" } else { target };
    file.split('/').any(|part| part == target || part.strip_suffix(".rs") == Some(target))
}

/// What a source file declares as a test.
fn declarations(source: &str) -> impl Iterator<Item = &str> {
    let mut is_test = false;
    source.lines().filter_map(move |line| {
        let line = line.trim_start();
        if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
            is_test = true;
            return None;
        }
        let (_, rest) = line.split_once("fn ").filter(|_| is_test && !line.starts_with("//"))?;
        is_test = false;
        rest.split(['(', '<']).next()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "#[test]\nfn a_b() {}\n\nfn helper() {}\n#[tokio::test(flavor = \"multi_thread\")]\n\
        #[cfg(unix)]\nasync fn c_d() {}\nproptest! {\n    #[test]\n    fn e_f(x in 0..3) {}\n}\n";

    fn sources() -> Sources {
        let mut sources = Sources::default();
        sources.add("rohrpost-relay", "src/quota.rs", SOURCE);
        sources.add("rohrpost-relay", "tests/relay/limits.rs", "#[test]\nfn g_h() {}\n");
        sources
    }

    fn has(name: &str) -> bool {
        sources().has(&TestName::parse(name).unwrap())
    }

    #[test]
    fn a_test_is_found_by_package_target_and_name() {
        assert!(has("rohrpost-relay::lib::a_b") && has("rohrpost-relay::lib::quota::tests::c_d"));
        assert!(has("rohrpost-relay::lib::e_f") && has("rohrpost-relay::relay::g_h"));
        assert!(sources().has_target("rohrpost-relay", "relay"));
    }

    #[test]
    fn what_is_no_test_or_somewhere_else_is_not_found() {
        assert!(!has("rohrpost-relay::lib::helper"));
        assert!(!has("rohrpost-relay::relay::a_b") && !has("rohrpost-relay::lib::g_h"));
        assert!(!has("rohrpost-wire::lib::a_b"));
        assert!(!sources().has_target("rohrpost-relay", "other"));
    }
}
