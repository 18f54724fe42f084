//! A crash at every single step of the store, in memory: the twin of the power cut that needs no root.
//!
//! The store dies at its n-th step, for every n there is, with what it had not flushed; once more it only refuses a flush.
//! Whatever the keeper had answered by then is there, and it answers nothing that is not.

use std::sync::{Arc, Mutex, MutexGuard};

use rohrpost_figures::Figures;
use rohrpost_safe_agent::vault::{Draft, Keeper, MemoryStore, Row, Store, StoreError, Table, VaultHandle, WriteSet};

/// Jobs in one run: enough for several batches.
const JOBS: u8 = 12;
/// Jobs that are sent at once.
const WAVE: u8 = 3;
/// What a store says that has lost its disk (`SQLITE_IOERR_FSYNC`).
const LOST: StoreError = StoreError::Unavailable(1034);

/// What the store does at its fatal step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// All ends, and what was not flushed is gone.
    PowerCut,
    /// The flush fails, once.
    FailedFlush,
    /// The disk is full, once.
    Full,
}

/// A store in memory whose steps are counted, and which fails at one of them.
#[derive(Clone)]
struct Mortal(Arc<Mutex<Life>>);

struct Life {
    store: MemoryStore,
    steps: u64,
    fatal: u64,
    fault: Fault,
    dead: bool,
}

impl Mortal {
    fn new(fatal: u64, fault: Fault) -> Self {
        Self(Arc::new(Mutex::new(Life { store: MemoryStore::new(), steps: 0, fatal, fault, dead: false })))
    }

    fn life(&self) -> MutexGuard<'_, Life> {
        self.0.lock().unwrap()
    }

    /// One step. Whether the store goes through with it.
    fn step(&self) -> Result<MutexGuard<'_, Life>, StoreError> {
        let mut life = self.life();
        if life.dead {
            return Err(LOST);
        }
        life.steps += 1;
        if life.steps == life.fatal {
            match life.fault {
                Fault::PowerCut => {
                    life.store.crash();
                    life.dead = true;
                    return Err(LOST);
                }
                Fault::FailedFlush => life.store.fail_next_flush(LOST),
                Fault::Full => life.store.fail_next_flush(StoreError::DiskFull),
            }
        }
        Ok(life)
    }
}

impl Store for Mortal {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Row>, StoreError> {
        self.life().store.get(table, key)
    }

    fn scan(
        &self,
        table: Table,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<(Vec<u8>, Row)>, StoreError> {
        self.life().store.scan(table, prefix, after, limit)
    }

    fn apply(&mut self, writes: WriteSet) -> Result<(), StoreError> {
        self.step()?.store.apply(writes)
    }

    fn flush(&mut self) -> Result<(), StoreError> {
        self.step()?.store.flush()
    }
}

fn put(number: u8) -> impl FnOnce(&mut Draft<'_>) -> Result<(), StoreError> + Send + 'static {
    move |draft| {
        draft.put(Table::Audit, &[number], Row::new(vec![number; 40]))?;
        draft.put(Table::Outcomes, &[number], Row::new(vec![number; 40]))
    }
}

/// Sends jobs in waves, so that some share a flush and others come later; the numbers of those that were answered.
async fn work(vault: &VaultHandle) -> Vec<u8> {
    let mut answered = Vec::new();
    for first in (0..JOBS).step_by(WAVE.into()) {
        let wave = first..first + WAVE;
        let sent: Vec<_> = wave.clone().map(|number| tokio::spawn(send(vault.clone(), number))).collect();
        for (number, sent) in wave.zip(sent) {
            if sent.await.unwrap() {
                answered.push(number);
            }
        }
    }
    answered
}

async fn send(vault: VaultHandle, number: u8) -> bool {
    matches!(vault.transact(put(number)).await, Ok(Ok(())))
}

/// One run with one fault. How many answers there were, or nothing if the store never came to that step.
async fn run(fatal: u64, fault: Fault) -> Option<u64> {
    let store = Mortal::new(fatal, fault);
    let keeper = Keeper::start(Box::new(store.clone()));
    let answered = work(&keeper.handle()).await;
    keeper.shutdown().await;
    let mut life = store.life();
    // Once more, for a store that has not died: whatever the keeper flushed after its answers does not count.
    life.store.crash();
    for number in 0..JOBS {
        let [leaf, outcome] = [Table::Audit, Table::Outcomes].map(|table| life.store.get(table, &[number]).unwrap());
        assert_eq!(leaf.is_some(), outcome.is_some(), "{fault:?} at {fatal}: a half of job {number}");
        assert!(leaf.is_some() || !answered.contains(&number), "{fault:?} at {fatal}: job {number} answered and lost");
    }
    (life.steps >= fatal).then_some(answered.len() as u64)
}

#[tokio::test(flavor = "current_thread")]
async fn whatever_step_of_the_store_is_its_last_what_was_answered_is_there() {
    let (mut points, mut answers) = (0, 0);
    for fault in [Fault::PowerCut, Fault::FailedFlush, Fault::Full] {
        let mut fatal = 1;
        while let Some(answered) = run(fatal, fault).await {
            points += 1;
            answers += answered;
            fatal += 1;
        }
        assert!(fatal > u64::from(JOBS), "{fault:?}: the store was used");
    }
    assert!(answers > 0, "nothing was ever answered before the fault");
    Figures::of("disk.vault_sweep")
        .count("fault points", points)
        .count("answered", answers)
        .none("answered and lost")
        .none("answered after a failed flush and lost")
        .publish();
}
