//! The ways into a program that no request takes: sockets, variables of its environment, switches of its build. Each one
//! is known here, so that no page for debugging is ever left on.

use std::fs;
use std::path::Path;

use rohrpost_figures::Figures;

use super::{PRODUCT, sources};

/// What opens a door, and the sources in which it may stand.
const DOORS: [(&str, &[&str]); 9] = [
    ("TcpListener", &[]),
    ("UnixListener::bind", &["safe-agent/src/admin/server.rs"]),
    ("UdpSocket::bind", &["relay/src/transport.rs"]),
    ("Endpoint::server", &[]),
    ("Endpoint::new", &["relay/src/transport.rs"]),
    ("env::var(", &["patient/src/input.rs"]),
    ("env::var_os(", &["relay/src/config.rs", "safe-agent/src/cli/commands.rs", "safe-agent/src/cli/passphrase.rs"]),
    ("env::vars", &[]),
    // What only builds for developers would do.
    ("debug_assertions", &[]),
];

/// Every variable of the environment that a program of ours reads.
const VARIABLES: [&str; 6] =
    ["COMPUTERNAME", "CREDENTIALS_DIRECTORY", "HOME", "ROHRPOST_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"];

fn open_elsewhere(path: &str, text: &str) -> Vec<&'static str> {
    let code: String = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    let doors =
        DOORS.iter().filter(|(door, places)| code.contains(door) && !places.iter().any(|own| path.ends_with(own)));
    doors.map(|(door, _)| *door).collect()
}

/// Words in capitals between quotation marks, in a source that looks at the environment.
fn variables(text: &str) -> Vec<&str> {
    let reads = text.contains("env::var") || text.contains("env = \"");
    let pieces: Vec<&str> = text.split('"').collect();
    // What a person is shown in the help is no variable.
    let shown = |before: &str| before.ends_with("value_name = ");
    let quoted = pieces.chunks(2).filter(|pair| reads && pair.len() == 2 && !shown(pair[0])).map(|pair| pair[1]);
    let named = |word: &&str| word.len() > 3 && word.chars().all(|c| c.is_ascii_uppercase() || c == '_');
    quoted.filter(named).collect()
}

#[test]
fn nothing_listens_or_reads_the_environment_but_where_it_is_known_to() {
    let mut read = 0;
    for (path, text) in sources() {
        let path = path.to_string_lossy().into_owned();
        assert_eq!(open_elsewhere(&path, &text), Vec::<&str>::new(), "{path}");
        for name in variables(&text) {
            assert!(VARIABLES.contains(&name), "{path}: reads {name}?");
            read += 1;
        }
    }
    assert!(read > 0, "no variable was found at all");
    Figures::of("fuzz.doors").count("variables read", read).none("doors that are not known").publish();
}

#[test]
fn no_package_of_the_product_has_a_switch_at_build_time() {
    for package in PRODUCT {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(package).join("Cargo.toml");
        let text = fs::read_to_string(&manifest).unwrap();
        assert!(!text.contains("[features]") && !text.contains("optional = true"), "{}", manifest.display());
    }
    for (path, text) in sources() {
        assert!(!text.contains("feature = \""), "{}", path.display());
    }
}

#[test]
fn a_page_for_debugging_is_noticed() {
    assert_eq!(open_elsewhere("relay/src/debug.rs", "let door = TcpListener::bind(at)?;"), ["TcpListener"]);
    assert_eq!(open_elsewhere("relay/src/transport.rs", "UdpSocket::bind(listen)"), Vec::<&str>::new());
    assert_eq!(variables("if env::var_os(\"ROHRPOST_DEBUG\").is_some() {"), ["ROHRPOST_DEBUG"]);
}
