//! `accept-loss`: the owner's word that a vault which lost what it had confirmed may be used.

use std::path::Path;

use serde_json::{Value, json};

use super::output::{Output, warn};
use crate::clock;
use crate::failure::Failure;
use crate::office::view::rfc3339;
use crate::opening::{self, Attempt, loss, patiently};
use crate::texts;
use crate::vault::{Passphrase, Unlock};

pub(super) fn accept(data: &Path, passphrase: &Passphrase, output: &Output) -> Result<(), Failure> {
    let loss::Accepted { condition, loss } =
        patiently(|| match loss::accept(data, &Unlock::Passphrase(passphrase), clock::now()) {
            Err(trouble) if opening::is_open_elsewhere(&trouble) => Attempt::Again(Err(trouble)),
            accepted => Attempt::Done(accepted),
        })?;
    texts::warnings(condition).for_each(warn);
    let Some(loss::Loss { missing, recorded_until }) = loss else {
        let vault = texts::finding(condition);
        return output
            .object(&json!({ "kind": "nothing_accepted", "vault": vault }), texts::nothing_accepted(condition));
    };
    let until = rfc3339(recorded_until);
    output.object(&told(missing, &until), &texts::loss_accepted(missing, &until))
}

/// Where nobody can tell how many writes are gone, no number is told, as in the log.
fn told(missing: u64, recorded_until: &str) -> Value {
    let counted = (missing > 0).then_some(missing);
    json!({ "kind": "loss_accepted", "missing_writes": counted, "recorded_until": recorded_until })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_of_writes_is_told_where_there_is_one() {
        assert_eq!(told(3, "then")["missing_writes"], 3);
        assert_eq!(told(0, "then")["missing_writes"], Value::Null);
    }
}
