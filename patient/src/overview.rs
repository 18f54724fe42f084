//! `status`: whose this device is, and who can be reached now.

use std::path::PathBuf;

use rohrpost_client::{AskError, VisitError};
use rohrpost_e2ee::body::{Operation, Payload, SafeStatus, Status};
use rohrpost_wire::{ErrorCode, RelayAddress, Timestamp};

use crate::account::Owner;
use crate::home::Home;
use crate::problem::Problem;
use crate::session::Session;

/// What there is to know. What the safe could not be asked is as it was at the enrolment, or not known.
#[derive(Debug)]
pub struct Overview {
    /// Whose device it is.
    pub owner: Owner,
    /// How many documents are shared.
    pub documents: Option<u32>,
    /// The relay.
    pub relay: RelayAddress,
    /// Whether it answered with its key.
    pub relay_reachable: bool,
    /// Whether the safe answered; not known without the relay.
    pub safe_reachable: Option<bool>,
    /// The highest epoch of the safe that was met.
    pub epoch: u32,
    /// When it was last noticed that the safe had been set back.
    pub set_back: Option<Timestamp>,
    /// The file with the keys.
    pub keys: PathBuf,
}

/// Asks relay and safe, and says what kept them from answering.
pub async fn overview(home: &Home, session: &mut Session) -> (Overview, Option<Problem>) {
    let met = session.meet().await;
    let relay_reachable = met.as_ref().map_or_else(the_relay_answered, |()| true);
    let asked = match met {
        Ok(()) => ask(session).await,
        Err(problem) => Err(problem),
    };
    let (status, problem) = match asked {
        Ok(status) => (Some(status), None),
        Err(problem) => (None, Some(problem)),
    };
    let account = session.account();
    let overview = Overview {
        owner: status.as_ref().map_or_else(|| account.owner.clone(), owner),
        documents: status.map(|status| status.documents),
        relay: account.safe.relay.clone(),
        relay_reachable,
        safe_reachable: relay_reachable.then_some(session.was_answered()),
        epoch: account.safe.epoch(),
        set_back: account.set_back,
        keys: home.account_path(),
    };
    (overview, problem)
}

async fn ask(session: &mut Session) -> Result<SafeStatus, Problem> {
    let reply = session.ask(Operation::Status).await?.reply;
    match (reply.status, reply.payload) {
        (Status::Done, Payload::Status(status)) => Ok(status),
        (status, _) => Err(Problem::of_status(status)),
    }
}

fn owner(status: &SafeStatus) -> Owner {
    let SafeStatus { practice, patient, device_name, .. } = status.clone();
    Owner { practice, patient, device_name }
}

/// Whether the relay, asked for the safe's records, answered all the same. What fails later is not its absence.
fn the_relay_answered(problem: &Problem) -> bool {
    let Problem::Visit(error) = problem else { return true };
    match error {
        VisitError::Connect(_) | VisitError::Ask(AskError::Lost | AskError::TimedOut | AskError::Misbehaved) => false,
        VisitError::Ask(AskError::Refused(code)) => *code != ErrorCode::ShuttingDown,
        VisitError::Trust(_) | VisitError::Seal(_) | VisitError::Open => true,
    }
}

#[cfg(test)]
mod tests {
    use rohrpost_client::ConnectError;

    use super::*;

    #[test]
    fn an_absent_safe_is_no_absent_relay() {
        let door = |error| the_relay_answered(&Problem::Visit(error));
        assert!(door(VisitError::Ask(AskError::Refused(ErrorCode::Away))));
        assert!(door(VisitError::Open));
        assert!(!door(VisitError::Connect(ConnectError::Unreachable)));
        assert!(!door(VisitError::Ask(AskError::Lost)));
        assert!(the_relay_answered(&Problem::NotAllowed));
    }
}
