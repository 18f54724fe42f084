//! `accept`: makes this device one of a patient's.
//!
//! Key and request id are written down before anything is sent. So a lost answer is asked for again, by the same
//! command, under the same request id; and a device that was enrolled without hearing of it finds out.

use rohrpost_client::{Answer, Visit, VisitError, random};
use rohrpost_e2ee::body::{Enrolled, Operation, Payload, Pin, SafeStatus, Status};
use rohrpost_e2ee::exchange::Author;
use rohrpost_e2ee::link::LinkError;
use rohrpost_e2ee::{Link, RequestId};
use rohrpost_wire::Timestamp;

use crate::account::{Account, Owner, Pending, Safe};
use crate::clock::Clock;
use crate::home::{Home, Locked};
use crate::problem::{LinkProblem, Problem};
use crate::session::{Correction, Corrections, draft};
use crate::standing::{Standing, standing, taken};
use crate::stored::StoredError;

/// What was typed to enrol a device.
#[derive(Debug)]
pub struct Invitation {
    /// The link.
    pub link: Link,
    /// The PIN from the other way.
    pub pin: Pin,
    /// How the practice shall show the device.
    pub device_name: String,
}

/// A device that is enrolled.
#[derive(Debug)]
pub struct Accepted {
    /// Whose.
    pub owner: Owner,
    /// Whether it had been before.
    pub already: bool,
}

/// Reads a link.
pub fn parse_link(text: &str) -> Result<Link, Problem> {
    Link::parse(text).map_err(|error| match error {
        LinkError::Damaged => LinkProblem::Damaged.into(),
        LinkError::Unsupported => LinkProblem::Unsupported.into(),
    })
}

/// The owner of this device, if it is enrolled already: with this link, or with the same safe, which still knows it.
/// Refuses a home that belongs to another safe.
pub async fn already(home: &Home, link: &Link) -> Result<Option<Accepted>, Problem> {
    Ok(match standing(home, link).await? {
        Standing::Enrolled(owner) => Some(Accepted { owner, already: true }),
        Standing::Free | Standing::Removed(_) => None,
    })
}

/// Enrols this device, or one in the place of a device that the safe has removed.
pub async fn accept(home: &Home, invitation: &Invitation) -> Result<Accepted, Problem> {
    let removed = match standing(home, &invitation.link).await? {
        Standing::Enrolled(owner) => return Ok(Accepted { owner, already: true }),
        Standing::Free => None,
        Standing::Removed(link) => Some(link),
    };
    home.create()?;
    let lock = home.lock()?;
    let account = home.account()?;
    if let Some(account) = &account
        && Some(account.link) != removed
    {
        // Another run was faster.
        return match account.clone() {
            account if account.link == invitation.link.secret.id() => {
                Ok(Accepted { owner: account.owner, already: true })
            }
            account => Err(taken(home, account)),
        };
    }
    let mut enrolment = Enrolment::begin(&lock, invitation, account.as_ref())?;
    let enrolled = enrolment.run().await?;
    let set_back = account.and_then(|removed| removed.set_back);
    let mut account = Account::new(&enrolment.pending, &enrolled.practice, &enrolled.patient);
    account.set_back = set_back;
    lock.save_account(&account)?;
    lock.remove_pending(account.link)?;
    Ok(Accepted { owner: account.owner, already: false })
}

struct Enrolment<'a> {
    lock: &'a Locked<'a>,
    invitation: &'a Invitation,
    pending: Pending,
    clock: Clock,
}

impl<'a> Enrolment<'a> {
    /// Takes up what was begun with this link, or begins; written down when this returns. What is known of the safe is
    /// what this text of the link says and what verified records said: to an earlier try, another link or the account
    /// that was removed, which holds nothing else.
    fn begin(lock: &'a Locked<'a>, invitation: &'a Invitation, removed: Option<&Account>) -> Result<Self, Problem> {
        let link = invitation.link.secret.id();
        let name = &invitation.device_name;
        let begun = lock.pending(link).map_err(begun_elsewhere)?;
        let learnt = lock.all_pending().into_iter().filter_map(|pending| pending.learnt());
        let elsewhere = learnt.chain(removed.map(|account| account.safe.known()));
        let safe = Safe::of_link(&invitation.link);
        let mut pending = begun.unwrap_or_else(|| Pending::begin(link, safe.clone(), name, &mut random::system()));
        pending.turn_to(safe, elsewhere);
        pending.rename(name, &mut random::system());
        lock.save_pending(&pending)?;
        Ok(Self { lock, invitation, pending, clock: Clock::default() })
    }

    async fn run(&mut self) -> Result<Enrolled, Problem> {
        let link = &self.invitation.link;
        let visit = Visit::begin(&link.relay, link.inbox, &self.pending.safe.known(), self.clock.now()).await?;
        if self.pending.learn(visit.safe()) {
            // Before the PIN goes out: a relay that takes a record back is found out by the next try too.
            self.lock.save_pending(&self.pending)?;
        }
        let answer = self.enrol(&visit).await?;
        let result = match (verdict(answer.reply.status), answer.reply.payload) {
            (Verdict::Enrolled, Payload::Enrolled(enrolled)) => Ok(enrolled),
            (Verdict::Perhaps(otherwise), _) => self.ask_whether_enrolled(&visit, otherwise).await,
            (Verdict::Refused(problem), _) => {
                self.handle_refusal(answer.reply.safe_time)?;
                Err(problem)
            }
            (Verdict::Enrolled, _) => Err(Problem::Unexpected(answer.reply.status)),
        };
        visit.end().await;
        result
    }

