//! `cargo xtask demo`: the whole of Rohrpost on this machine, in a minute, with invented patients.
//!
//! A relay and a safe on loopback, a phone that fetches, and what each of them has afterwards, side by side. Everything
//! lies in one temporary folder and runs under a leash: however the demo ends, nothing of it is left.

use std::path::Path;

use anyhow::{Result, bail};

use crate::step::Outcome;

use daemon::Daemon;
use evidence::Evidence;
use page::Page;
use programs::Programs;
use scratch::Scratch;
use story::Told;

mod daemon;
mod evidence;
mod page;
mod programs;
mod scratch;
mod sockets;
mod story;

/// Runs the demo; stays up unless told `--once`.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => show(stay),
        ["--once"] => show(|_, _, _, _| Ok(())),
        _ => bail!("usage: cargo xtask demo [--once]"),
    }
}

/// The demo as a check: whether everything it claims is so.
pub(crate) fn check() -> Result<Outcome> {
    run(&["--once".to_owned()])?;
    Ok(Outcome::Pass)
}

fn show(then: impl FnOnce(&Page, &Path, &Programs, Told) -> Result<()>) -> Result<()> {
    // Before the daemons, so that it is removed after they have ended.
    let scratch = Scratch::create()?;
    let folder = scratch.path();
    let programs = Programs::build(folder)?;
    let page = Page::new();
    page.heading("A practice shares four documents with a patient");
    let told = story::tell(folder, &programs, &page)?;
    let [_, relay] = &told.daemons;
    let evidence = Evidence::collect(folder, relay)?;
    evidence.show(&told, &page);
    page.heading("Searched for on both sides, in names and contents: in every encoding the scanner knows");
    let searched = evidence.search(&told)?;
    Page::line("");
    Page::line(&searched);
    then(&page, folder, &programs, told)
}

/// Tells what to try, until the relay ends or somebody ends this.
fn stay(page: &Page, folder: &Path, programs: &Programs, told: Told) -> Result<()> {
    page.heading("Try it: relay and safe stay up. In a second terminal, first");
    Page::line(&format!("cd {} && PATH={}:$PATH", folder.display(), programs.binaries().display()));
    for (about, commands) in to_try(&told) {
        page.heading(about);
        for command in &commands {
            Page::line(command);
        }
    }
    page.heading("Ctrl-C here ends relay and safe and removes the folder.");
    bail!("the {} has ended", Daemon::wait_for_any_end(told.daemons)?)
}

fn to_try(told: &Told) -> [(&'static str, Vec<String>); 3] {
    let Told { documents, annegret, joerg, other_document, .. } = told;
    let first = documents.first().map_or("", |document| short(&document.id));
    let (annegret, joerg, other) = (short(annegret), short(joerg), short(other_document));
    let safe = |rest: &str| format!("rohrpost-safe --data safe {rest}");
    let patient = |rest: &str| format!("rohrpost --home phone {rest}");
    [
        (
            "As the patient",
            vec![
                patient("list"),
                patient(&format!("get {first}")),
                patient(&format!("get {other}    # another patient's: refused")),
                patient("status"),
            ],
        ),
        (
            "As the practice",
            vec![
                safe("document list"),
                safe(&format!("document add --patient {annegret} --title Photo got/skin-photo.png")),
                safe(&format!("share --patient {annegret} --document ID    # as `document add` showed it")),
                safe(&format!("unshare --patient {annegret} --document {first}")),
                safe(&format!("link --patient {joerg}    # then: rohrpost --home second accept LINK")),
                safe("device list"),
                safe("device revoke ID    # then ask as the patient again"),
                safe(&format!("log --patient {annegret}")),
                safe("status"),
            ],
        ),
        ("As the relay's operator", vec!["rohrpost-relay status --data relay".to_owned(), "less relay.log".to_owned()]),
    ]
}

/// As much of an id as the programs ask for to tell things apart.
fn short(id: &str) -> &str {
    id.get(..8).unwrap_or(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_word_is_refused_before_anything_starts() {
        let error = run(&["--twice".to_owned()]).unwrap_err();
        assert_eq!(error.to_string(), "usage: cargo xtask demo [--once]");
    }
}
