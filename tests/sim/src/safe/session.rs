//! A safe's session with its relay: login, records, what waits, and how it ends.

use std::collections::{BTreeMap, BTreeSet};
use std::mem;

use rohrpost_safe_agent::identity;
use rohrpost_safe_agent::rows::{self, LoginCounter};
use rohrpost_wire::frame::{Ack, AckIds, Fetch};
use rohrpost_wire::proof;
use rohrpost_wire::{EnvelopeId, ErrorCode, Frame};

use super::answering::Held;
use super::{Asked, Safe, Session, tags};
use crate::message::{self, Reader};
use crate::port::{Conn, FromPeer, Peer, Stream};
use crate::random;
use crate::time::Millis;

/// How long an answer may take.
const ANSWER_TIME: Millis = Millis::seconds(30);
/// How long a fetch waits before it is asked anew.
const LONGEST_WAIT: Millis = Millis::minutes(10);
/// The pause after the relay could not give or take.
pub(super) const PAUSE: Millis = Millis::seconds(10);

impl Safe {
    /// An answer did not come in time: it is taken as broken off, and a silent fetch is asked anew.
    pub(super) fn unanswered(&mut self, tag: u64, now: Millis) -> Vec<FromPeer> {
        let (stream, number) = (Stream((tag >> 3) & ((1 << 37) - 1)), tag >> 40);
        let Some(session) = self.session().filter(|session| session.conn.number == number) else { return Vec::new() };
        match session.asked.get(&stream) {
            None => Vec::new(),
            Some(Asked::Fetch) => {
                session.asked.remove(&stream);
                self.fetch()
            }
            Some(_) => self.answered(stream, &[], false, now),
        }
    }

    /// Keys are looked after and the login is counted before the relay hears of it.
    pub(super) fn dial(&mut self, now: Millis) -> Vec<FromPeer> {
        self.upkeep(now);
        self.transact(now, |draft, _, _| {
            let mut counter: LoginCounter = rows::load(draft, LoginCounter::KEY)?.unwrap_or_default();
            counter.0 += 1;
            rows::save(draft, &counter)
        });
        self.hold(Held::Login)
    }

    pub(super) fn login(&mut self) -> Vec<FromPeer> {
        self.dialled += 1;
        let conn = Conn { peer: Peer::Safe(self.index), number: self.dialled };
        let counter: LoginCounter = self.read(|draft| rows::load(draft, LoginCounter::KEY)).unwrap_or_default();
        let route = self.identity().keys().route;
        let login = proof::sign_login(route.signer(), &self.relay.key_hash, &conn.exporter(), counter.0);
        if let Some(live) = &mut self.live {
            live.session = Some(Session {
                conn,
                logged_in: false,
                next_stream: 0,
                asked: BTreeMap::new(),
                open: BTreeSet::new(),
                done: Vec::new(),
            });
        }
        let mut out = vec![FromPeer::Dial(conn)];
        out.extend(self.ask(Asked::Login, message::frame(&Frame::Login(login))));
        out
    }

    pub(super) fn publish(&mut self, now: Millis) -> Vec<FromPeer> {
        let time = self.clock.read(now);
        let records = self.read(|draft| identity::record_set(draft, time));
        let asked = Asked::Publish(records.roots.len());
        self.ask(asked, message::frame_and_blob(&Frame::Publish, &records.encode()))
    }

    pub(super) fn fetch(&mut self) -> Vec<FromPeer> {
        self.ask(Asked::Fetch, message::frame(&Frame::Fetch(Fetch::Inbox { wait: true })))
    }

    pub(super) fn answered(&mut self, stream: Stream, bytes: &[u8], whole: bool, now: Millis) -> Vec<FromPeer> {
        let Some(asked) = self.session().and_then(|session| session.asked.remove(&stream)) else { return Vec::new() };
        let mut reader = Reader::new(bytes);
        let frame = reader.frame().ok().filter(|_| whole);
        match (asked, frame) {
            (Asked::Login, Some(Frame::Done)) => {
                if let Some(session) = self.session() {
                    session.logged_in = true;
                }
                let mut out = self.publish(now);
                out.extend(self.fetch());
                out
            }
            (Asked::Login, _) => self.hang_up(),
            (Asked::Fetch, Some(frame)) => self.fetched(frame, reader, now),
            (Asked::Reply(id), Some(Frame::Queued(_) | Frame::Refused(ErrorCode::Unknown | ErrorCode::Full))) => {
                self.done_with(id, true)
            }
            (Asked::Reply(id), _) => self.done_with(id, false),
            (Asked::Ack, Some(Frame::Done)) => self.fetch(),
            (Asked::Ack, _) | (Asked::Fetch, None) => vec![self.timer(PAUSE, tags::FETCH)],
            (Asked::Publish(roots), Some(Frame::Done)) => {
                self.published = roots;
                Vec::new()
            }
            (Asked::Publish(_), _) => Vec::new(),
        }
    }

    /// One envelope less to answer; after the last all that were answered are acknowledged.
    pub(super) fn done_with(&mut self, id: EnvelopeId, acknowledge: bool) -> Vec<FromPeer> {
        let Some(session) = self.session() else { return Vec::new() };
        session.open.remove(&id);
        if acknowledge {
            session.done.push(id);
        }
        if !session.open.is_empty() {
            return Vec::new();
        }
        let mut done = mem::take(&mut session.done);
        if done.is_empty() {
            return vec![self.timer(PAUSE, tags::FETCH)];
        }
        let ids = AckIds::take(&mut done);
        self.ask(Asked::Ack, message::frame(&Frame::Ack(Ack { mailbox: None, ids })))
    }

    pub(super) fn lost(&mut self, code: Option<ErrorCode>) -> Vec<FromPeer> {
        let Some(live) = &mut self.live else { return Vec::new() };
        live.session = None;
        live.failures = live.failures.saturating_add(1);
        let doubled = 500u64 << live.failures.min(7);
        let longest = if code == Some(ErrorCode::Superseded) { 60_000 } else { doubled.min(60_000) };
        let pause = longest / 2 + random::below(&mut self.rng, longest);
        vec![self.timer(Millis(pause), tags::REDIAL)]
    }

    pub(super) fn hang_up(&mut self) -> Vec<FromPeer> {
        let Some(conn) = self.conn() else { return Vec::new() };
        let mut out = vec![FromPeer::Close(conn)];
        out.extend(self.lost(None));
        out
    }

    pub(super) fn ask(&mut self, asked: Asked, bytes: Vec<u8>) -> Vec<FromPeer> {
        let Some(session) = self.session() else { return Vec::new() };
        let stream = Stream(session.next_stream);
        session.next_stream += 1;
        session.asked.insert(stream, asked);
        let (conn, number) = (session.conn, session.conn.number);
        // A fetch waits for the first envelope; everything else is answered soon or never.
        let patience = if asked == Asked::Fetch { LONGEST_WAIT } else { ANSWER_TIME };
        let tag = tags::UNANSWERED | stream.0 << 3 | number << 40;
        vec![FromPeer::Ask(conn, stream, bytes), self.timer(patience, tag)]
    }
}
