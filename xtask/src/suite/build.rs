//! Which test programs there are: what cargo says it has built.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::TestName;
use crate::command::{self, cargo, program};

/// One test program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Binary {
    pub(crate) package: String,
    /// `lib`, or the target's name.
    pub(crate) target: String,
    pub(crate) path: PathBuf,
    /// Its package's folder, in which cargo would run it.
    pub(crate) folder: PathBuf,
}

impl Binary {
    /// Prepares a call, with the surroundings that cargo would give.
    pub(crate) fn call(&self, arguments: &[&str]) -> Command {
        let mut call = program(&self.path.to_string_lossy(), arguments);
        call.current_dir(&self.folder).env("CARGO_MANIFEST_DIR", &self.folder);
        call
    }
}

/// What to build.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Selection {
    pub(crate) package: String,
    pub(crate) target: String,
}

impl Selection {
    /// What has this test in it.
    pub(crate) fn of(test: &TestName) -> Self {
        Self { package: test.package.clone(), target: test.target.clone() }
    }

    /// The flags that make cargo build this and nothing else.
    fn flags(&self) -> Vec<&str> {
        match self.target.as_str() {
            "lib" => vec!["--package", &self.package, "--lib"],
            target => vec!["--package", &self.package, "--test", target],
        }
    }
}

/// Builds every test program of the workspace.
pub(crate) fn workspace() -> Result<Vec<Binary>> {
    build(&mut cargo(&["test", "--workspace", "--lib", "--bins", "--tests"]), &mut |call| command::read(call))
}

/// Builds one target in another tree and target folder, and says what the compiler said only if it fails.
pub(crate) fn one(selection: &Selection, tree: &Path, target_folder: &Path) -> Result<Binary> {
    let mut call = elsewhere(&["test"], tree, target_folder);
    let built = build(call.args(selection.flags()), &mut read_quietly)?;
    let wanted = |binary: &Binary| binary.package == selection.package && binary.target == selection.target;
    let Some(binary) = built.into_iter().find(wanted) else {
        bail!("cargo built no test program {} of {}", selection.target, selection.package);
    };
    Ok(binary)
}

/// Builds the programs that some tests start.
pub(crate) fn programs(tree: &Path, target_folder: &Path) -> Result<()> {
    let packages = ["rohrpost-relay", "rohrpost-safe-agent", "rohrpost-patient"];
    let mut call = elsewhere(&["build", "--locked", "--bins"], tree, target_folder);
    read_quietly(call.args(packages.iter().flat_map(|package| ["--package", package]))).map(drop)
}

fn elsewhere(arguments: &[&str], tree: &Path, target_folder: &Path) -> Command {
    let mut call = cargo(arguments);
    // Without line tables there is less to write and to link, and nobody debugs these.
    call.current_dir(tree).env("CARGO_TARGET_DIR", target_folder).env("CARGO_PROFILE_DEV_DEBUG", "0");
    call
}

fn build(call: &mut Command, read: &mut dyn FnMut(&mut Command) -> Result<String>) -> Result<Vec<Binary>> {
    let messages = read(call.args(["--locked", "--no-run", "--message-format", "json-render-diagnostics"]))?;
    messages.lines().filter_map(binary).collect()
}

fn read_quietly(call: &mut Command) -> Result<String> {
    let output = call.output().context("cannot start cargo")?;
    if !output.status.success() {
        bail!("it does not build:\n{}", String::from_utf8_lossy(&output.stderr).trim_end());
    }
    String::from_utf8(output.stdout).context("cargo wrote something other than text")
}

/// The test program that a message is about, if it is about one.
fn binary(message: &str) -> Option<Result<Binary>> {
    let message: Value = serde_json::from_str(message).ok()?;
    let is_test = message.pointer("/profile/test")?.as_bool()?;
    let path = message.get("executable")?.as_str()?;
    is_test.then(|| described(&message, path).context("cargo describes a program in another way than expected"))
}

fn described(message: &Value, path: &str) -> Option<Binary> {
    let kind = message.pointer("/target/kind/0")?.as_str()?;
    let name = message.pointer("/target/name")?.as_str()?;
    let manifest = Path::new(message.get("manifest_path")?.as_str()?);
    Some(Binary {
        package: package(message.get("package_id")?.as_str()?)?.to_owned(),
        target: if kind == "lib" { kind } else { name }.to_owned(),
        path: path.into(),
        folder: manifest.parent()?.to_owned(),
    })
}

/// The name in `path+file:///somewhere/folder#name@version`, where the name is left out if it is the folder's.
fn package(id: &str) -> Option<&str> {
    let (place, rest) = id.split_once('#')?;
    match rest.split_once('@') {
        Some((name, _version)) => Some(name),
        None => place.rsplit('/').next(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MESSAGE: &str = r#"{"reason":"compiler-artifact","package_id":"path+file:///t/protocol/e2ee#rohrpost-e2ee@0.1.0",
        "manifest_path":"/t/protocol/e2ee/Cargo.toml","target":{"kind":["lib"],"name":"rohrpost_e2ee"},
        "profile":{"test":true},"executable":"/t/target/debug/deps/rohrpost_e2ee-0"}"#;

    #[test]
    fn a_test_program_is_read_from_cargos_message() {
        let binary = binary(&MESSAGE.replace('\n', " ")).unwrap().unwrap();
        assert_eq!((binary.package.as_str(), binary.target.as_str()), ("rohrpost-e2ee", "lib"));
        assert_eq!(binary.folder, Path::new("/t/protocol/e2ee"));
    }

    #[test]
    fn other_messages_are_passed_over() {
        assert!(binary(&MESSAGE.replace('\n', " ").replace("\"test\":true", "\"test\":false")).is_none());
        assert!(binary(r#"{"reason":"build-finished","success":true}"#).is_none());
        assert!(binary("running 3 tests").is_none());
    }

    #[test]
    fn a_package_may_be_named_by_its_folder() {
        assert_eq!(package("path+file:///t/relay#rohrpost-relay@0.1.0"), Some("rohrpost-relay"));
        assert_eq!(package("path+file:///t/rohrpost-relay#0.1.0"), Some("rohrpost-relay"));
    }
}