    /// Asks under the request id that is written down. If that id stands for another PIN, whose answer was lost, asks
    /// once more under a new one.
    async fn enrol(&mut self, visit: &Visit) -> Result<Answer, Problem> {
        let answer = self.ask(visit).await?;
        if answer.reply.status != Status::Conflict {
            return Ok(answer);
        }
        self.renew()?;
        self.ask(visit).await
    }

    async fn ask(&mut self, visit: &Visit) -> Result<Answer, Problem> {
        let key = self.pending.key();
        let author = Author::Enrol { key: &key, link: &self.invitation.link.secret };
        let mut corrections = Corrections::default();
        loop {
            let device_name = self.pending.device_name.clone();
            let operation = Operation::Enrol { pin: self.invitation.pin.clone(), device_name };
            let draft = draft(self.pending.request, self.clock.now(), operation);
            let answer = visit.ask(&draft, &author).await.map_err(unanswered)?;
            match corrections.handle_status(answer.reply.status) {
                Correction::None => return Ok(answer),
                Correction::SetClock => self.clock.set(answer.reply.safe_time),
                Correction::Again => {}
            }
        }
    }

    /// The link enrols nobody now, perhaps because it enrolled this very device, whose answer was lost: then the safe
    /// knows its key.
    async fn ask_whether_enrolled(&mut self, visit: &Visit, otherwise: LinkProblem) -> Result<Enrolled, Problem> {
        let key = self.pending.key();
        let mut corrections = Corrections::default();
        loop {
            let reserved = self.pending.sequence.reserve();
            self.lock.save_pending(&self.pending)?;
            let author = Author::Device { key: &key, sequence: reserved.number };
            let id = RequestId::generate(&mut random::system());
            let answer = visit.ask(&draft(id, self.clock.now(), Operation::Status), &author).await?;
            // Nothing was confirmed before, so nothing can have been forgotten.
            self.pending.sequence.handle_reply(reserved, &answer.reply).unwrap_or(());
            if corrections.handle_status(answer.reply.status) == Correction::Again {
                continue;
            }
            return match (answer.reply.status, answer.reply.payload) {
                (Status::Done, Payload::Status(SafeStatus { practice, patient, .. })) => {
                    Ok(Enrolled { practice, patient })
                }
                (Status::NotAllowed, _) => {
                    self.handle_refusal(answer.reply.safe_time)?;
                    Err(otherwise.into())
                }
                (status, _) => Err(Problem::of_status(status)),
            };
        }
    }

    /// The key is kept as long as the link may live: only then nothing that was sent can still enrol it.
    fn handle_refusal(&mut self, safe_time: Timestamp) -> Result<(), Problem> {
        if safe_time < self.invitation.link.expires {
            return self.renew();
        }
        Ok(self.lock.remove_pending(self.pending.link)?)
    }

    fn renew(&mut self) -> Result<(), Problem> {
        self.pending.renew(&mut random::system());
        Ok(self.lock.save_pending(&self.pending)?)
    }
}

/// What another version began is not begun anew: its key may be enrolled by now, and only its file has that.
fn begun_elsewhere(error: StoredError) -> Problem {
    if matches!(error, StoredError::Unsupported(_)) { LinkProblem::OtherVersion.into() } else { error.into() }
}

/// A request that was sent and not answered may have had its effect.
fn unanswered(error: VisitError) -> Problem {
    match error {
        error if Problem::Visit(error).is_absence() => Problem::Visit(error),
        error if error.is_passing() => LinkProblem::Unanswered(error).into(),
        error => Problem::Visit(error),
    }
}

/// What an answer to an enrolment means.
#[derive(Debug)]
pub enum Verdict {
    /// The device is the patient's.
    Enrolled,
    /// Perhaps this device was before; if not, this is why it cannot be now.
    Perhaps(LinkProblem),
    /// Not so; the next try is a new request of the same device.
    Refused(Problem),
}

/// Reads it off the status.
pub fn verdict(status: Status) -> Verdict {
    match status {
        Status::Done => Verdict::Enrolled,
        Status::LinkUsed => Verdict::Perhaps(LinkProblem::Used),
        Status::NotAllowed => Verdict::Perhaps(LinkProblem::Unknown),
        // The safe counts what it records with a link, and looks at nothing more when that is used up.
        Status::Busy => Verdict::Perhaps(LinkProblem::UsedUp),
        Status::WrongPin { .. }
        | Status::LinkExpired
        | Status::LinkDead
        | Status::Repeated
        | Status::RequestExpired
        | Status::ClockAhead
        | Status::Changed
        | Status::Conflict
        | Status::OutOfSequence
        | Status::LiveOnly
        | Status::Damaged => Verdict::Refused(Problem::of_status(status)),
    }
}

#[cfg(test)]
mod tests;
