//! A count of what a spool holds, for `status`, read beside a running relay.

use rohrpost_wire::codec;
use rohrpost_wire::fixed::Fixed;
use rohrpost_wire::frame::{Destination, TtlClass};
use rusqlite::{Connection, OptionalExtension as _};

use super::error::OpenError;
use super::schema;
use crate::status::Summary;

const WAITING_BYTES: &str = "SELECT coalesce(sum(length(bytes)), 0) FROM envelope
     WHERE slot NOT IN (SELECT slot FROM quarantined_envelope)";

/// Counts what is in a database opened for reading.
pub(crate) fn summary(database: &Connection) -> Result<Summary, OpenError> {
    if !schema::check_version(database)? {
        return Ok(Summary::default());
    }
    let count = |query: &str| -> Result<u64, OpenError> {
        let number: i64 = database.query_row(query, [], |row| row.get(0))?;
        Ok(number.cast_unsigned())
    };
    Ok(Summary {
        envelopes: count("SELECT count(*) FROM envelope WHERE slot NOT IN (SELECT slot FROM quarantined_envelope)")?,
        bytes: count(WAITING_BYTES)?,
        oldest: oldest(database)?,
        mailboxes: count("SELECT count(*) FROM mailbox")?,
        record_sets: count("SELECT count(*) FROM records WHERE slot NOT IN (SELECT slot FROM quarantined_records)")?,
        quarantined: count("SELECT count(*) FROM quarantined_envelope")?
            + count("SELECT count(*) FROM quarantined_records")?,
    })
}

/// When the first of the waiting envelopes came: its end less the class it was deposited under.
fn oldest(database: &Connection) -> Result<Option<u64>, OpenError> {
    let query = "SELECT header, expires FROM envelope
                 WHERE slot NOT IN (SELECT slot FROM quarantined_envelope) ORDER BY slot LIMIT 1";
    let first = database.query_row(query, [], |row| Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, i64>(1)?)));
    let Some((header, expires)) = first.optional()? else { return Ok(None) };
    let header = codec::decode::<(Destination, TtlClass, Option<Fixed<32>>)>(&header);
    Ok(header.ok().map(|(_, ttl, _)| expires.cast_unsigned().saturating_sub(ttl.seconds())))
}
