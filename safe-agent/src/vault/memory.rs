//! A store in memory, for simulation: it knows what was flushed and can lose the rest.
//!
//! It behaves as [`SqliteStore`](super::SqliteStore) does, byte for byte of every answer; only nothing reaches a disk.

use std::collections::BTreeMap;
use std::fmt;
use std::mem;

use super::draft::WriteSet;
use super::store::{Row, Store, StoreError, Table, scan_start};

/// Rows in memory, with a memory of what was durable.
#[derive(Default)]
pub struct MemoryStore {
    rows: BTreeMap<Place, Row>,
    /// What the rows changed since the last flush were at that flush.
    undo: BTreeMap<Place, Option<Row>>,
    poisoned: bool,
    next_flush_fails: Option<StoreError>,
}

type Place = (Table, Vec<u8>);

impl MemoryStore {
    /// Starts empty.
    pub fn new() -> Self {
        Self::default()
    }

    /// What a power cut leaves: everything flushed and nothing else. The store is as if opened anew.
    pub fn crash(&mut self) {
        self.undo();
        self.poisoned = false;
        self.next_flush_fails = None;
    }

    /// Makes the next flush fail: [`StoreError::DiskFull`] undoes and goes on, every other error poisons.
    pub fn fail_next_flush(&mut self, error: StoreError) {
        self.next_flush_fails = Some(error);
    }

    fn undo(&mut self) {
        for (place, row) in mem::take(&mut self.undo) {
            self.set(place, row);
        }
    }

    fn set(&mut self, place: Place, row: Option<Row>) -> Option<Row> {
        match row {
            Some(row) => self.rows.insert(place, row),
            None => self.rows.remove(&place),
        }
    }

    fn usable(&self) -> Result<(), StoreError> {
        if self.poisoned { Err(StoreError::Poisoned) } else { Ok(()) }
    }
}

impl Store for MemoryStore {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Row>, StoreError> {
        self.usable()?;
        Ok(self.rows.get(&(table, key.to_vec())).cloned())
    }

    fn scan(
        &self,
        table: Table,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<(Vec<u8>, Row)>, StoreError> {
        self.usable()?;
        let rows = self.rows.range((table, scan_start(prefix, after))..);
        Ok(rows
            .take_while(|((at, key), _)| *at == table && key.starts_with(prefix))
            .take(limit)
            .map(|((_, key), row)| (key.clone(), row.clone()))
            .collect())
    }

    fn apply(&mut self, writes: WriteSet) -> Result<(), StoreError> {
        self.usable()?;
        for (table, key, row) in writes.iter() {
            let place = (table, key.to_vec());
            let before = self.set(place.clone(), row.cloned());
            self.undo.entry(place).or_insert(before);
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), StoreError> {
        self.usable()?;
        if let Some(error) = self.next_flush_fails.take() {
            self.undo();
            self.poisoned = error != StoreError::DiskFull;
            return Err(error);
        }
        self.undo.clear();
        Ok(())
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MemoryStore({} rows)", self.rows.len())
    }
}
