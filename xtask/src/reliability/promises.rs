//! What we promise, row by row, and the tests that attack each.
//!
//! The numbers stay: a promise that is given up keeps its row and says so. A later feature adds rows at the end.

use super::row::Row;

mod access;
mod durability;
mod network;
mod record;

/// Every promise, in order.
pub(crate) fn all() -> Vec<Row> {
    [durability::ROWS, network::ROWS, access::ROWS, record::ROWS].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn promises_are_numbered_without_a_gap() {
        let keys: Vec<_> = all().iter().map(|row| row.key.to_owned()).collect();
        let numbers: Vec<_> = (1..=keys.len()).map(|number| number.to_string()).collect();
        assert_eq!(keys, numbers);
    }
}
