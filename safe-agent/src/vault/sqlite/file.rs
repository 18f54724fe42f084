//! The database file: how it is made, opened, and held to what durability needs.

use std::path::{Path, PathBuf};

use rusqlite::config::DbConfig;
use rusqlite::types::FromSql;
use rusqlite::{Connection, OpenFlags, params};

use super::kind;
use crate::vault::condition::Structure;
use crate::vault::durable;
use crate::vault::sealing::Place;
use crate::vault::store::{StoreError, Table};

/// Makes the file and its one table.
pub(super) fn create(path: &Path) -> Result<Connection, StoreError> {
    // Made here and not by SQLite, which would give it the mode of the umask; its log inherits the mode.
    durable::create_private(path).map_err(|error| unavailable(&error))?;
    let connection = connect(path)?;
    set(&connection, "page_size", PAGE_BYTES)?;
    configure(&connection)?;
    set(&connection, "application_id", APPLICATION_ID)?;
    set(&connection, "user_version", STORAGE_VERSION)?;
    connection.execute_batch(SCHEMA).map_err(kind)?;
    Ok(connection)
}

/// Opens a file that is ours and that this release understands.
pub(super) fn open(path: &Path) -> Result<Connection, StoreError> {
    let connection = connect(path)?;
    configure(&connection)?;
    let application: i64 = get(&connection, "application_id")?;
    if application != APPLICATION_ID {
        return Err(StoreError::Foreign);
    }
    let version: i64 = get(&connection, "user_version")?;
    if version > STORAGE_VERSION {
        return Err(StoreError::Newer);
    }
    if version == STORAGE_VERSION { Ok(connection) } else { Err(StoreError::Damaged) }
}

/// Makes the file's name durable.
pub(super) fn settle_directory(path: &Path) -> Result<(), StoreError> {
    durable::sync_parent(path).map_err(|error| unavailable(&error))
}

/// Where the witness of a database lies.
pub(super) fn witness_path(database: &Path) -> PathBuf {
    database.with_extension("witness")
}

/// Writes the log back into the file, and empties it.
pub(super) fn write_back(connection: &Connection) -> Result<(), StoreError> {
    let busy: i64 = connection.query_row(WRITE_BACK, [], |row| row.get(0)).map_err(kind)?;
    if busy == 0 { Ok(()) } else { Err(StoreError::Busy) }
}

/// Makes durable what a killed safe had written and not yet flushed: `SQLite` reads it out of the log and takes it for
/// committed, so it is about to be counted and relied on.
pub(super) fn settle_log(connection: &Connection) -> Result<(), StoreError> {
    match write_back(connection) {
        // The log is flushed before the file grows: without room for that it is durable where it is.
        Err(StoreError::DiskFull) => Ok(()),
        settled => settled,
    }
}

/// Keeps the log as it is when the file is closed, for whoever may still read something out of it.
pub(super) fn leave_log(connection: &Connection) -> Result<(), StoreError> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).map_err(kind).map(drop)
}

/// Whether every row is found.
pub(super) fn structure(connection: &Connection) -> Result<Structure, StoreError> {
    Ok(unless_damaged(check_structure(connection))?.map_or(Structure::Damaged, |()| Structure::Sound))
}

/// What was read, or nothing where damage was. A page that cannot be read is as good as damaged: the others are there to
/// be read.
pub(super) fn unless_damaged<T>(read: Result<T, StoreError>) -> Result<Option<T>, StoreError> {
    match read {
        Err(StoreError::Damaged) => Ok(None),
        // The low byte says which kind of fault it is, the others where.
        Err(StoreError::Unavailable(code)) if code & 0xff == rusqlite::ffi::SQLITE_IOERR => Ok(None),
        read => read.map(Some),
    }
}

/// Lets the engine check its own structure up to the first fault, and looks for rows where nobody would look for them.
pub(super) fn check_structure(connection: &Connection) -> Result<(), StoreError> {
    let verdict: String = connection.query_row(CHECK, [], |row| row.get(0)).map_err(kind)?;
    let (own, last) = (Place::CHECK.number(), Table::ALL.map(Table::number).into_iter().max());
    let known = params![own, Place::CHECK.key(), Place::COMMITS.key(), last];
    let strays: bool = connection.query_row(STRAYS, known, |row| row.get(0)).map_err(kind)?;
    if verdict == "ok" && !strays { Ok(()) } else { Err(StoreError::Damaged) }
}

