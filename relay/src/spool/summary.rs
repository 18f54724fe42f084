//! A count of what a spool holds, for `status`, read beside a running relay.

use rohrpost_wire::codec;
use rohrpost_wire::fixed::Fixed;
use rohrpost_wire::frame::{Destination, TtlClass};
use rusqlite::{Connection, OptionalExtension as _};

use super::error::OpenError;
use super::store::STORAGE_VERSION;
use crate::status::Summary;

/// Counts what is in a database opened for reading.
pub(crate) fn summary(database: &Connection) -> Result<Summary, OpenError> {
    let version: i64 = database.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if version > STORAGE_VERSION {
        return Err(OpenError::Newer);
    }
    if version == 0 {
        return Ok(Summary::default());
    }
    let count = |query: &str| -> Result<u64, OpenError> {
        let number: i64 = database.query_row(query, [], |row| row.get(0))?;
        Ok(number.cast_unsigned())
    };
    Ok(Summary {
        envelopes: count("SELECT count(*) FROM envelope WHERE quarantined = 0")?,
        bytes: count("SELECT coalesce(sum(length(bytes)), 0) FROM envelope WHERE quarantined = 0")?,
        oldest: oldest(database)?,
        mailboxes: count("SELECT count(*) FROM mailbox")?,
        record_sets: count("SELECT count(*) FROM records")?,
        quarantined: count("SELECT count(*) FROM envelope WHERE quarantined = 1")?,
    })
}

/// When the first of the waiting envelopes came: its end less the class it was deposited under.
fn oldest(database: &Connection) -> Result<Option<u64>, OpenError> {
    let query = "SELECT header, expires FROM envelope WHERE quarantined = 0 ORDER BY slot LIMIT 1";
    let first = database.query_row(query, [], |row| Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, i64>(1)?)));
    let Some((header, expires)) = first.optional()? else { return Ok(None) };
    let header = codec::decode::<(Destination, TtlClass, Option<Fixed<32>>)>(&header);
    Ok(header.ok().map(|(_, ttl, _)| expires.cast_unsigned().saturating_sub(ttl.seconds())))
}
