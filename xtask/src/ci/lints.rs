//! No unsafe code of ours: the compiler is told so in every package, and no source file holds any.
//!
//! The compiler sees only what it builds, and cargo does not inherit lints silently: both holes are closed here.

use std::fs;

use anyhow::{Context, Result, bail};

use super::tree;
use crate::step::Outcome;

/// Checks manifests and sources.
pub(crate) fn check() -> Result<Outcome> {
    let Some(files) = tree::files(&["*.rs", "*Cargo.toml"]) else {
        return Ok(Outcome::Skip(tree::NO_GIT.to_owned()));
    };
    let mut faults = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).with_context(|| format!("cannot read {file}"))?;
        let found = match file.as_str() {
            "Cargo.toml" => lacks(&text, "unsafe_code = \"forbid\""),
            // A workspace of its own has nobody to inherit from; its sources are read like all others.
            manifest if manifest.ends_with("Cargo.toml") && text.contains("[workspace]\n") => vec![],
            manifest if manifest.ends_with("Cargo.toml") => lacks(&text, "[lints]\nworkspace = true"),
            _ => unsafe_lines(&text),
        };
        faults.extend(found.into_iter().map(|fault| format!("{file}: {fault}")));
    }
    if !faults.is_empty() {
        bail!("{}", faults.join("; "));
    }
    Ok(Outcome::Pass)
}

fn lacks(manifest: &str, needle: &str) -> Vec<String> {
    if manifest.contains(needle) { vec![] } else { vec![format!("lacks `{}`", needle.replace('\n', " "))] }
}

fn unsafe_lines(source: &str) -> Vec<String> {
    let lines = source.lines().enumerate();
    lines.filter(|(_, line)| is_unsafe(line)).map(|(index, _)| format!("unsafe code in line {}", index + 1)).collect()
}

/// Finds the keyword before what it can stand before; the word itself may be written about.
fn is_unsafe(line: &str) -> bool {
    let code = line.split_once("//").map_or(line, |(code, _comment)| code);
    code.match_indices(WORD).any(|(at, _)| {
        let (before, from) = code.split_at(at);
        let rest = from.trim_start_matches(WORD).trim_start();
        !before.ends_with(|last: char| last.is_alphanumeric() || last == '_') && starts_code(rest)
    })
}

fn starts_code(rest: &str) -> bool {
    ["{", "(", "fn ", "impl ", "impl<", "trait ", "extern "].iter().any(|start| rest.starts_with(start))
}

const WORD: &str = "unsafe";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unsafe_code_is_found_in_each_of_its_forms() {
        for rest in ["{ read() }", "fn read()", "impl Send for A {}", "impl<T> Send for A<T> {}", "(no_mangle)"] {
            assert!(is_unsafe(&format!("    {WORD} {rest}")), "{rest}");
        }
    }

    #[test]
    fn the_word_alone_is_no_code() {
        assert!(!is_unsafe("// unsafe { } would be wrong here"));
        assert!(!is_unsafe("unsafe_code = \"forbid\""));
        assert!(!is_unsafe("if is_unsafe(line) {"));
    }

    #[test]
    fn a_package_that_inherits_no_lints_is_named() {
        let faults = lacks("[package]\nname = \"a\"\n", "[lints]\nworkspace = true");
        assert_eq!(faults, ["lacks `[lints] workspace = true`"]);
    }
}
