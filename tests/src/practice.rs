//! A practice: a safe, served, and its owner's desk.

use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;

use rohrpost_safe_agent::agent::Agent;
use rohrpost_safe_agent::clock;
use rohrpost_safe_agent::office::view::{Device, Document, Entry, Status};
use rohrpost_safe_agent::office::{Office, OfficeError, Reply, Request};
use rohrpost_safe_agent::opening::{self, OpenVault};
use rohrpost_safe_agent::presence::Presence;
use rohrpost_safe_agent::transfers::Transfers;
use rohrpost_safe_agent::vault::{Cost, Draft, Keeper, Passphrase, Row, StoreError, Table, Unlock};
use rohrpost_wire::RelayAddress;
use rohrpost_wire::fixed::Fixed;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::{Line, PATIENCE, World, until};

const PASSPHRASE: &str = "an invented passphrase";

/// A safe and its owner.
#[derive(Debug)]
pub struct Practice {
    /// Its data folder.
    pub data: PathBuf,
    served: Option<Served>,
}

#[derive(Debug)]
struct Served {
    office: Office,
    presence: Presence,
    transfers: Transfers,
    agent: JoinHandle<Result<(), StoreError>>,
    stop: watch::Sender<bool>,
    keeper: Keeper,
}

/// A link and the PIN that belongs to it.
#[derive(Clone, Debug)]
pub struct Invitation {
    /// Goes one way.
    pub link: String,
    /// Goes another way.
    pub pin: String,
}

impl Practice {
    /// Makes a safe, serves it and waits until it is logged in.
    pub async fn open(world: &World, name: &str) -> Self {
        let mut practice = Self::found(world, name);
        practice.serve().await;
        practice.connected().await;
        practice
    }

    /// The same at the end of a line to the relay.
    pub async fn open_at(world: &World, line: &Line, name: &str) -> Self {
        let mut practice = Self::found_at(world, line.end(), name);
        practice.serve().await;
        practice.connected().await;
        practice
    }

    /// Makes a safe that is not served.
    pub fn found(world: &World, name: &str) -> Self {
        Self::found_at(world, world.relay(), name)
    }

    fn found_at(world: &World, relay: &RelayAddress, name: &str) -> Self {
        let data = world.place(name);
        let new = opening::create(&data, &passphrase(), Cost::LOWEST, name, relay, clock::now()).unwrap();
        new.finish().unwrap();
        Self { data, served: None }
    }

    /// Opens the vault and connects to the relay.
    pub async fn serve(&mut self) {
        let OpenVault { folder, keeper, condition } = self.unlocked().await;
        let (transfers, presence) = (Transfers::default(), Presence::served());
        let (handle, place) = (keeper.handle(), Arc::clone(&folder));
        let office = Office::new(handle, place, transfers.clone(), presence.clone(), condition);
        let agent = Agent::new(keeper.handle(), folder, transfers.clone(), presence.clone()).await.unwrap();
        let (stop, stopping) = watch::channel(false);
        let agent = tokio::spawn(agent.run(stopping));
        self.served = Some(Served { office, presence, transfers, agent, stop, keeper });
    }

    /// Opens the vault; one that a task of the last session is still letting go of is waited for.
    async fn unlocked(&self) -> OpenVault {
        let opening = async {
            loop {
                match opening::open(&self.data, &Unlock::Passphrase(&passphrase())) {
                    Err(trouble) if opening::is_open_elsewhere(&trouble) => tokio::task::yield_now().await,
                    opened => return opened.unwrap(),
                }
            }
        };
        tokio::time::timeout(PATIENCE, opening).await.expect("the vault becomes free")
    }

    /// Waits until the safe is logged in at its relay.
    pub async fn connected(&self) {
        let presence = &self.served().presence;
        until("the safe is logged in", || presence.connected() == Some(true)).await;
    }

    /// Waits until the safe has noticed that its relay is gone.
    pub async fn disconnected(&self) {
        let presence = &self.served().presence;
        until("the safe notices that the relay is gone", || presence.connected() == Some(false)).await;
    }

    /// The safe is told to stop, and does.
    pub async fn closes(&mut self) {
        let Served { agent, keeper, office, stop, .. } = self.served.take().expect("the safe is served");
        stop.send_replace(true);
        agent.await.unwrap().unwrap();
        drop(office);
        keeper.shutdown().await;
    }

    /// The safe stops in the middle of whatever it does.
    pub async fn stops(&mut self) {
        let Served { agent, keeper, office, .. } = self.served.take().expect("the safe is served");
        agent.abort();
        // The vault is closed only when every handle to it is gone, those of running transfers too.
        drop((agent.await, office));
        keeper.shutdown().await;
    }

