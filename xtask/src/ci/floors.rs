//! What `Cargo.lock` must hold even where no database of advisories can be reached.
//!
//! A floor names the first version without a known fault. A cryptographic crate comes in exactly one version: two of
//! them would be two implementations to trust, of which tests and reviews reach one.

use anyhow::{Result, bail};

use super::lockfile::{self, Package};
use crate::step::Outcome;

/// Checks the lock file.
pub(crate) fn check() -> Result<Outcome> {
    let faults = faults(&lockfile::read()?);
    if !faults.is_empty() {
        bail!("{}", faults.join("; "));
    }
    Ok(Outcome::Pass)
}

fn faults(packages: &[Package]) -> Vec<String> {
    let versions = |name: &str| -> Vec<&str> {
        packages.iter().filter(|package| package.name == name).map(|package| package.version.as_str()).collect()
    };
    let below = FLOORS.iter().flat_map(|(name, floor)| {
        let older = versions(name).into_iter().filter(|version| triple(version) < Some(*floor));
        older.map(move |version| format!("{name} {version} is below {}.{}.{}", floor.0, floor.1, floor.2))
    });
    let not_one = SINGLE.iter().filter_map(|name| match versions(name).as_slice() {
        [_] => None,
        [] => Some(format!("{name} is gone: take it off the list of single crates, or find out who lost it")),
        several => Some(format!("{name} comes in {} versions: {}", several.len(), several.join(", "))),
    });
    below.chain(not_one).collect()
}

/// A pre-release counts as older than any floor: it does not parse.
fn triple(version: &str) -> Option<(u64, u64, u64)> {
    let plain = version.split_once('+').map_or(version, |(plain, _build)| plain);
    let mut numbers = plain.split('.').map(|number| number.parse().ok());
    let found = (numbers.next()??, numbers.next()??, numbers.next()??);
    numbers.next().is_none().then_some(found)
}

/// The lowest acceptable version of a crate.
const FLOORS: [(&str, (u64, u64, u64)); 1] = [
    // RUSTSEC-2026-0037 (a peer's transport parameters make it panic), RUSTSEC-2026-0185 (out-of-order data exhausts
    // memory), and what was mended since.
    ("quinn-proto", (0, 11, 19)),
];

/// Crates of which the tree holds exactly one version.
const SINGLE: [&str; 9] = [
    "chacha20poly1305",
    "curve25519-dalek",
    "ed25519-dalek",
    "hpke",
    "ml-kem",
    "ring",
    "sha2",
    "x-wing",
    "x25519-dalek",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn sound() -> Vec<Package> {
        let singles = SINGLE.iter().map(|name| package(name, "1.0.0"));
        singles.chain([package("quinn-proto", "0.11.19")]).collect()
    }

    fn package(name: &str, version: &str) -> Package {
        Package { name: name.to_owned(), version: version.to_owned(), dependencies: vec![] }
    }

    #[test]
    fn a_sound_lock_file_has_no_fault() {
        assert_eq!(faults(&sound()), Vec::<String>::new());
    }

    #[test]
    fn a_version_below_its_floor_is_named() {
        let mut packages = sound();
        packages.push(package("quinn-proto", "0.11.9"));
        assert_eq!(faults(&packages), ["quinn-proto 0.11.9 is below 0.11.19"]);
    }

    #[test]
    fn a_second_version_of_a_cryptographic_crate_is_named() {
        let mut packages = sound();
        packages.push(package("sha2", "0.10.9"));
        assert_eq!(faults(&packages), ["sha2 comes in 2 versions: 1.0.0, 0.10.9"]);
    }

    #[test]
    fn a_cryptographic_crate_that_vanished_is_named() {
        let mut packages = sound();
        packages.retain(|package| package.name != "hpke");
        assert_eq!(faults(&packages).len(), 1);
    }

    #[test]
    fn a_pre_release_does_not_reach_a_floor() {
        assert_eq!(triple("0.11.19"), Some((0, 11, 19)));
        assert_eq!(triple("1.2.3+build.4"), Some((1, 2, 3)));
        assert_eq!(triple("0.12.0-rc.1"), None);
        assert!(triple("0.12.0-rc.1") < Some((0, 11, 19)));
    }
}
