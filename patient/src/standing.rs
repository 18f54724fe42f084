//! Whether a home has room for a device: it is free, or its own was removed by the very safe that now invites another.
//!
//! Nothing is changed here, and no account makes room but on the sealed word of its own safe.

use rohrpost_e2ee::body::{Operation, Status};
use rohrpost_e2ee::{Link, LinkId};

use crate::account::{Account, Owner};
use crate::home::Home;
use crate::problem::Problem;
use crate::session::Session;

/// What a home is to a link.
#[derive(Debug)]
pub(crate) enum Standing {
    /// Free.
    Free,
    /// Its device is enrolled.
    Enrolled(Owner),
    /// Its device, of this link, is no longer one at this link's safe.
    Removed(LinkId),
}

/// Asks the safe, where only that can tell. Refuses a home that belongs to another safe.
pub(crate) async fn standing(home: &Home, link: &Link) -> Result<Standing, Problem> {
    let Some(account) = home.account()? else { return Ok(Standing::Free) };
    if account.link == link.secret.id() {
        return Ok(Standing::Enrolled(account.owner));
    }
    if account.safe.known().pin != link.pin {
        return Err(taken(home, account));
    }
    let mut session = Session::open(home.clone())?;
    let answer = session.ask(Operation::Status).await;
    session.end().await;
    still_enrolled(account, answer?.reply.status)
}

/// Only a safe that does not know the device any more makes room for another.
fn still_enrolled(account: Account, status: Status) -> Result<Standing, Problem> {
    if status == Status::Done {
        Ok(Standing::Enrolled(account.owner))
    } else if status == Status::NotAllowed {
        Ok(Standing::Removed(account.link))
    } else {
        Err(Problem::of_status(status))
    }
}

/// The problem of a home with another account.
pub(crate) fn taken(home: &Home, account: Account) -> Problem {
    Problem::AlreadyEnrolled { home: home.folder().to_owned(), practice: account.owner.practice }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::tests::account;

    #[test]
    fn only_a_device_that_the_safe_removed_makes_room_for_another() {
        assert!(matches!(still_enrolled(account(), Status::Done), Ok(Standing::Enrolled(_))));
        let removed = still_enrolled(account(), Status::NotAllowed);
        assert!(matches!(removed, Ok(Standing::Removed(link)) if link == account().link));
        for status in [Status::Busy, Status::OutOfSequence, Status::Damaged, Status::ClockAhead] {
            assert!(still_enrolled(account(), status).is_err(), "{status:?}");
        }
    }
}
