//! One request's view of the store: reads go through, writes stay apart until they are applied.
//!
//! A draft that is dropped leaves no trace, so a handler may stop at any line. What the draft wrote it also reads.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::store::{Row, Store, StoreError, Table, check_write, scan_start};

/// A view of a store that keeps its own writes apart. Dropping it undoes everything.
pub struct Draft<'a> {
    base: &'a dyn Store,
    writes: WriteSet,
}

impl<'a> Draft<'a> {
    /// Starts with nothing written.
    pub fn new(base: &'a dyn Store) -> Self {
        Self { base, writes: WriteSet::default() }
    }

    /// Reads one row, this draft's own writes first.
    pub fn get(&self, table: Table, key: &[u8]) -> Result<Option<Row>, StoreError> {
        match self.writes.of(table).and_then(|rows| rows.get(key)) {
            Some(written) => Ok(written.clone()),
            None => self.base.get(table, key),
        }
    }

    /// Reads rows as [`Store::scan`] does, this draft's own writes and deletes merged in.
    pub fn scan(
        &self,
        table: Table,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<(Vec<u8>, Row)>, StoreError> {
        let Some(own) = self.writes.of(table) else {
            return self.base.scan(table, prefix, after, limit);
        };
        let mut found = Vec::new();
        let mut cursor = after.map(<[u8]>::to_vec);
        while found.len() < limit {
            let page = self.base.scan(table, prefix, cursor.as_deref(), limit)?;
            // A full page says nothing about keys behind its last one; a short page is the end of the base.
            let until = if page.len() == limit { page.last().map(|(key, _)| key.clone()) } else { None };
            merge(&mut found, page, own_between(own, prefix, cursor.as_deref(), until.as_deref()));
            match until {
                Some(last) => cursor = Some(last),
                None => break,
            }
        }
        found.truncate(limit);
        Ok(found)
    }

    /// Reads keys as [`Store::keys`] does, this draft's own writes and deletes merged in.
    pub fn keys(
        &self,
        table: Table,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<Vec<u8>>, StoreError> {
        let Some(own) = self.writes.of(table) else {
            return self.base.keys(table, prefix, after, limit);
        };
        let mut found = Vec::new();
        let mut cursor = after.map(<[u8]>::to_vec);
        while found.len() < limit {
            let mut page: BTreeSet<Vec<u8>> =
                self.base.keys(table, prefix, cursor.as_deref(), limit)?.into_iter().collect();
            let until = if page.len() == limit { page.last().cloned() } else { None };
            for (key, written) in own_between(own, prefix, cursor.as_deref(), until.as_deref()) {
                if written.is_some() {
                    page.insert(key.clone())
                } else {
                    page.remove(key)
                };
            }
            found.extend(page);
            match until {
                Some(last) => cursor = Some(last),
                None => break,
            }
        }
        found.truncate(limit);
        Ok(found)
    }

    /// Writes a row, over an older one if there is one.
    pub fn put(&mut self, table: Table, key: &[u8], row: Row) -> Result<(), StoreError> {
        self.writes.set(table, key, Some(row))
    }

    /// Deletes a row; no matter whether there was one.
    pub fn delete(&mut self, table: Table, key: &[u8]) -> Result<(), StoreError> {
        self.writes.set(table, key, None)
    }

    /// Whether it wrote or deleted anything so far.
    pub fn has_written(&self) -> bool {
        !self.writes.is_empty()
    }

    /// Ends the view and hands out what it wrote.
    pub fn into_writes(self) -> WriteSet {
        self.writes
    }
}

impl fmt::Debug for Draft<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Draft({} writes)", self.writes.len())
    }
}

type OwnRows = BTreeMap<Vec<u8>, Option<Row>>;

/// This draft's own entries with the prefix, after the cursor and not behind `until`.
fn own_between<'r>(
    own: &'r OwnRows,
    prefix: &[u8],
    after: Option<&[u8]>,
    until: Option<&[u8]>,
) -> impl Iterator<Item = (&'r Vec<u8>, &'r Option<Row>)> {
    own.range(scan_start(prefix, after)..)
        .take_while(move |(key, _)| key.starts_with(prefix) && until.is_none_or(|until| key.as_slice() <= until))
}

/// Appends a page of the base to what was found, own entries winning over the base's.
fn merge<'r>(
    found: &mut Vec<(Vec<u8>, Row)>,
    page: Vec<(Vec<u8>, Row)>,
    own: impl Iterator<Item = (&'r Vec<u8>, &'r Option<Row>)>,
) {
    let mut rows: BTreeMap<Vec<u8>, Row> = page.into_iter().collect();
    for (key, written) in own {
        match written {
            Some(row) => {
                rows.insert(key.clone(), row.clone());
            }
            None => {
                rows.remove(key);
            }
        }
    }
    found.extend(rows);
}

/// What a draft wrote: per table and key the new row, or `None` where it was deleted. Ascending.
#[derive(Default)]
pub struct WriteSet {
    tables: BTreeMap<Table, OwnRows>,
}

impl WriteSet {
    /// Whether nothing was written.
    pub fn is_empty(&self) -> bool {
        self.tables.is_empty()
    }

    /// How many rows are written or deleted.
    pub fn len(&self) -> usize {
        self.tables.values().map(BTreeMap::len).sum()
    }

    /// Whether a row is deleted.
    pub fn deletes(&self) -> bool {
        self.tables.values().flat_map(BTreeMap::values).any(Option::is_none)
    }

    /// The writes in order of table and key.
    pub fn iter(&self) -> impl Iterator<Item = (Table, &[u8], Option<&Row>)> {
        self.tables
            .iter()
            .flat_map(|(table, rows)| rows.iter().map(|(key, row)| (*table, key.as_slice(), row.as_ref())))
    }

    fn of(&self, table: Table) -> Option<&OwnRows> {
        self.tables.get(&table)
    }

    fn set(&mut self, table: Table, key: &[u8], row: Option<Row>) -> Result<(), StoreError> {
        check_write(key, row.as_ref())?;
        if self.len() >= MAX_WRITES {
            return Err(StoreError::TooManyWrites);
        }
        self.tables.entry(table).or_default().insert(key.to_vec(), row);
        Ok(())
    }
}

impl fmt::Debug for WriteSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WriteSet({} writes)", self.len())
    }
}

/// The most writes in one draft: dropping every prekey and ticket of a restored safe fits, an endless loop does not.
pub const MAX_WRITES: usize = 65_536;

#[cfg(test)]
mod tests;
