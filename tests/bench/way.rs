//! The ways from an asking to an answering end: direct, through a bare splice, through the relay.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::ends::Caller;
use crate::plan;
use crate::process::Process;
use crate::relay::{self, Room};

/// Two ends, and what lies between them if anything does.
pub(crate) struct Way {
    pub(crate) caller: Arc<Caller>,
    _answering: Process,
    between: Option<Process>,
}

impl Way {
    /// Nothing in between.
    pub(crate) async fn direct() -> Result<Self> {
        let (answering, place) = plan::role("answer-directly", &[])?;
        Ok(Self { caller: Caller::dial(&place.parse()?).await?, _answering: answering, between: None })
    }

    /// The least that forwards.
    pub(crate) async fn bare() -> Result<Self> {
        let (between, place) = plan::role("splice", &[])?;
        // The first who connects is the answering end.
        let (answering, _) = plan::role("answer", &[&place])?;
        Ok(Self { caller: Caller::dial(&place.parse()?).await?, _answering: answering, between: Some(between) })
    }

    /// The real relay.
    pub(crate) async fn relay(folder: &Path, room: Room) -> Result<Self> {
        let (between, place) = relay::start(folder, room)?;
        let (answering, _) = plan::role("answer", &[&place.to_string(), "login"])?;
        Ok(Self { caller: Caller::dial(&place).await?, _answering: answering, between: Some(between) })
    }

    /// Processor time that what lies in between has used so far.
    pub(crate) fn processor_time(&self) -> Result<Duration> {
        self.between.as_ref().context("nothing lies in between")?.processor_time()
    }
}
