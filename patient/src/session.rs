//! Asking the safe as an enrolled device: a visit, fresh sequence numbers, a clock that is set right.
//!
//! What to do about an answer is decided by `Corrections`, a plain value; here it is carried out.

use rohrpost_client::{Answer, Visit, random};
use rohrpost_e2ee::RequestId;
use rohrpost_e2ee::body::{Operation, Status};
use rohrpost_e2ee::exchange::{Author, RequestDraft};
use rohrpost_e2ee::keys::SigningSecret;
use rohrpost_wire::Timestamp;

use crate::account::{Account, Safe};
use crate::clock::Clock;
use crate::home::Home;
use crate::problem::Problem;
use crate::sequence::{Reserved, SetBack};

/// How long a request has its effect, in seconds: what a person waits for, and a clock that is ten minutes fast.
pub const REQUEST_SECONDS: u64 = 600;

/// A device's conversation with its safe, over as many connections as it takes.
#[derive(Debug)]
pub struct Session {
    home: Home,
    account: Account,
    key: SigningSecret,
    clock: Clock,
    visit: Option<Visit>,
    answered: bool,
    set_back: bool,
    altered: bool,
}

impl Session {
    /// Takes the account that is kept at `home`. Connects to nobody yet.
    pub fn open(home: Home) -> Result<Self, Problem> {
        let account = home.account()?.ok_or_else(|| Problem::NotEnrolled(home.folder().to_owned()))?;
        let key = account.key();
        let clock = Clock::default();
        Ok(Self { home, account, key, clock, visit: None, answered: false, set_back: false, altered: false })
    }

    /// The account as it was when the session began, with what was learnt of the safe since.
    pub fn account(&self) -> &Account {
        &self.account
    }

    /// Whether the safe has answered anything.
    pub fn was_answered(&self) -> bool {
        self.answered
    }

    /// Whether the safe has forgotten what it once had.
    pub fn was_set_back(&self) -> bool {
        self.set_back
    }

    /// Whether an answer was altered on its way, and asked for again.
    pub fn was_altered(&self) -> bool {
        self.altered
    }

    /// Connects to the relay and verifies the safe's records, if that has not been done.
    pub async fn meet(&mut self) -> Result<(), Problem> {
        if self.visit.is_none() {
            let Safe { relay, inbox, .. } = &self.account.safe;
            let visit = Visit::begin(relay, *inbox, &self.account.safe.known(), self.clock.now()).await?;
            if self.account.safe.learn(visit.safe()) {
                self.home.lock()?.update_account(|account| account.safe.learn(visit.safe()))?;
            }
            self.visit = Some(visit);
        }
        Ok(())
    }

    /// Asks the safe. Every status comes back but those that another envelope can put right.
    pub async fn ask(&mut self, operation: Operation) -> Result<Answer, Problem> {
        let id = RequestId::generate(&mut random::system());
        let mut corrections = Corrections::default();
        loop {
            let draft = draft(id, self.clock.now(), operation.clone());
            let answer = self.ask_once(&draft).await?;
            match corrections.handle_status(answer.reply.status) {
                Correction::None => return Ok(answer),
                Correction::SetClock => self.clock.set(answer.reply.safe_time),
                Correction::Again => {}
            }
        }
    }

    /// Gives up the connection over this; the next question makes a new one. What was altered is not forgotten when the
    /// next try goes well, or fails for another reason.
    pub fn leave_over(&mut self, problem: &Problem) {
        self.altered |= problem.is_alteration();
        self.leave();
    }

    fn leave(&mut self) {
        self.visit = None;
    }

    /// Ends the session in good order.
    pub async fn end(&mut self) {
        if let Some(visit) = self.visit.take() {
            visit.end().await;
        }
    }

