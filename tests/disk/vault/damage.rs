//! Bits that flip, sectors that vanish and files that end early, in every file of a vault.
//!
//! Each damage is done to a copy of one folder. Every row and every document is then read: right, missing or called
//! damaged, never other than what was once written; and nothing panics. A damaged log sets rows back to what they were
//! before: such a vault is refused until its owner accepts the loss. A damaged page of the database may hide rows, or a row
//! may stand under another key: the check at the opening tells. None that lacks something is opened without a word.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use rohrpost_figures::Figures;
use rohrpost_safe_agent::clock;
use rohrpost_safe_agent::opening::{self, loss};
use rohrpost_safe_agent::rows::{self, DocumentRow};
use rohrpost_safe_agent::vault::{
    Condition, Draft, Folder, SqliteStore, Standing, Store as _, StoreError, Structure, SystemRng, Table, Unlock,
    system_rng, unlock_with_passphrase,
};

use super::found::content_of;
use super::scene::{History, LOG_FRAME, LOG_HEADER, PAGE, Scene};
use super::served::passphrase;
use crate::damage::{self, Damage, count_panics};
use crate::plan::{Dice, Plan};

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_vault_gives_right_rows_and_documents_or_none() {
    let plan = Plan::of("disk.vault_damage");
    let (scene, mut dice, panics) = (Scene::make().await, plan.dice(), count_panics());
    let mut tallies: BTreeMap<&'static str, Tally> = BTreeMap::new();
    for _ in 0..plan.rounds(200, 3000) {
        let (kind, tally) = try_one(&scene, &mut dice);
        assert_eq!((tally.wrong, panics.load(Ordering::Relaxed)), (0, 0), "{kind}");
        assert_eq!(tally.silent, 0, "{kind}");
        if ["log", "witness"].contains(&kind) {
            assert_eq!(tally.false_alarm, 0, "{kind}");
        }
        tallies.entry(kind).or_default().add(&tally);
    }
    for kind in ["log", LOST_WRITE] {
        assert!(tallies[kind].set_back > 0, "no {kind}");
    }
    let mut figures = Figures::of("disk.vault_damage").seed(plan.seed).none("panics");
    for (kind, tally) in tallies {
        figures = tally.print(kind, figures);
    }
    figures.publish();
}

/// What damages to one kind of file came to.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    damages: u64,
    refused: u64,
    set_back: u64,
    false_alarm: u64,
    noticed: u64,
    /// Rows are missing, and the check of the structure alone has told.
    hidden: u64,
    silent: u64,
    wrong: u64,
}

impl Tally {
    fn add(&mut self, other: &Self) {
        self.damages += other.damages;
        self.refused += other.refused;
        self.set_back += other.set_back;
        self.noticed += other.noticed;
        self.hidden += other.hidden;
        self.silent += other.silent;
        self.false_alarm += other.false_alarm;
    }

    fn all_right(&self) -> u64 {
        let told = self.refused + self.set_back + self.false_alarm + self.noticed + self.hidden;
        self.damages - told - self.silent
    }

    fn print(self, kind: &str, figures: Figures) -> Figures {
        figures
            .count(format!("{kind}: damages"), self.damages)
            .count(format!("{kind}: wrong rows or documents"), self.wrong)
            .count(format!("{kind}: refused to open"), self.refused)
            .count(format!("{kind}: refused until the loss of the newest is accepted"), self.set_back)
            .count(format!("{kind}: called set back, and all there"), self.false_alarm)
            .count(format!("{kind}: opened, damage told"), self.noticed)
            .count(format!("{kind}: opened, rows missing, told by the check of the structure alone"), self.hidden)
            .count(format!("{kind}: opened, rows missing or set back without a word"), self.silent)
            .count(format!("{kind}: opened, all right"), self.all_right())
    }
}

fn try_one(scene: &Scene, dice: &mut Dice) -> (&'static str, Tally) {
    let copy = tempfile::tempdir().unwrap();
    let (kind, from, file) = match dice.below(13) {
        12 => (LOST_WRITE, &scene.settled, "vault.db".into()),
        10 | 11 => ("witness", &scene.crashed, "vault.witness".into()),
        0 => ("keys", &scene.settled, "vault.keys".into()),
        1 | 2 => ("content", &scene.settled, scene.documents[dice.place(scene.documents.len())].clone()),
        3..6 => ("log", &scene.crashed, "vault.db-wal".into()),
        6 => ("database beside its log", &scene.crashed, "vault.db".into()),
        _ => ("database", &scene.settled, PathBuf::from("vault.db")),
    };
    damage::copy(from, copy.path());
    if kind == LOST_WRITE {
        lose_a_write(&copy.path().join(file), &fs::read(scene.crashed.join("vault.db-wal")).unwrap(), dice);
    } else {
        let _damage: Damage = Damage::inflict(&copy.path().join(file), dice);
    }
    let mut tally = Tally { damages: 1, ..Tally::default() };
    match look(copy.path(), &scene.history) {
        Err(_) => tally.refused = 1,
        Ok(seen) => seen.count(&mut tally),
    }
    (kind, tally)
}

