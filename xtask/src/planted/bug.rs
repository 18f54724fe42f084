//! A planted bug as its patch file describes it.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use crate::suite::{Selection, TestName};

/// One deliberate bug.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bug {
    /// The patch file's name.
    pub(crate) name: String,
    /// What it breaks.
    pub(crate) sentence: String,
    /// Each of these notices.
    pub(crate) tests: Vec<TestName>,
    /// Whether the tests start the real programs, which have to be built too.
    pub(super) programs: bool,
    /// Too slow for every commit.
    pub(crate) long: bool,
    /// The files it changes, from the root of the tree.
    pub(super) touches: Vec<String>,
    pub(super) patch: PathBuf,
}

impl Bug {
    /// What has to be built to try it, nothing twice.
    pub(super) fn selections(&self) -> Vec<Selection> {
        let mut all: Vec<_> = self.tests.iter().map(Selection::of).collect();
        all.sort();
        all.dedup();
        all
    }
}

/// Every bug there is, those beside each other that break the same files: so least is built again between them.
pub(crate) fn all() -> Result<Vec<Bug>> {
    let folder = fs::read_dir(FOLDER).with_context(|| format!("cannot read {FOLDER}"))?;
    let mut bugs = Vec::new();
    for entry in folder {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "patch") {
            bugs.push(read(&path)?);
        }
    }
    bugs.sort_by_key(|bug| (bug.selections(), bug.touches.clone(), bug.name.clone()));
    Ok(bugs)
}

/// The bugs to plant, and those that are left out because they take long.
pub(super) fn select(bugs: Vec<Bug>, names: &[String], long: bool) -> Result<(Vec<Bug>, Vec<Bug>)> {
    if let Some(unknown) = names.iter().find(|name| !bugs.iter().any(|bug| bug.name == **name)) {
        bail!("there is no {FOLDER}/{unknown}.patch");
    }
    if names.is_empty() {
        return Ok(bugs.into_iter().partition(|bug| long || !bug.long));
    }
    Ok((bugs.into_iter().filter(|bug| names.contains(&bug.name)).collect(), Vec::new()))
}

fn read(path: &Path) -> Result<Bug> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let name = path.file_stem().and_then(|stem| stem.to_str()).context("a patch has an odd name")?;
    let absolute = path.canonicalize().with_context(|| format!("cannot find {}", path.display()))?;
    parse(name, &text, absolute).with_context(|| path.display().to_string())
}

fn parse(name: &str, text: &str, patch: PathBuf) -> Result<Bug> {
    let head: Vec<&str> = text.lines().map_while(|line| line.strip_prefix('#')).map(str::trim).collect();
    let (sentence, marks) = head.split_first().context("it begins with no `# sentence`")?;
    let mut bug = Bug {
        name: name.to_owned(),
        sentence: (*sentence).to_owned(),
        tests: Vec::new(),
        programs: false,
        long: false,
        touches: text.lines().filter_map(|line| line.strip_prefix("+++ b/")).map(str::to_owned).collect(),
        patch,
    };
    for mark in marks {
        match (mark.strip_prefix("caught by:"), *mark) {
            (Some(words), _) => bug.tests.push(test_name(words)?),
            (None, "programs") => bug.programs = true,
            (None, "long") => bug.long = true,
            (None, other) => bail!("`# {other}` means nothing here"),
        }
    }
    ensure!(!bug.tests.is_empty(), "no `# caught by: package target test` says who notices");
    ensure!(!bug.touches.is_empty(), "it changes no file (`+++ b/path`)");
    Ok(bug)
}

fn test_name(words: &str) -> Result<TestName> {
    let words: Vec<&str> = words.split_whitespace().collect();
    let [package, target, path] = words.as_slice() else {
        bail!("`{}` is not of the form `package target test`", words.join(" "));
    };
    TestName::parse(&format!("{package}::{target}::{path}"))
}

/// Where the patches lie, from the root of the tree.
pub(super) const FOLDER: &str = "tests/planted";

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# Anything is believed.\n# caught by: rohrpost-e2ee lib trust::tests::a_b\n# programs\n\
        --- a/protocol/e2ee/src/trust.rs\n+++ b/protocol/e2ee/src/trust.rs\n@@ -1 +1 @@\n-a\n+b\n";

    fn bug(text: &str) -> Result<Bug> {
        parse("believe", text, PathBuf::new())
    }

    #[test]
    fn a_patch_says_what_it_breaks_and_who_notices() {
        let bug = bug(TEXT).unwrap();
        assert_eq!(bug.sentence, "Anything is believed.");
        assert_eq!(bug.tests[0].to_string(), "rohrpost-e2ee::lib::trust::tests::a_b");
        assert_eq!(bug.touches, ["protocol/e2ee/src/trust.rs"]);
        assert!(bug.programs && !bug.long);
    }

    #[test]
    fn a_patch_that_leaves_something_out_is_refused() {
        for (gone, complaint) in [("# caught", "who notices"), ("+++ b/", "changes no file")] {
            let kept: Vec<&str> = TEXT.lines().filter(|line| !line.starts_with(gone)).collect();
            let error = bug(&kept.join("\n")).unwrap_err().to_string();
            assert!(error.contains(complaint), "{error}");
        }
        assert!(bug(&TEXT.replace("# programs", "# programmes")).is_err());
    }

    #[test]
    fn the_long_ones_are_left_out_unless_named_or_asked_for() {
        let (quick, slow) = (bug(TEXT).unwrap(), bug(&TEXT.replace("# programs", "# long")).unwrap());
        let slow = Bug { name: "slow".to_owned(), ..slow };
        let both = || vec![quick.clone(), slow.clone()];
        let names = |bugs: &[Bug]| bugs.iter().map(|bug| bug.name.clone()).collect::<Vec<_>>();
        let (planted, left_out) = select(both(), &[], false).unwrap();
        assert_eq!((names(&planted), names(&left_out)), (vec!["believe".to_owned()], vec!["slow".to_owned()]));
        assert_eq!(select(both(), &[], true).unwrap().0.len(), 2);
        assert_eq!(names(&select(both(), &["slow".to_owned()], false).unwrap().0), ["slow"]);
        assert!(select(both(), &["other".to_owned()], false).is_err());
    }
}
