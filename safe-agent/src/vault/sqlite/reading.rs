//! Reading rows: one, those under a prefix, all of them.

use rusqlite::{Connection, params};

use super::fingerprint::{Fingerprint, Tally};
use super::kind;
use crate::vault::sealing::{Place, RowSealer};
use crate::vault::store::{Row, StoreError, Table, scan_start};

/// Which keys of a table are read.
#[derive(Clone, Copy)]
pub(super) struct Range<'k> {
    pub(super) table: Table,
    pub(super) prefix: &'k [u8],
    /// Strictly after this one.
    pub(super) after: Option<&'k [u8]>,
    pub(super) limit: usize,
}

/// Opens what stands in a place.
pub(super) fn read(connection: &Connection, keys: &RowSealer, place: Place<'_>) -> Result<Option<Row>, StoreError> {
    read_sealed(connection, place, |sealed| sealed.map(|sealed| keys.open(place, sealed)).transpose())?
}

/// Shows what stands in a place, as it is in the file.
pub(super) fn read_sealed<T>(
    connection: &Connection,
    place: Place<'_>,
    look: impl FnOnce(Option<&[u8]>) -> T,
) -> Result<T, StoreError> {
    let mut statement = connection.prepare_cached(READ).map_err(kind)?;
    let mut rows = statement.query(params![place.number(), place.key()]).map_err(kind)?;
    let Some(row) = rows.next().map_err(kind)? else { return Ok(look(None)) };
    let sealed = row.get_ref(0).map_err(kind)?.as_blob().map_err(|_| StoreError::Damaged)?;
    Ok(look(Some(sealed)))
}

/// Opens the rows of a range.
pub(super) fn scan(
    connection: &Connection,
    sealer: &RowSealer,
    range: Range<'_>,
) -> Result<Vec<(Vec<u8>, Row)>, StoreError> {
    walk(connection, SCAN, range, |key, row| {
        let value = row.get_ref(1).map_err(kind)?.as_blob().map_err(|_| StoreError::Damaged)?;
        Ok((key.to_vec(), sealer.open(Place::new(range.table, key), value)?))
    })
}

/// The keys of a range, whether their rows open or not.
pub(super) fn keys(connection: &Connection, range: Range<'_>) -> Result<Vec<Vec<u8>>, StoreError> {
    walk(connection, KEYS, range, |key, _| Ok(key.to_vec()))
}

/// A damaged file may have keys out of their order: only those that go on ascending count, so that whoever reads page by
/// page comes to an end.
fn walk<T>(
    connection: &Connection,
    sql: &str,
    Range { table, prefix, after, limit }: Range<'_>,
    mut take: impl FnMut(&[u8], &rusqlite::Row<'_>) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    let mut statement = connection.prepare_cached(sql).map_err(kind)?;
    let most = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut rows = statement.query(params![table.number(), scan_start(prefix, after), most]).map_err(kind)?;
    let (mut found, mut last) = (Vec::new(), after.map(<[u8]>::to_vec));
    while let Some(row) = rows.next().map_err(kind)? {
        let key = row.get_ref(0).map_err(kind)?.as_blob().map_err(|_| StoreError::Damaged)?;
        if !key.starts_with(prefix) {
            break;
        }
        if last.as_deref().is_none_or(|last| key > last) {
            found.push(take(key, row)?);
            last = Some(key.to_vec());
        }
    }
    Ok(found)
}

/// Opens every row there is. Answers how many there are.
pub(super) fn every_row(connection: &Connection, sealer: &RowSealer) -> Result<u64, StoreError> {
    let mut rows = 0;
    for table in Table::ALL {
        let mut after: Option<Vec<u8>> = None;
        loop {
            let range = Range { table, prefix: &[], after: after.as_deref(), limit: AT_ONCE };
            let page = scan(connection, sealer, range)?;
            rows += page.len() as u64;
            match page.into_iter().next_back() {
                Some((key, _)) => after = Some(key),
                None => break,
            }
        }
    }
    Ok(rows)
}

/// The tally of the rows that are found, but for the one that it stands in.
pub(super) fn tally(connection: &Connection, fingerprint: &Fingerprint) -> Result<Tally, StoreError> {
    let mut statement = connection.prepare_cached(ALL).map_err(kind)?;
    let own = Place::COMMITS;
    let mut rows = statement.query(params![own.number(), own.key()]).map_err(kind)?;
    let mut tally = Tally::default();
    while let Some(row) = rows.next().map_err(kind)? {
        let number = row.get(0).map_err(kind)?;
        let blob = |column| row.get_ref(column).map_err(kind)?.as_blob().map_err(|_| StoreError::Damaged);
        tally = tally.with(fingerprint.mark(Place::at(number, blob(1)?), blob(2)?));
    }
    Ok(tally)
}

pub(super) const READ: &str = "SELECT value FROM rows WHERE tab = ?1 AND key = ?2";
const ALL: &str = "SELECT tab, key, value FROM rows WHERE NOT (tab = ?1 AND key = ?2)";
const SCAN: &str = "SELECT key, value FROM rows WHERE tab = ?1 AND key >= ?2 ORDER BY key LIMIT ?3";
const KEYS: &str = "SELECT key FROM rows WHERE tab = ?1 AND key >= ?2 ORDER BY key LIMIT ?3";

/// Rows held at once while everything is read: bounds memory, and is large enough that queries do not count.
const AT_ONCE: usize = 256;