    /// Overwrites the rights of one patient with bytes that are no row, as a bad disk might.
    pub async fn spoil_grants(&self, patient: &str) {
        let prefix = Fixed::<16>::from_hex(patient).unwrap();
        let spoil = move |draft: &mut Draft<'_>| {
            for (key, _) in draft.scan(Table::Grants, &prefix.0, None, 100)? {
                draft.put(Table::Grants, &key, Row::new(vec![1, 2, 3]))?;
            }
            Ok::<(), StoreError>(())
        };
        self.served().keeper.handle().transact(spoil).await.unwrap().unwrap();
    }

    /// Leaves the safe without prekeys, as if their time had passed.
    pub async fn lose_prekeys(&self) {
        let lose = |draft: &mut Draft<'_>| {
            for (key, _) in draft.scan(Table::Prekeys, &[], None, 100)? {
                draft.delete(Table::Prekeys, &key)?;
            }
            Ok::<(), StoreError>(())
        };
        self.served().keeper.handle().transact(lose).await.unwrap().unwrap();
    }

    /// How many transfers run.
    pub fn transfers(&self) -> usize {
        self.served().transfers.running()
    }

    /// Asks the desk.
    pub async fn ask(&self, request: Request) -> Result<Reply, OfficeError> {
        self.ask_with(request, std::io::empty()).await
    }

    /// Asks the desk, with the bytes of a document.
    pub async fn ask_with(
        &self,
        request: Request,
        mut content: impl Read + Send + 'static,
    ) -> Result<Reply, OfficeError> {
        let office = self.served().office.clone();
        tokio::task::spawn_blocking(move || office.perform(request, &mut content, clock::now())).await.unwrap()
    }

    /// Adds a patient and returns the id.
    pub async fn patient(&self, name: &str) -> String {
        let request = Request::PatientAdd { name: name.into(), birth_date: None, number: None };
        let Ok(Reply::PatientAdded { patient_id }) = self.ask(request).await else { panic!("no patient added") };
        patient_id
    }

    /// Imports a document and returns the id.
    pub async fn document(&self, patient: &str, file_name: &str, content: &[u8]) -> String {
        let request = Request::DocumentAdd { patient: patient.into(), title: None, file_name: file_name.into() };
        let reply = self.ask_with(request, std::io::Cursor::new(content.to_vec())).await;
        let Ok(Reply::DocumentAdded { document_id, .. }) = reply else { panic!("no document imported") };
        document_id
    }

    /// Imports a document, shares it and returns the id.
    pub async fn shared(&self, patient: &str, file_name: &str, content: &[u8]) -> String {
        let document = self.document(patient, file_name, content).await;
        self.share(patient, &document).await;
        document
    }

    /// Shares a document.
    pub async fn share(&self, patient: &str, document: &str) {
        let request = Request::Share { patient: patient.into(), document: document.into(), until: None };
        self.ask(request).await.unwrap();
    }

    /// Takes a share back.
    pub async fn unshare(&self, patient: &str, document: &str) {
        self.ask(Request::Unshare { patient: patient.into(), document: document.into() }).await.unwrap();
    }

    /// Makes a link.
    pub async fn invite(&self, patient: &str) -> Invitation {
        let request = Request::Link { patient: patient.into(), app_url: None, until: None };
        let Ok(Reply::Link { link, pin, .. }) = self.ask(request).await else { panic!("no link made") };
        Invitation { link, pin }
    }

    /// All devices.
    pub async fn devices(&self) -> Vec<Device> {
        let Ok(Reply::Devices { devices, .. }) = self.ask(Request::DeviceList).await else { panic!("no list") };
        devices
    }

    /// Revokes a device.
    pub async fn revoke(&self, device: &str) {
        self.ask(Request::DeviceRevoke { device: device.into() }).await.unwrap();
    }

    /// The first page of all documents.
    pub async fn documents(&self) -> Vec<Document> {
        let request = Request::DocumentList { patient: None, after: None };
        let Ok(Reply::Documents { documents, .. }) = self.ask(request).await else { panic!("no list") };
        documents
    }

    /// The first page of the record of decisions.
    pub async fn log(&self) -> Vec<Entry> {
        let Ok(Reply::Log { entries, .. }) = self.ask(Request::Log { patient: None, from: 0 }).await else {
            panic!("no log")
        };
        entries
    }

    /// How the safe is.
    pub async fn status(&self) -> Status {
        let Ok(Reply::Status(status)) = self.ask(Request::Status).await else { panic!("no status") };
        *status
    }

    fn served(&self) -> &Served {
        self.served.as_ref().expect("the safe is served")
    }
}

fn passphrase() -> Passphrase {
    Passphrase::new(PASSPHRASE.into())
}
