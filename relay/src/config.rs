//! What an operator can set: a TOML file, and flags that override it.
//!
//! Read once at the start and passed on by value. An unknown key is an error, so a misspelt limit is never silently the
//! default.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;

use serde::Deserialize;

use crate::quota::Limits;

/// The configuration file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FileConfig {
    /// The data folder: key, spool, lock. Default: `/var/lib/rohrpost-relay` for root, else `$XDG_STATE_HOME` or the
    /// user's data folder.
    pub data: Option<PathBuf>,
    /// The UDP address to listen at. Default: `0.0.0.0:4433`.
    pub listen: Option<SocketAddr>,
    /// HOST:PORT under which clients reach the relay. Default: the address it listens at.
    pub public: Option<PublicPlace>,
    /// What is logged: `error`, `warn`, `info`, `debug`, `trace`, or a filter per module. Default: `info`.
    pub log: Option<String>,
    /// How much the relay takes on; see [`Limits`] for each number, its default and its reason.
    pub limits: Limits,
}

/// Where a relay listens unless it is told otherwise.
pub const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::UNSPECIFIED), 4433);

/// HOST:PORT, an IPv6 address in brackets.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct PublicPlace(pub String, pub u16);

/// Not of the form HOST:PORT.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not of the form HOST:PORT")]
pub struct PublicPlaceError;

impl FromStr for PublicPlace {
    type Err = PublicPlaceError;

    fn from_str(text: &str) -> Result<Self, PublicPlaceError> {
        let (host, port) = text.rsplit_once(':').ok_or(PublicPlaceError)?;
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let bracketed = bare.is_some();
        let host = bare.unwrap_or(host);
        if host.is_empty() || host.contains(':') != bracketed {
            return Err(PublicPlaceError);
        }
        Ok(Self(host.to_owned(), port.parse().map_err(|_| PublicPlaceError)?))
    }
}

impl TryFrom<String> for PublicPlace {
    type Error = PublicPlaceError;

    fn try_from(text: String) -> Result<Self, PublicPlaceError> {
        text.parse()
    }
}

/// The platform's usual place for what a service of this name keeps.
pub fn default_data() -> Option<PathBuf> {
    const NAME: &str = "rohrpost-relay";
    if is_root() {
        return Some(PathBuf::from("/var/lib").join(NAME));
    }
    let state = std::env::var_os("XDG_STATE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let data = || directories::BaseDirs::new().map(|base| base.data_local_dir().to_owned());
    Some(state.or_else(data)?.join(NAME))
}

#[cfg(unix)]
fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[cfg(not(unix))]
fn is_root() -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_names_every_default() {
        let example: FileConfig = toml::from_str(include_str!("../relay.example.toml")).unwrap();
        assert_eq!(example.limits, Limits::default());
        assert_eq!(example.listen, Some(DEFAULT_LISTEN));
        assert_eq!(example.public, Some(PublicPlace("relay.example".into(), 4433)));
        let limits = include_str!("../relay.example.toml").split_once("[limits]").unwrap().1;
        let shown = limits.lines().filter(|line| line.contains(" = ")).count();
        // The Debug form of the limits names every field once.
        let fields = format!("{:?}", Limits::default()).matches(": ").count();
        assert_eq!(shown, fields);
    }

    #[test]
    fn an_unknown_key_is_refused_wherever_it_stands() {
        for text in ["litsen = '127.0.0.1:1'", "[limits]\ncals = 3", "listen = 'nowhere'", "public = 'host'"] {
            assert!(toml::from_str::<FileConfig>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_public_place_is_host_and_port() {
        assert_eq!("relay.example:1".parse(), Ok(PublicPlace("relay.example".into(), 1)));
        assert_eq!("[::1]:1".parse(), Ok(PublicPlace("::1".into(), 1)));
        for text in ["relay.example", "::1:1", ":1", "[]:1", "h:70000", "[h]:1"] {
            assert_eq!(text.parse::<PublicPlace>(), Err(PublicPlaceError), "{text}");
        }
    }
}
