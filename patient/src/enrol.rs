//! `accept`: makes this device one of a patient's.
//!
//! Key and request id are written down before anything is sent. So a lost answer is asked for again, by the same
//! command, under the same request id; and a device that was enrolled without hearing of it finds out.

use rohrpost_client::{Answer, Visit, VisitError, random};
use rohrpost_e2ee::body::{Enrolled, Operation, Payload, Pin, SafeStatus, Status};
use rohrpost_e2ee::exchange::Author;
use rohrpost_e2ee::link::LinkError;
use rohrpost_e2ee::{Link, RequestId};

use crate::account::{Account, Owner, Pending, Safe};
use crate::clock::Clock;
use crate::home::{Home, Locked};
use crate::problem::{LinkProblem, Problem};
use crate::session::{Correction, Corrections, draft};

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
    /// Whether this very link had enrolled it before.
    pub already: bool,
}

/// Reads a link.
pub fn parse_link(text: &str) -> Result<Link, Problem> {
    Link::parse(text).map_err(|error| match error {
        LinkError::Damaged => LinkProblem::Damaged.into(),
        LinkError::Unsupported => LinkProblem::Unsupported.into(),
    })
}

/// The owner of the device that this link has enrolled here, if it has; refuses a home that another link has taken.
pub fn already(home: &Home, link: &Link) -> Result<Option<Accepted>, Problem> {
    match home.account()? {
        None => Ok(None),
        Some(account) if account.link == link.secret.id() => Ok(Some(Accepted { owner: account.owner, already: true })),
        Some(account) => {
            Err(Problem::AlreadyEnrolled { home: home.folder().to_owned(), practice: account.owner.practice })
        }
    }
}

/// Enrols this device.
pub async fn accept(home: &Home, invitation: &Invitation) -> Result<Accepted, Problem> {
    home.create()?;
    let lock = home.lock()?;
    if let Some(accepted) = already(home, &invitation.link)? {
        return Ok(accepted);
    }
    let mut enrolment = Enrolment::begin(&lock, invitation)?;
    let enrolled = enrolment.run().await?;
    let account = Account::new(&enrolment.pending, enrolment.safe, &enrolled.practice, &enrolled.patient);
    lock.save_account(&account)?;
    lock.remove_pending()?;
    Ok(Accepted { owner: account.owner, already: false })
}

struct Enrolment<'a> {
    lock: &'a Locked<'a>,
    invitation: &'a Invitation,
    pending: Pending,
    safe: Safe,
    clock: Clock,
}

impl<'a> Enrolment<'a> {
    /// Takes up what was begun with this link, or begins; written down when this returns.
    fn begin(lock: &'a Locked<'a>, invitation: &'a Invitation) -> Result<Self, Problem> {
        let link = invitation.link.secret.id();
        let name = &invitation.device_name;
        let begun = lock.pending()?.filter(|pending| pending.link == link);
        let mut pending = begun.unwrap_or_else(|| Pending::begin(link, name, &mut random::system()));
        pending.rename(name, &mut random::system());
        lock.save_pending(&pending)?;
        Ok(Self { lock, invitation, pending, safe: Safe::of_link(&invitation.link), clock: Clock::default() })
    }

    async fn run(&mut self) -> Result<Enrolled, Problem> {
        let link = &self.invitation.link;
        let visit = Visit::begin(&link.relay, link.inbox, &self.safe.known(), self.clock.now()).await?;
        self.safe.learn(visit.safe());
        let answer = self.enrol(&visit).await?;
        let result = match (verdict(answer.reply.status), answer.reply.payload) {
            (Verdict::Enrolled, Payload::Enrolled(enrolled)) => Ok(enrolled),
            (Verdict::Perhaps, _) => self.ask_whether_enrolled(&visit).await,
            (Verdict::AnotherTry(problem), _) => {
                self.renew()?;
                Err(problem)
            }
            (Verdict::Never(problem), _) => {
                self.lock.remove_pending()?;
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

    /// The link is used, perhaps by this very device, whose answer was lost: then the safe knows its key.
    async fn ask_whether_enrolled(&mut self, visit: &Visit) -> Result<Enrolled, Problem> {
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
                    self.lock.remove_pending()?;
                    Err(LinkProblem::Used.into())
                }
                (status, _) => Err(Problem::of_status(status)),
            };
        }
    }

    fn renew(&mut self) -> Result<(), Problem> {
        self.pending.renew(&mut random::system());
        Ok(self.lock.save_pending(&self.pending)?)
    }
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
enum Verdict {
    /// The device is the patient's.
    Enrolled,
    /// Somebody's device is; perhaps this one.
    Perhaps,
    /// Not yet; the next try is a new request of the same device.
    AnotherTry(Problem),
    /// Not with this link.
    Never(Problem),
}

fn verdict(status: Status) -> Verdict {
    match status {
        Status::Done => Verdict::Enrolled,
        Status::LinkUsed => Verdict::Perhaps,
        Status::NotAllowed => Verdict::Never(LinkProblem::Unknown.into()),
        Status::WrongPin { left: 0 } | Status::LinkExpired | Status::LinkDead => {
            Verdict::Never(Problem::of_status(status))
        }
        Status::WrongPin { .. }
        | Status::Repeated
        | Status::RequestExpired
        | Status::ClockAhead
        | Status::Changed
        | Status::Conflict
        | Status::OutOfSequence
        | Status::LiveOnly
        | Status::Busy
        | Status::Damaged => Verdict::AnotherTry(Problem::of_status(status)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::Exit;

    #[test]
    fn a_wrong_pin_leaves_another_try_until_the_last() {
        assert!(matches!(
            verdict(Status::WrongPin { left: 1 }),
            Verdict::AnotherTry(Problem::Link(LinkProblem::WrongPin { left: 1 }))
        ));
        assert!(matches!(
            verdict(Status::WrongPin { left: 0 }),
            Verdict::Never(Problem::Link(LinkProblem::WrongPin { left: 0 }))
        ));
    }

    #[test]
    fn what_a_link_or_pin_is_refused_for_exits_with_one_code() {
        for status in [Status::WrongPin { left: 2 }, Status::LinkExpired, Status::LinkDead, Status::NotAllowed] {
            let (Verdict::AnotherTry(problem) | Verdict::Never(problem)) = verdict(status) else { panic!() };
            assert_eq!(problem.exit(), Exit::WrongCredential, "{status:?}");
        }
        assert_eq!(Problem::Link(LinkProblem::Used).exit(), Exit::WrongCredential);
    }

    #[test]
    fn a_used_link_may_have_been_used_by_this_device() {
        assert!(matches!(verdict(Status::LinkUsed), Verdict::Perhaps));
    }

    #[test]
    fn only_a_request_that_may_have_arrived_counts_as_unanswered() {
        use rohrpost_client::AskError;
        use rohrpost_wire::ErrorCode;
        let problem = |error| unanswered(VisitError::Ask(error)).kind();
        assert_eq!(problem(AskError::Lost), "enrolment_unanswered");
        assert_eq!(problem(AskError::TimedOut), "enrolment_unanswered");
        assert_eq!(problem(AskError::Refused(ErrorCode::Interrupted)), "enrolment_unanswered");
        assert_eq!(problem(AskError::Refused(ErrorCode::Away)), "safe_away");
        assert_eq!(problem(AskError::Misbehaved), "relay_misbehaved");
    }
}