/// Puts one page of the database back to what it was when it was written before: the disk lost the later write.
fn lose_a_write(database: &Path, log: &[u8], dice: &mut Dice) {
    let mut bytes = fs::read(database).unwrap();
    let frames = log[LOG_HEADER..].chunks_exact(LOG_FRAME).map(|frame| frame.split_at(LOG_FRAME - PAGE));
    let place = |header: &[u8]| (u32::from_be_bytes(header[..4].try_into().unwrap()) as usize - 1) * PAGE;
    let older = frames.map(|(header, page)| (place(header), page));
    let older: Vec<_> = older.filter(|(at, page)| bytes.get(*at..at + PAGE).is_some_and(|new| new != *page)).collect();
    let (at, page) = older[dice.place(older.len())];
    bytes[at..at + PAGE].copy_from_slice(page);
    fs::write(database, bytes).unwrap();
}

/// The kind of damage that leaves every page whole and every seal right.
const LOST_WRITE: &str = "database, a write of a page lost";

/// What was read from a damaged vault.
#[derive(Debug)]
struct Seen {
    condition: Condition,
    right: u64,
    old: u64,
    missing: u64,
    damaged: u64,
    wrong: u64,
}

impl Seen {
    fn of(condition: Condition) -> Self {
        Self { condition, right: 0, old: 0, missing: 0, damaged: 0, wrong: 0 }
    }

    fn is_set_back(&self) -> bool {
        self.condition.lost().is_some()
    }

    fn count(&self, tally: &mut Tally) {
        let lacks = self.old + self.missing > 0;
        let hides = self.condition.structure == Structure::Damaged;
        let column = if self.wrong > 0 {
            &mut tally.wrong
        } else if self.is_set_back() {
            if lacks || self.damaged > 0 { &mut tally.set_back } else { &mut tally.false_alarm }
        } else if self.damaged > 0 || self.condition.standing == Standing::Doubtful || (hides && !lacks) {
            &mut tally.noticed
        } else if hides {
            &mut tally.hidden
        } else if lacks {
            &mut tally.silent
        } else {
            return;
        };
        *column = 1;
    }
}

/// Reads everything as far as it goes.
fn look(data: &Path, history: &History) -> Result<Seen, Box<dyn std::error::Error>> {
    let seen = read(data, history)?;
    if seen.is_set_back() {
        accept(data);
    }
    // The whole safe opens it too, clears up, and closes it.
    let vault = opening::open(data, &Unlock::Passphrase(&passphrase()))?;
    if !seen.is_set_back() {
        assert_eq!(vault.condition.structure, seen.condition.structure, "told at every opening");
    }
    drop(vault);
    Ok(seen)
}

fn read(data: &Path, history: &History) -> Result<Seen, Box<dyn std::error::Error>> {
    let folder = Folder::open(data)?;
    let key = unlock_with_passphrase(&folder, &passphrase())?;
    let store = SqliteStore::open_set_back(&folder.database_path(), &key, system_rng())?;
    let mut seen = Seen::of(store.condition());
    rows_of(&store, history, &mut seen)?;
    documents_of(&store, &folder, history, &mut seen)?;
    Ok(seen)
}

/// What was confirmed is missing: the whole safe refuses, until its owner accepts that. A database that is damaged besides
/// may be refused for another reason.
fn accept(data: &Path) {
    let passphrase = passphrase();
    let with = Unlock::Passphrase(&passphrase);
    assert!(opening::open(data, &with).is_err(), "opened though it is set back");
    let _damaged = loss::accept(data, &with, clock::now());
}

fn rows_of(store: &SqliteStore<SystemRng>, history: &History, seen: &mut Seen) -> Result<(), StoreError> {
    for ((table, key), values) in &history.rows {
        let found = match store.get(*table, key) {
            Err(StoreError::Damaged) => {
                seen.damaged += 1;
                continue;
            }
            found => found?.map(|row| row.as_bytes().to_vec()),
        };
        let newest = history.newest.get(&(*table, key.clone()));
        match found {
            found if found.as_ref() == newest => seen.right += 1,
            None => seen.missing += 1,
            Some(found) if values.contains(&found) => seen.old += 1,
            Some(_) => seen.wrong += 1,
        }
    }
    // A row under a key that nobody wrote must not open.
    for table in Table::ALL {
        let keys = match store.keys(table, &[], None, usize::MAX) {
            Err(StoreError::Damaged) => {
                seen.damaged += 1;
                continue;
            }
            keys => keys?,
        };
        for key in keys.into_iter().filter(|key| !history.rows.contains_key(&(table, key.clone()))) {
            match store.get(table, &key) {
                Err(StoreError::Damaged) | Ok(None) => seen.damaged += 1,
                Ok(Some(_)) => seen.wrong += 1,
                Err(error) => return Err(error),
            }
        }
    }
    Ok(())
}

fn documents_of(
    store: &SqliteStore<SystemRng>,
    folder: &Folder,
    history: &History,
    seen: &mut Seen,
) -> Result<(), StoreError> {
    let draft = Draft::new(store);
    let page = match rows::page::<DocumentRow>(&draft, &[], None, usize::MAX) {
        Err(StoreError::Damaged) => {
            seen.damaged += 1;
            return Ok(());
        }
        page => page?,
    };
    for row in page.rows {
        match content_of(folder, &row) {
            Ok(bytes) if history.documents.get(&row.file_name) == Some(&bytes) => seen.right += 1,
            Ok(_) => seen.wrong += 1,
            Err(_) => seen.damaged += 1,
        }
    }
    Ok(())
}
