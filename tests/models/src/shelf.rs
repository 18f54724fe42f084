//! A vault's rows as a plain value, so that a search can hold many states of it beside one another.
//!
//! It is a [`Store`] on which the safe's own code runs. What was there at the beginning is shared, and only what changed
//! since tells two states apart. The audit log is kept as a set of events, each with how often it was written, in no
//! order: in which order leaves were written decides nothing, and would make every order a state of its own.

use std::collections::BTreeMap;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use rohrpost_safe_agent::audit::{self, Action, Decision, Event};
use rohrpost_safe_agent::rows::{self, AuditHead};
use rohrpost_safe_agent::vault::{Draft, Row, Store, StoreError, Table, WriteSet};
use rohrpost_wire::codec;

/// Tells one kind of event from all others.
pub type Kind = fn(&Action, Decision) -> bool;

type Place = (Table, Vec<u8>);

/// Rows by table and key.
#[derive(Clone, Default)]
pub struct Shelf {
    founded: Arc<BTreeMap<Place, Vec<u8>>>,
    changed: BTreeMap<Place, Option<Vec<u8>>>,
    leaves: BTreeMap<Vec<u8>, u32>,
}

impl Shelf {
    /// The same rows, from now on the ones from which changes are told; what was logged so far is forgotten.
    #[must_use]
    pub fn settled(self) -> Self {
        let mut rows = (*self.founded).clone();
        for (place, row) in self.changed {
            match row {
                Some(row) => rows.insert(place, row),
                None => rows.remove(&place),
            };
        }
        Self { founded: Arc::new(rows), ..Self::default() }
    }

    /// These rows, but of some tables what `older` has. A device's first count comes with its enrolment and not with what it
    /// asks: that stays.
    #[must_use]
    pub fn without(&self, tables: &[Table], older: &Self) -> Self {
        let mut blend = self.clone();
        let is_first = |place: &Place| place.0 == Table::Sequences && !older.has(place);
        blend.changed.retain(|place, _| !tables.contains(&place.0) || is_first(place));
        let kept = older.changed.iter().filter(|((table, _), _)| tables.contains(table));
        blend.changed.extend(kept.map(|(place, row)| (place.clone(), row.clone())));
        blend
    }

    fn has(&self, place: &Place) -> bool {
        self.changed.get(place).map_or_else(|| self.founded.contains_key(place), Option::is_some)
    }

    /// These rows, but no leaf that `older` does not have.
    #[must_use]
    pub fn without_leaves(&self, older: &Self) -> Self {
        Self { leaves: older.leaves.clone(), ..self.clone() }
    }

    /// Forgets what was logged, but not how late it is.
    pub fn forget_leaves(&mut self) {
        self.leaves.clear();
    }

    /// Runs a job of the safe's in one transaction.
    pub fn transact<T>(&mut self, job: impl FnOnce(&mut Draft<'_>) -> Result<T, StoreError>) -> T {
        let (done, writes) = self.decide(job);
        self.apply(writes).expect("a shelf takes every write");
        done
    }

    /// Runs a job of the safe's and hands out what it would write.
    pub fn decide<T>(&self, job: impl FnOnce(&mut Draft<'_>) -> Result<T, StoreError>) -> (T, WriteSet) {
        let mut draft = Draft::new(self);
        let done = job(&mut draft).expect("a shelf has no damaged rows");
        (done, draft.into_writes())
    }

    /// A row.
    pub fn load<T: rows::Stored>(&self, key: &[u8]) -> Option<T> {
        rows::load(&Draft::new(self), key).expect("a shelf has no damaged rows")
    }

    /// How often an event of this kind was logged.
    pub fn logged(&self, kind: impl Fn(&Action, Decision) -> bool) -> u32 {
        let event = |bytes: &Vec<u8>| codec::decode::<Event>(bytes).expect("what was encoded decodes");
        let leaves = self.leaves.iter().map(|(bytes, times)| (event(bytes), times));
        leaves.filter(|(event, _)| kind(&event.action, event.decision)).map(|(_, times)| times).sum()
    }

    fn head(&self) -> AuditHead {
        self.load(AuditHead::KEY).unwrap_or_default()
    }

    /// Takes the leaves that were just written off the rows.
    fn take_leaves(&mut self) {
        let events = audit::read(&Draft::new(self), 0, usize::MAX).expect("a shelf has no damaged leaves");
        if events.is_empty() {
            return;
        }
        for (_, event) in events {
            *self.leaves.entry(codec::encode(&event)).or_default() += 1;
        }
        self.changed.retain(|(table, _), _| *table != Table::Audit);
        let mut draft = Draft::new(self);
        rows::save(&mut draft, &AuditHead { next: 0, ..self.head() }).expect("a head can be written");
        let writes = draft.into_writes();
        self.put(&writes);
    }

    fn put(&mut self, writes: &WriteSet) {
        for (table, key, row) in writes.iter() {
            let place = (table, key.to_vec());
            let row = row.map(|row| row.as_bytes().to_vec());
            // A change to what it was is none: two ways to the same rows are one state.
            if self.founded.get(&place) == row.as_ref() {
                self.changed.remove(&place);
            } else {
                self.changed.insert(place, row);
            }
        }
    }
}

impl Store for Shelf {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Row>, StoreError> {
        let place = (table, key.to_vec());
        let row = self.changed.get(&place).map_or_else(|| self.founded.get(&place), Option::as_ref);
        Ok(row.map(|bytes| Row::new(bytes.clone())))
    }

    fn scan(
        &self,
        table: Table,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<(Vec<u8>, Row)>, StoreError> {
        let start = (table, prefix.to_vec());
        let within = |(at, key): &Place| *at == table && key.starts_with(prefix);
        let founded = self.founded.range(start.clone()..).take_while(|(place, _)| within(place));
        let mut found: BTreeMap<&[u8], Option<&Vec<u8>>> =
            founded.map(|((_, key), row)| (key.as_slice(), Some(row))).collect();
        let changed = self.changed.range(start..).take_while(|(place, _)| within(place));
        found.extend(changed.map(|((_, key), row)| (key.as_slice(), row.as_ref())));
        let rows = found.into_iter().filter(|(key, _)| after.is_none_or(|after| *key > after));
        let rows = rows.filter_map(|(key, row)| row.map(|row| (key.to_vec(), Row::new(row.clone()))));
        Ok(rows.take(limit).collect())
    }

    fn apply(&mut self, writes: WriteSet) -> Result<(), StoreError> {
        self.put(&writes);
        self.take_leaves();
        Ok(())
    }

    fn flush(&mut self) -> Result<(), StoreError> {
        Ok(())
    }
}

impl PartialEq for Shelf {
    fn eq(&self, other: &Self) -> bool {
        (&self.changed, &self.leaves) == (&other.changed, &other.leaves)
    }
}

impl Eq for Shelf {}

impl Hash for Shelf {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.changed.hash(state);
        self.leaves.hash(state);
    }
}

impl fmt::Debug for Shelf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Shelf({} changed, {} events)", self.changed.len(), self.leaves.len())
    }
}
