use std::sync::{Mutex, PoisonError};

use tempfile::TempDir;

use super::*;
use crate::vault::draft::WriteSet;
use crate::vault::store::{Row, Table};
use crate::vault::tests::{fresh_database, put, reopened_database, row, text};
use crate::vault::{Folder, MemoryStore};

/// A memory store that the test can look into, and crash, while a keeper owns it.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<MemoryStore>>);

impl Shared {
    fn with<T>(&self, look: impl FnOnce(&mut MemoryStore) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Store for Shared {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Row>, StoreError> {
        self.with(|store| store.get(table, key))
    }

    fn scan(
        &self,
        table: Table,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<(Vec<u8>, Row)>, StoreError> {
        self.with(|store| store.scan(table, prefix, after, limit))
    }

    fn apply(&mut self, writes: WriteSet) -> Result<(), StoreError> {
        self.with(|store| store.apply(writes))
    }

    fn flush(&mut self) -> Result<(), StoreError> {
        self.with(Store::flush)
    }
}

/// A job that keeps the thread busy until the sender is dropped, so that what is sent meanwhile shares a batch.
async fn hold(handle: &VaultHandle) -> (std::sync::mpsc::Sender<()>, tokio::task::JoinHandle<()>) {
    let (release, held) = std::sync::mpsc::channel::<()>();
    let (started, starting) = oneshot::channel();
    let handle = handle.clone();
    let task = tokio::spawn(async move {
        let job = move |_: &mut Draft<'_>| {
            started.send(()).unwrap();
            held.recv().unwrap_err();
            Ok::<_, StoreError>(())
        };
        handle.transact(job).await.unwrap().unwrap();
    });
    starting.await.unwrap();
    (release, task)
}

async fn until_queued(handle: &VaultHandle, jobs: usize) {
    while QUEUE_JOBS - handle.queue.capacity() < jobs {
        tokio::task::yield_now().await;
    }
}

fn write(key: u32) -> impl FnOnce(&mut Draft<'_>) -> Result<u32, StoreError> + Send + 'static {
    move |draft| draft.put(Table::Audit, &key.to_be_bytes(), row("leaf")).map(|()| key)
}

#[tokio::test]
async fn two_hundred_and_fifty_six_durable_jobs_share_one_flush() {
    let place = TempDir::new().unwrap();
    let keeper = Keeper::start(Box::new(fresh_database(place.path())));
    let handle = keeper.handle();
    let (release, held) = hold(&handle).await;
    let mut jobs = tokio::task::JoinSet::new();
    for key in 0..256 {
        let handle = handle.clone();
        jobs.spawn(async move { handle.transact(write(key)).await.unwrap().unwrap() });
    }
    until_queued(&handle, 256).await;
    drop(release);
    held.await.unwrap();
    assert_eq!(jobs.join_all().await.len(), 256);
    assert_eq!(keeper.handle().counts(), Counts { jobs: 257, flushes: 1 });
    keeper.shutdown().await;
    assert_eq!(reopened_database(place.path()).verify().unwrap(), 256);
}

#[tokio::test]
async fn whoever_comes_to_a_full_queue_waits_and_is_served() {
    let keeper = Keeper::start(Box::new(MemoryStore::new()));
    let handle = keeper.handle();
    let (release, held) = hold(&handle).await;
    let mut jobs = tokio::task::JoinSet::new();
    for key in 0..700 {
        let handle = handle.clone();
        jobs.spawn(async move { handle.transact(write(key)).await.unwrap().unwrap() });
    }
    until_queued(&handle, QUEUE_JOBS).await;
    drop(release);
    held.await.unwrap();
    let mut served = jobs.join_all().await;
    served.sort_unstable();
    assert_eq!(served, (0..700).collect::<Vec<_>>());
    let flushes = keeper.handle().counts().flushes;
    assert!((3..=700).contains(&flushes), "{flushes} flushes: no batch is larger than {BATCH_JOBS}");
}

#[tokio::test]
async fn what_was_answered_survives_a_power_cut() {
    let store = Shared::default();
    let keeper = Keeper::start(Box::new(store.clone()));
    keeper.handle().transact(write(1)).await.unwrap().unwrap();
    store.with(MemoryStore::crash);
    assert!(store.get(Table::Audit, &1_u32.to_be_bytes()).unwrap().is_some());
}

#[tokio::test]
async fn a_job_sees_what_the_job_before_it_in_its_batch_wrote() {
    let keeper = Keeper::start(Box::new(MemoryStore::new()));
    let handle = keeper.handle();
    let (release, held) = hold(&handle).await;
    let first = tokio::spawn({
        let handle = handle.clone();
        async move { handle.transact(write(1)).await }
    });
    until_queued(&handle, 1).await;
    let second = tokio::spawn({
        let handle = handle.clone();
        async move { handle.transact(|draft| draft.get(Table::Audit, &1_u32.to_be_bytes())).await }
    });
    until_queued(&handle, 2).await;
    drop(release);
    held.await.unwrap();
    assert_eq!(first.await.unwrap(), Ok(Ok(1)));
    assert_eq!(text(second.await.unwrap().unwrap().unwrap()).unwrap(), "leaf");
}

#[tokio::test]
async fn a_reader_is_not_told_of_a_write_that_did_not_become_durable() {
    let store = Shared::default();
    let keeper = Keeper::start(Box::new(store.clone()));
    let handle = keeper.handle();
    let (release, held) = hold(&handle).await;
    let writer = tokio::spawn({
        let handle = handle.clone();
        async move { handle.transact(write(1)).await }
    });
    until_queued(&handle, 1).await;
    let reader = tokio::spawn({
        let handle = handle.clone();
        async move { handle.transact(|draft| draft.get(Table::Audit, &1_u32.to_be_bytes())).await }
    });
    until_queued(&handle, 2).await;
    store.with(|store| store.fail_next_flush(StoreError::DiskFull));
    drop(release);
    held.await.unwrap();
    assert_eq!(writer.await.unwrap(), Err(StoreError::DiskFull));
    assert_eq!(reader.await.unwrap(), Err(StoreError::DiskFull));
    assert_eq!(handle.transact(write(2)).await, Ok(Ok(2)), "after a full disk the vault goes on");
    assert!(store.get(Table::Audit, &1_u32.to_be_bytes()).unwrap().is_none());
}

#[tokio::test]
async fn after_a_failed_flush_nothing_is_answered_any_more() {
    let store = Shared::default();
    store.with(|store| store.fail_next_flush(StoreError::Unavailable(5)));
    let keeper = Keeper::start(Box::new(store));
    assert_eq!(keeper.handle().transact(write(1)).await, Err(StoreError::Unavailable(5)));
    assert_eq!(keeper.handle().transact(write(2)).await, Err(StoreError::Poisoned));
    let read = keeper.handle().transact(|draft| draft.get(Table::Audit, b"k")).await;
    assert_eq!(read, Ok(Err(StoreError::Poisoned)));
}

#[tokio::test]
async fn a_job_that_refuses_leaves_no_trace_and_costs_no_flush() {
    let store = Shared::default();
    let keeper = Keeper::start(Box::new(store.clone()));
    let refused = keeper
        .handle()
        .transact(|draft| {
            draft.put(Table::Links, b"k", row("v")).unwrap();
            Err::<(), _>("refused")
        })
        .await;
    assert_eq!(refused, Ok(Err("refused")));
    assert!(store.get(Table::Links, b"k").unwrap().is_none());
    assert_eq!(keeper.handle().counts(), Counts { jobs: 1, flushes: 0 });
}

#[tokio::test]
async fn a_panic_in_a_job_answers_an_error_and_the_thread_lives_on() {
    let store = Shared::default();
    let keeper = Keeper::start(Box::new(store.clone()));
    let panicked = keeper
        .handle()
        .transact(|draft| -> Result<(), StoreError> {
            draft.put(Table::Links, b"k", row("v")).unwrap();
            panic!("a defect in a handler");
        })
        .await;
    assert_eq!(panicked, Err(StoreError::JobPanicked));
    assert!(store.get(Table::Links, b"k").unwrap().is_none());
    assert_eq!(keeper.handle().transact(write(2)).await, Ok(Ok(2)));
}

#[tokio::test]
async fn a_shutdown_serves_what_was_sent_before_and_closes_the_store() {
    let place = TempDir::new().unwrap();
    let keeper = Keeper::start(Box::new(fresh_database(place.path())));
    let handle = keeper.handle();
    let (release, held) = hold(&handle).await;
    let before = tokio::spawn({
        let handle = handle.clone();
        async move { handle.transact(write(1)).await }
    });
    until_queued(&handle, 1).await;
    let ending = tokio::spawn(keeper.shutdown());
    until_queued(&handle, 2).await;
    drop(release);
    held.await.unwrap();
    ending.await.unwrap();
    assert_eq!(before.await.unwrap(), Ok(Ok(1)));
    assert_eq!(handle.transact(write(2)).await, Err(StoreError::Closed));
    assert_eq!(reopened_database(place.path()).verify().unwrap(), 1, "nobody else has the file open");
}

#[test]
fn dropping_the_keeper_ends_the_thread_and_frees_the_vault() {
    let place = TempDir::new().unwrap();
    let keeper = Keeper::start(Box::new(fresh_database(place.path())));
    let handle = keeper.handle();
    assert_eq!(handle.transact_blocking(write(1)), Ok(Ok(1)));
    drop(keeper);
    assert_eq!(handle.transact_blocking(write(2)), Err(StoreError::Closed));
    assert_eq!(reopened_database(place.path()).verify().unwrap(), 1);
}

#[tokio::test]
async fn a_job_whose_asker_is_gone_is_done_all_the_same() {
    let store = Shared::default();
    let keeper = Keeper::start(Box::new(store.clone()));
    let handle = keeper.handle();
    let (release, held) = hold(&handle).await;
    let asker = tokio::spawn({
        let handle = handle.clone();
        async move { handle.transact(write(1)).await }
    });
    until_queued(&handle, 1).await;
    asker.abort();
    assert!(asker.await.unwrap_err().is_cancelled());
    drop(release);
    held.await.unwrap();
    keeper.shutdown().await;
    assert!(store.get(Table::Audit, &1_u32.to_be_bytes()).unwrap().is_some());
}

#[test]
fn a_keeper_may_hold_the_folder_for_as_long_as_it_serves() {
    fn is_send<T: Send>() {}
    is_send::<Folder>();
    is_send::<VaultHandle>();
}

/// The sealed secret of a prekey stood in the log and in old pages for as long as the safe was served.
#[tokio::test]
async fn a_deleted_row_stands_in_no_file_once_that_is_answered() {
    let place = TempDir::new().unwrap();
    let mut store = fresh_database(place.path());
    for key in 0..200u32 {
        put(&mut store, Table::Prekeys, &key.to_be_bytes(), "seed");
    }
    store.flush().unwrap();
    let sealed = store.sealed_for_tests(Table::Prekeys, &7u32.to_be_bytes());
    let files = || -> Vec<u8> {
        let mut bytes = std::fs::read(place.path().join("vault.db")).unwrap();
        bytes.extend(std::fs::read(place.path().join("vault.db-wal")).unwrap());
        bytes
    };
    let stands = || files().windows(32).any(|window| window == &sealed[..32]);
    let keeper = Keeper::start(Box::new(store));
    keeper.handle().transact(write(1)).await.unwrap().unwrap();
    assert!(stands());
    let delete = |draft: &mut Draft<'_>| draft.delete(Table::Prekeys, &7u32.to_be_bytes());
    keeper.handle().transact(delete).await.unwrap().unwrap();
    assert!(!stands(), "while the vault is open");
    keeper.shutdown().await;
}
