//! Relative links in our Markdown lead to files that exist.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use super::tree;
use crate::step::Outcome;

/// Checks every Markdown file.
pub(crate) fn check() -> Result<Outcome> {
    let Some(files) = tree::files(&["*.md"]) else {
        return Ok(Outcome::Skip(tree::NO_GIT.to_owned()));
    };
    let mut dead = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).with_context(|| format!("cannot read {file}"))?;
        let broken = links(&text).into_iter().filter(|link| !leads_somewhere(Path::new(&file), link.path));
        dead.extend(broken.map(|link| format!("{file}:{}: {} does not exist", link.line, link.path)));
    }
    if !dead.is_empty() {
        bail!("{}", dead.join("; "));
    }
    Ok(Outcome::Pass)
}

/// A path from the root starts with a slash, as forges have it; any other starts beside the file.
fn leads_somewhere(file: &Path, path: &str) -> bool {
    match path.strip_prefix('/') {
        Some(from_root) => Path::new(from_root).exists(),
        None => file.with_file_name(path).exists(),
    }
}

/// A link to a file, without its fragment.
#[derive(Debug, PartialEq, Eq)]
struct Link<'a> {
    line: usize,
    path: &'a str,
}

fn links(markdown: &str) -> Vec<Link<'_>> {
    let mut found = Vec::new();
    let mut fenced = false;
    for (index, line) in markdown.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            let paths = targets(line).into_iter().filter_map(relative);
            found.extend(paths.map(|path| Link { line: index + 1, path }));
        }
    }
    found
}

/// What `[text](target)` and `[label]: target` point at, code spans left out.
fn targets(line: &str) -> Vec<&str> {
    let prose = line.split('`').step_by(2);
    let inline = prose.flat_map(|text| text.split("](").skip(1)).filter_map(|rest| rest.split([')', ' ']).next());
    let definition = line.strip_prefix('[').and_then(|rest| rest.split_once("]: ")).map(|(_, target)| target.trim());
    inline.chain(definition).collect()
}

fn relative(target: &str) -> Option<&str> {
    let elsewhere = target.contains("://") || target.starts_with("mailto:");
    let path = target.trim_start_matches('<').trim_end_matches('>').split('#').next()?;
    (!elsewhere && !path.is_empty()).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(markdown: &str) -> Vec<&str> {
        links(markdown).into_iter().map(|link| link.path).collect()
    }

    #[test]
    fn links_to_files_are_found_wherever_they_stand() {
        assert_eq!(
            paths("see [a](docs/a.md) and [b](b.md#part \"title\")\n\n[c]: ../c.md\n"),
            ["docs/a.md", "b.md", "../c.md"]
        );
        assert_eq!(links("one\n[a](a.md)")[0], Link { line: 2, path: "a.md" });
    }

    #[test]
    fn the_web_and_the_page_itself_are_left_alone() {
        assert!(paths("[w](https://example.org/a.md) [m](mailto:a@example.org) [h](#heading)").is_empty());
    }

    #[test]
    fn code_holds_no_links() {
        assert!(paths("`[a](a.md)`\n```\n[b](b.md)\n```\n").is_empty());
        assert_eq!(paths("`code` then [a](a.md)"), ["a.md"]);
    }

    #[test]
    fn a_path_is_looked_up_beside_its_file_or_from_the_root() {
        let here = Path::new("src/main.rs");
        assert!(leads_somewhere(here, "step.rs"));
        assert!(leads_somewhere(here, "/Cargo.toml"));
        assert!(!leads_somewhere(here, "Cargo.toml"));
    }
}
