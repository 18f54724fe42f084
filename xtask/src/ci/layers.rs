//! Who may depend on whom, asked of cargo's own graph.
//!
//! That the relay cannot decrypt is a fact of this graph and not a promise: nothing in it can open an envelope.

use std::collections::BTreeSet;

use anyhow::{Result, bail};

use super::lockfile::{self, Package};
use crate::command::{self, cargo};
use crate::step::Outcome;

/// Checks every layer.
pub(crate) fn check() -> Result<Outcome> {
    let mut faults = imports_of_leaves(&lockfile::read()?);
    for layer in &LAYERS {
        let arguments = ["tree", "--package", layer.package, "--edges", "normal", "--target", "all"];
        let tree = command::read(cargo(&arguments).args(["--prefix", "none", "--locked"]))?;
        faults.extend(forbidden(layer, &names(&tree)));
    }
    if !faults.is_empty() {
        bail!("{}", faults.join("; "));
    }
    Ok(Outcome::Pass)
}

/// The packages a `cargo tree --prefix none` names.
pub(crate) fn names(tree: &str) -> BTreeSet<&str> {
    tree.lines().filter_map(|line| line.split(' ').next()).filter(|name| !name.is_empty()).collect()
}

fn forbidden(layer: &Layer, found: &BTreeSet<&str>) -> Vec<String> {
    if !found.contains(layer.package) {
        return vec![format!("cargo's tree of {} does not name it", layer.package)];
    }
    let present = layer.absent.iter().filter(|name| found.contains(*name));
    present.map(|name| format!("{} depends on {name}, but {}", layer.package, layer.reason)).collect()
}

fn imports_of_leaves(packages: &[Package]) -> Vec<String> {
    let imports = packages.iter().flat_map(|package| package.dependencies.iter().map(move |name| (package, name)));
    let of_leaves = imports.filter(|(_, name)| LEAVES.contains(&name.as_str()));
    of_leaves.map(|(package, name)| format!("{} depends on {name}, which nobody may", package.name)).collect()
}

struct Layer {
    package: &'static str,
    absent: &'static [&'static str],
    reason: &'static str,
}

const LAYERS: [Layer; 3] = [
    Layer {
        package: "rohrpost-relay",
        absent: &["rohrpost-e2ee", "rohrpost-client", "hpke", "x-wing", "ml-kem", "chacha20poly1305"],
        reason: "a relay has no code that could open an envelope",
    },
    Layer {
        package: "rohrpost-wire",
        absent: &["tokio", "quinn", "quinn-proto", "rusqlite"],
        reason: "wire knows no socket and no disk",
    },
    Layer {
        package: "rohrpost-e2ee",
        absent: &["tokio", "quinn", "quinn-proto", "rusqlite"],
        reason: "e2ee knows no socket and no disk",
    },
];

/// Packages that import others and are imported by none.
const LEAVES: [&str; 2] = ["rohrpost-tests", "rohrpost-xtask"];

#[cfg(test)]
mod tests {
    use super::*;

    const RELAY: &Layer = &LAYERS[0];

    #[test]
    fn a_relay_that_reaches_hpke_is_refused() {
        let tree = "rohrpost-relay v0.1.0 (relay)\nrohrpost-wire v0.1.0 (wire)\nhpke v0.15.1\n\nserde v1.0.0 (*)\n";
        let faults = forbidden(RELAY, &names(tree));
        assert_eq!(faults, ["rohrpost-relay depends on hpke, but a relay has no code that could open an envelope"]);
    }

    #[test]
    fn a_relay_on_wire_alone_is_accepted() {
        let tree = "rohrpost-relay v0.1.0 (relay)\nrohrpost-wire v0.1.0 (wire)\n";
        assert_eq!(forbidden(RELAY, &names(tree)), Vec::<String>::new());
    }

    #[test]
    fn an_empty_tree_is_no_proof() {
        assert_eq!(forbidden(RELAY, &names("")).len(), 1);
    }

    #[test]
    fn an_import_of_the_tests_is_refused() {
        let packages = [Package {
            name: "rohrpost-relay".to_owned(),
            version: "0.1.0".to_owned(),
            dependencies: vec!["rohrpost-tests".to_owned(), "serde".to_owned()],
        }];
        assert_eq!(imports_of_leaves(&packages), ["rohrpost-relay depends on rohrpost-tests, which nobody may"]);
    }
}