fn connect(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let connection = Connection::open_with_flags(path, flags).map_err(kind)?;
    // One owner: whoever else holds the file is an error to report, not one to wait for.
    connection.busy_timeout(std::time::Duration::ZERO).map_err(kind)?;
    Ok(connection)
}

/// Sets what durability and secrecy need, and reads each back: a pragma that fails is silent.
fn configure(connection: &Connection) -> Result<(), StoreError> {
    // Exclusive before the log is opened: then the log's index lives on the heap and not in a mapped file, which a
    // full disk would answer with a bus error.
    set(connection, "locking_mode", "EXCLUSIVE")?;
    set(connection, "journal_mode", "WAL")?;
    set(connection, "synchronous", FULL)?;
    set(connection, "secure_delete", ON)?;
    set(connection, "temp_store", IN_MEMORY)?;
    set(connection, "trusted_schema", OFF)?;
    set(connection, "cell_size_check", ON)?;
    let fits = get::<String>(connection, "locking_mode")? == "exclusive"
        && get::<String>(connection, "journal_mode")? == "wal"
        && get::<i64>(connection, "synchronous")? == FULL
        && get::<i64>(connection, "secure_delete")? == ON
        && get::<i64>(connection, "temp_store")? == IN_MEMORY;
    if fits { Ok(()) } else { Err(StoreError::Unavailable(rusqlite::ffi::SQLITE_MISUSE)) }
}

fn set(connection: &Connection, pragma: &str, value: impl rusqlite::ToSql) -> Result<(), StoreError> {
    // Some pragmas answer with a row and some do not.
    connection.pragma(None, pragma, value, |_| Ok(())).map_err(kind)
}

fn get<T: FromSql>(connection: &Connection, pragma: &str) -> Result<T, StoreError> {
    connection.pragma_query_value(None, pragma, |row| row.get(0)).map_err(kind)
}

fn unavailable(error: &std::io::Error) -> StoreError {
    use rusqlite::ffi::{SQLITE_CANTOPEN, SQLITE_PERM};
    if durable::is_full(error) {
        return StoreError::DiskFull;
    }
    let denied = error.kind() == std::io::ErrorKind::PermissionDenied;
    StoreError::Unavailable(if denied { SQLITE_PERM } else { SQLITE_CANTOPEN })
}

/// `RPst`, in the file's header: this database is a rohrpost safe's.
const APPLICATION_ID: i64 = 0x5250_7374;

/// Version of the tables. Raised with every change that an older release would misread.
const STORAGE_VERSION: i64 = 1;

/// A sealed row of the 1 KiB class lies whole in a page of this size; in SQLite's default 4 KiB it would take a page
/// of its own besides.
const PAGE_BYTES: i64 = 8192;

const WRITE_BACK: &str = "PRAGMA wal_checkpoint(TRUNCATE)";

/// Every page used once, every byte of a page accounted for, every key in its order. `quick_check`, which takes as long,
/// leaves out the order, and a key out of its order makes others impossible to find.
const CHECK: &str = "PRAGMA integrity_check(1)";

/// Rows of no table that there is, which no list would show: a flipped bit may carry one off there.
const STRAYS: &str = "SELECT
    EXISTS (SELECT 1 FROM rows WHERE tab = ?1 AND key NOT IN (?2, ?3)) OR
    EXISTS (SELECT 1 FROM rows WHERE tab < ?1) OR
    EXISTS (SELECT 1 FROM rows WHERE tab > ?4)";

const FULL: i64 = 2;
const ON: i64 = 1;
const OFF: i64 = 0;
const IN_MEMORY: i64 = 2;

const SCHEMA: &str = "CREATE TABLE rows (
    tab INTEGER NOT NULL,
    key BLOB NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY (tab, key)
) WITHOUT ROWID, STRICT";
