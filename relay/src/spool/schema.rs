//! How the database of a spool is laid out and opened.
//!
//! The format is written down in `docs/storage-format-relay.md`. Invariant: a database is either laid out whole in the
//! version this code writes, or it is left alone.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, Row, ffi};

use super::error::OpenError;

/// The storage version this code writes, in the database's `user_version`.
pub(crate) const STORAGE_VERSION: i64 = 2;

/// How long another process may hold the database before it counts as busy.
const BUSY: Duration = Duration::from_secs(5);

// A damaged row is never written again, for that would have to read it: it is named in a table of its own.
const SCHEMA: &str = "
    CREATE TABLE envelope (
        slot INTEGER PRIMARY KEY,
        id BLOB NOT NULL,
        header BLOB NOT NULL,
        expires INTEGER NOT NULL,
        sum BLOB NOT NULL,
        bytes BLOB NOT NULL
    ) STRICT;
    CREATE TABLE quarantined_envelope (slot INTEGER PRIMARY KEY) STRICT;
    CREATE TABLE mailbox (
        id BLOB PRIMARY KEY,
        owner BLOB NOT NULL,
        expires INTEGER NOT NULL,
        taken_envelopes INTEGER NOT NULL,
        taken_bytes INTEGER NOT NULL,
        sum BLOB NOT NULL
    ) STRICT;
    CREATE TABLE records (
        slot INTEGER PRIMARY KEY,
        inbox BLOB NOT NULL,
        published INTEGER NOT NULL,
        sum BLOB NOT NULL,
        bytes BLOB NOT NULL
    ) STRICT;
    CREATE TABLE quarantined_records (slot INTEGER PRIMARY KEY) STRICT;
    CREATE TABLE meta (high_water INTEGER NOT NULL, commits INTEGER NOT NULL, counted BLOB) STRICT;
    INSERT INTO meta VALUES (0, 0, NULL);
";

/// Opens the database, laying it out if it is new.
pub(super) fn open(path: &Path) -> Result<Connection, OpenError> {
    let database = Connection::open(path)?;
    database.busy_timeout(BUSY)?;
    let known = check_version(&database)?;
    make_durable(&database)?;
    if known {
        settle(&database)?;
        match begin_to_count(&database).map_err(OpenError::from) {
            // With the first commit for which there is room, then.
            Ok(()) | Err(OpenError::Full) => {}
            Err(error) => return Err(error),
        }
    } else {
        let layout = format!("BEGIN IMMEDIATE; {SCHEMA} PRAGMA user_version = {STORAGE_VERSION}; COMMIT;");
        database.execute_batch(&layout)?;
    }
    Ok(database)
}

/// Makes durable what a killed relay had written and not yet synced: SQLite reads it out of the log and takes it for
/// committed, so it is about to be counted and served.
fn settle(database: &Connection) -> Result<(), OpenError> {
    let frames = |row: &Row<'_>| Ok((row.get::<_, i64>(1)?, row.get::<_, i64>(2)?));
    match database.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], frames).map_err(OpenError::from) {
        Ok((log, written_back)) if log == written_back => Ok(()),
        Ok(_) => Err(OpenError::Unreadable(rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_BUSY), None))),
        // SQLite syncs the log before the database grows: without room for that it is durable where it is.
        Err(OpenError::Full) => Ok(()),
        Err(error) => Err(error),
    }
}

/// A database from before commits or rows were counted gets places for their numbers; a relay of then passes over them.
pub(super) fn begin_to_count(database: &Connection) -> rusqlite::Result<()> {
    for (name, column) in [("commits", "commits INTEGER NOT NULL DEFAULT 0"), ("counted", "counted BLOB")] {
        let query = "SELECT count(*) FROM pragma_table_info('meta') WHERE name = ?1";
        if database.query_row(query, [name], |row| row.get::<_, i64>(0))? == 0 {
            database.execute_batch(&format!("ALTER TABLE meta ADD COLUMN {column}"))?;
        }
    }
    Ok(())
}

/// Whether the database is laid out; an error if it is so in another version.
pub(super) fn check_version(database: &Connection) -> Result<bool, OpenError> {
    let version: i64 = database.pragma_query_value(None, "user_version", |row| row.get(0))?;
    match version {
        0 => Ok(false),
        STORAGE_VERSION => Ok(true),
        newer if newer > STORAGE_VERSION => Err(OpenError::Newer),
        _ => Err(OpenError::Older),
    }
}

/// Sets what durability needs and reads it back: a build or a file system that ignores it must not go unnoticed.
fn make_durable(database: &Connection) -> Result<(), OpenError> {
    let journal: String = database.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
    database.pragma_update(None, "synchronous", "FULL")?;
    let synchronous: i64 = database.pragma_query_value(None, "synchronous", |row| row.get(0))?;
    // Erased envelopes are overwritten where that costs no extra write; the log is cut back after a burst.
    database.execute_batch("PRAGMA secure_delete = FAST; PRAGMA journal_size_limit = 67108864;")?;
    if journal.eq_ignore_ascii_case("wal") && synchronous == 2 { Ok(()) } else { Err(OpenError::NotDurable) }
}
