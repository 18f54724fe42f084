//! Bombs: nothing that is shipped can unpack anything, so nothing can be made to unpack without end.

use std::process::Command;

use rohrpost_figures::Figures;

/// Libraries that unpack archives, streams, pictures, pages or mails.
const UNPACKERS: [&str; 16] = [
    "flate2",
    "miniz_oxide",
    "libz-sys",
    "zlib-rs",
    "zip",
    "tar",
    "bzip2",
    "xz2",
    "lzma-rs",
    "zstd",
    "brotli",
    "image",
    "png",
    "jpeg-decoder",
    "lopdf",
    "mail-parser",
];

/// What a program links, by name.
fn linked(package: &str) -> Vec<String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let arguments = ["tree", "--edges", "normal", "--prefix", "none", "--locked", "--offline", "--package", package];
    let tree = Command::new(cargo).args(arguments).output().unwrap();
    assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
    let lines = String::from_utf8(tree.stdout).unwrap();
    lines.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
}

fn unpackers(linked: &[String]) -> Vec<&str> {
    UNPACKERS.into_iter().filter(|name| linked.iter().any(|linked| linked == name)).collect()
}

#[test]
fn no_program_links_code_that_unpacks_or_draws_what_it_is_given() {
    let mut looked_at = 0;
    for package in ["rohrpost-relay", "rohrpost-safe-agent", "rohrpost-patient"] {
        let linked = linked(package);
        assert!(linked.iter().any(|name| name == "rohrpost-wire"), "an empty tree proves nothing");
        assert_eq!(unpackers(&linked), Vec::<&str>::new(), "{package}");
        looked_at += linked.len() as u64;
    }
    Figures::of("fuzz.inflation").count("packages linked", looked_at).none("that unpack").publish();
}

#[test]
fn a_program_that_links_zlib_is_noticed() {
    assert_eq!(unpackers(&["serde".into(), "miniz_oxide".into()]), ["miniz_oxide"]);
}
