//! One relay on loopback that can die and come back, and a place for everybody's folders.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use rohrpost_relay::{BindError, Config, Limits, Relay};
use rohrpost_wire::RelayAddress;
use tempfile::TempDir;

use crate::PATIENCE;

/// A relay and the folder under which everything of one test lies.
#[derive(Debug)]
pub struct World {
    folder: TempDir,
    listen: SocketAddr,
    relay: Option<Relay>,
    url: RelayAddress,
}

impl World {
    /// Starts a relay on a free port.
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let relay = bind(&folder.path().join("relay"), (Ipv4Addr::LOCALHOST, 0).into()).await;
        Self { listen: relay.local_address(), url: relay.url(), relay: Some(relay), folder }
    }

    /// Where clients find it.
    pub fn relay(&self) -> &RelayAddress {
        &self.url
    }

    /// The relay's data folder.
    pub fn relay_folder(&self) -> PathBuf {
        self.place("relay")
    }

    /// A place for a folder or file of this test.
    pub fn place(&self, name: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The relay stops in the middle of whatever it does.
    pub fn relay_dies(&mut self) {
        drop(self.relay.take().expect("the relay runs"));
    }

    /// The relay is started again on its old folder and port.
    pub async fn relay_returns(&mut self) {
        self.relay = Some(bind(&self.relay_folder(), self.listen).await);
    }
}

/// Binds; a port that its last owner is still letting go of is waited for.
async fn bind(data: &Path, listen: SocketAddr) -> Relay {
    let binding = async {
        loop {
            let config = Config { data: data.to_owned(), listen, public: None, limits: Limits::default() };
            match Relay::bind(config).await {
                Ok(relay) => return relay,
                Err(BindError::AddressInUse | BindError::Folder(_)) => tokio::task::yield_now().await,
                Err(error) => panic!("the relay does not start: {error}"),
            }
        }
    };
    tokio::time::timeout(PATIENCE, binding).await.expect("the relay's port becomes free")
}