    async fn ask_once(&mut self, draft: &RequestDraft) -> Result<Answer, Problem> {
        self.meet().await?;
        let reserved = self.reserve()?;
        let author = Author::Device { key: &self.key, sequence: reserved.number };
        let Some(visit) = &self.visit else { return Err(Problem::Busy) };
        let answer = match visit.ask(draft, &author).await {
            Ok(answer) => answer,
            Err(error) => {
                self.leave();
                return Err(error.into());
            }
        };
        self.answered = true;
        let now = self.clock.now();
        let noted = self.home.lock()?.update_account(|account| account.handle_reply(reserved, &answer.reply, now));
        if noted? == Some(Err(SetBack)) {
            self.set_back = true;
            self.account.set_back = Some(now);
        }
        Ok(answer)
    }

    /// Written down before it is used.
    fn reserve(&self) -> Result<Reserved, Problem> {
        let reserved = self.home.lock()?.update_account(|account| account.sequence.reserve())?;
        reserved.ok_or_else(|| Problem::NotEnrolled(self.home.folder().to_owned()))
    }
}

/// A request made now.
pub fn draft(id: RequestId, now: Timestamp, operation: Operation) -> RequestDraft {
    RequestDraft { id, created: now, expires: now.plus(REQUEST_SECONDS), operation }
}

/// What has been put right in the course of one question; each thing once, so that it ends.
#[derive(Clone, Copy, Debug, Default)]
pub struct Corrections {
    clock: bool,
    sequence: bool,
    envelope: bool,
}

/// What to do before the same request goes out in another envelope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Correction {
    /// Nothing: the answer stands.
    None,
    /// Set the clock by the safe's time.
    SetClock,
    /// Nothing, but ask again.
    Again,
}

impl Corrections {
    /// What to do about a status.
    pub fn handle_status(&mut self, status: Status) -> Correction {
        let (done, correction) = match status {
            Status::ClockAhead | Status::RequestExpired => (&mut self.clock, Correction::SetClock),
            Status::OutOfSequence => (&mut self.sequence, Correction::Again),
            Status::Repeated => (&mut self.envelope, Correction::Again),
            Status::Done
            | Status::NotAllowed
            | Status::WrongPin { .. }
            | Status::LinkUsed
            | Status::LinkExpired
            | Status::LinkDead
            | Status::Changed
            | Status::Conflict
            | Status::LiveOnly
            | Status::Busy
            | Status::Damaged => return Correction::None,
        };
        if std::mem::replace(done, true) { Correction::None } else { correction }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_altered_answer_is_not_forgotten_over_later_tries() {
        use rohrpost_client::{AskError, VisitError};
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(folder.path().join("home"));
        home.create().unwrap();
        home.lock().unwrap().save_account(&crate::account::tests::account()).unwrap();
        let mut session = Session::open(home).unwrap();
        session.leave_over(&Problem::Visit(AskError::Lost.into()));
        assert!(!session.was_altered());
        session.leave_over(&Problem::Visit(VisitError::Open));
        session.leave_over(&Problem::Busy);
        assert!(session.was_altered());
    }

    #[test]
    fn a_wrong_clock_is_set_once() {
        let mut corrections = Corrections::default();
        assert_eq!(corrections.handle_status(Status::ClockAhead), Correction::SetClock);
        assert_eq!(corrections.handle_status(Status::RequestExpired), Correction::None);
    }

    #[test]
    fn each_reason_to_ask_again_counts_for_itself_and_once() {
        let mut corrections = Corrections::default();
        assert_eq!(corrections.handle_status(Status::OutOfSequence), Correction::Again);
        assert_eq!(corrections.handle_status(Status::Repeated), Correction::Again);
        assert_eq!(corrections.handle_status(Status::OutOfSequence), Correction::None);
        assert_eq!(corrections.handle_status(Status::Repeated), Correction::None);
    }

    #[test]
    fn an_answer_that_no_envelope_puts_right_stands() {
        for status in [Status::Done, Status::NotAllowed, Status::Changed, Status::Damaged, Status::Busy] {
            assert_eq!(Corrections::default().handle_status(status), Correction::None);
        }
    }
}
