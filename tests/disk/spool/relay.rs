//! The real relay, and the safe whose inbox it keeps.

use std::path::Path;
use std::process::Command;

use rohrpost_client::{AskError, Connection, Role};
use rohrpost_e2ee::keys::SigningSecret;
use rohrpost_tests::process::program;
use rohrpost_wire::frame::{Deposit, Destination, TtlClass};
use rohrpost_wire::{InboxId, RelayAddress};

use super::ledger::Ledger;
use crate::program::Program;

/// A relay that listens.
pub(crate) struct Relay {
    /// The program.
    pub(crate) program: Program,
    /// Where it is.
    pub(crate) address: RelayAddress,
}

impl Relay {
    /// How one is started on a data folder.
    pub(crate) fn command(data: &Path) -> Command {
        let mut command = Command::new(program("rohrpost-relay"));
        command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(data);
        command
    }

    /// Starts one.
    pub(crate) fn start(data: &Path) -> Self {
        Self::listening(Program::spawn(&mut Self::command(data)))
    }

    /// The same, and adds its log to a file.
    pub(crate) fn heard(data: &Path, log: &Path) -> Self {
        Self::listening(Program::heard(&mut Self::command(data), log))
    }

    /// Waits until it listens.
    pub(crate) fn listening(mut program: Program) -> Self {
        let line = program.first_line();
        let url = line.strip_prefix("relay: ").unwrap_or_else(|| panic!("the relay says {line:?}"));
        Self { program, address: url.parse().unwrap() }
    }
}

/// The owner of an inbox.
pub(crate) struct Owner {
    route: SigningSecret,
    logins: u64,
}

impl Owner {
    /// A safe nobody has seen.
    pub(crate) fn new() -> Self {
        Self { route: SigningSecret::from_bytes(&[7; 32]), logins: 0 }
    }

    /// Its address.
    pub(crate) fn inbox(&self) -> InboxId {
        InboxId::of_route_key(&self.route.public().0)
    }

    /// What is deposited for it.
    pub(crate) fn deposit(&self) -> Deposit {
        let to = Destination::Inbox(self.inbox());
        Deposit { to, ticket: None, ttl: TtlClass::Day, reply_mailbox: None }
    }

    /// Logs in.
    pub(crate) async fn login(&mut self, relay: &RelayAddress) -> Connection {
        self.logins += 1;
        let safe = Connection::dial(relay, Role::Safe).await.unwrap();
        safe.login(&self.route, self.logins).await.unwrap();
        safe
    }
}

/// Takes one page of what waits, or will, and acks it; how many there were.
pub(crate) async fn take_page(
    safe: &Connection,
    inbox: InboxId,
    ledger: &Ledger,
    wait: bool,
) -> Result<usize, AskError> {
    let ids = ledger.delivered(&safe.fetch(inbox, wait).await?);
    if ids.is_empty() {
        return Ok(0);
    }
    ledger.leaving(&ids);
    safe.ack(ids.clone()).await?;
    ledger.erased(&ids);
    Ok(ids.len())
}

/// Takes all that waits, and settles the ledger.
pub(crate) async fn drain(safe: &Connection, inbox: InboxId, ledger: &Ledger) {
    while take_page(safe, inbox, ledger, false).await.unwrap() > 0 {}
    ledger.drained();
}
