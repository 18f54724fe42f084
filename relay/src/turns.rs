//! The driver's side of [`Sources`]: a turn is counted out when it is dropped.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::quota::Limits;
use crate::sources::{Kind, Source, Sources};

/// Who has how much under way.
#[derive(Debug)]
pub(crate) struct Turns(Mutex<Sources>);

/// Something of a source that is under way.
#[derive(Debug)]
pub(crate) struct Turn {
    turns: Arc<Turns>,
    source: Source,
    kind: Kind,
}

impl Turns {
    /// Nobody has anything under way.
    pub(crate) fn new(limits: &Limits) -> Self {
        Self(Mutex::new(Sources::new(limits)))
    }

    /// Whether a source has as much of a kind as it may have.
    pub(crate) fn are_used_up(&self, source: Source, kind: Kind) -> bool {
        self.lock().is_used_up(source, kind)
    }

    /// Takes a turn, if the source may have one more.
    pub(crate) fn take(self: &Arc<Self>, source: Source, kind: Kind) -> Option<Turn> {
        self.lock().handle_begun(source, kind).then(|| Turn { turns: Arc::clone(self), source, kind })
    }

    fn lock(&self) -> MutexGuard<'_, Sources> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.turns.lock().handle_ended(self.source, self.kind);
    }
}
