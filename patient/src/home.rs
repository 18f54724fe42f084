//! The folder in which a device keeps its account, and the lock under which it is changed.
//!
//! Reading needs no lock, since files are replaced whole. Every change is read, made and written under the lock, so two
//! runs at once never use one sequence number.

use std::fs::{self, DirBuilder, File};
use std::path::{Path, PathBuf};

use rohrpost_e2ee::LinkId;
use rohrpost_wire::fixed::Fixed;

use crate::account::{Account, Pending};
use crate::stored::{self, Kind, StoredError};

const ACCOUNT: &str = "account";
/// Followed by the public name of the link, so that no link destroys another's unanswered enrolment.
const PENDING: &str = "enrolment-";
/// Enrolments looked at beside the one that is asked for: more than anybody leaves unanswered in one home, and soon read.
const MOST_PENDING: usize = 64;
const LOCK: &str = "lock";
const ACCOUNT_KIND: Kind = Kind { label: b"rohrpost/1 patient account", version: 1 };
const PENDING_KIND: Kind = Kind { label: b"rohrpost/1 patient enrolment", version: 2 };

/// A folder that may hold an account.
#[derive(Clone, Debug)]
pub struct Home {
    folder: PathBuf,
}

impl Home {
    /// The home in this folder.
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// The home in the platform's usual place for a program's data; `None` if the platform names none.
    pub fn usual() -> Option<Self> {
        directories::ProjectDirs::from("", "", "rohrpost").map(|places| Self::at(places.data_local_dir()))
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The file with the keys.
    pub fn account_path(&self) -> PathBuf {
        self.folder.join(ACCOUNT)
    }

    /// The account as it is now; `None` where no device has been enrolled.
    pub fn account(&self) -> Result<Option<Account>, StoredError> {
        if let Ok(metadata) = fs::metadata(&self.folder)
            && is_writable_by_others(&metadata)
        {
            return Err(StoredError::Exposed(self.folder.clone()));
        }
        stored::read(&self.account_path(), ACCOUNT_KIND)
    }

    /// Makes the folder, for its owner alone, if it is not there.
    pub fn create(&self) -> Result<(), StoredError> {
        let mut builder = DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::DirBuilderExt as _;
            builder.mode(0o700);
        }
        builder.create(&self.folder).map_err(stored::disk(&self.folder))
    }

    /// Waits until no other run changes anything here.
    pub fn lock(&self) -> Result<Locked<'_>, StoredError> {
        let path = self.folder.join(LOCK);
        let file = stored::private().write(true).create(true).truncate(false).open(&path);
        let file = file.map_err(stored::disk(&path))?;
        file.lock().map_err(stored::disk(&path))?;
        Ok(Locked { home: self, _lock: file })
    }
}

/// A home that nobody else changes meanwhile.
#[derive(Debug)]
pub struct Locked<'a> {
    home: &'a Home,
    _lock: File,
}

impl Locked<'_> {
    /// Replaces the account; durable when this returns.
    pub fn save_account(&self, account: &Account) -> Result<(), StoredError> {
        stored::write(&self.home.account_path(), ACCOUNT_KIND, account)
    }

    /// Reads, changes and writes the account; durable when this returns. `None` if there is none.
    pub fn update_account<T>(&self, change: impl FnOnce(&mut Account) -> T) -> Result<Option<T>, StoredError> {
        let Some(mut account) = self.home.account()? else { return Ok(None) };
        let before = account.clone();
        let result = change(&mut account);
        if account != before {
            self.save_account(&account)?;
        }
        Ok(Some(result))
    }

    /// The enrolment that was begun with this link and not answered.
    pub fn pending(&self, link: LinkId) -> Result<Option<Pending>, StoredError> {
        stored::read(&self.pending_path(link), PENDING_KIND)
    }

    /// The enrolments that were begun here with any link and not answered, at most 64. What cannot be read
    /// is passed over: it belongs to another link, and must not stand in this one's way.
    pub fn all_pending(&self) -> Vec<Pending> {
        let Ok(entries) = fs::read_dir(&self.home.folder) else { return Vec::new() };
        let links = entries.flatten().filter_map(|entry| link_of(entry.file_name().to_str()?)).take(MOST_PENDING);
        links.filter_map(|link| self.pending(link).ok().flatten()).collect()
    }

    /// Replaces it; durable when this returns.
    pub fn save_pending(&self, pending: &Pending) -> Result<(), StoredError> {
        stored::write(&self.pending_path(pending.link), PENDING_KIND, pending)
    }

    /// Forgets it.
    pub fn remove_pending(&self, link: LinkId) -> Result<(), StoredError> {
        stored::remove(&self.pending_path(link))
    }

    fn pending_path(&self, link: LinkId) -> PathBuf {
        self.home.folder.join(format!("{PENDING}{}", link.0.to_hex()))
    }
}

/// The link whose enrolment a file of this name holds.
fn link_of(file_name: &str) -> Option<LinkId> {
    file_name.strip_prefix(PENDING).and_then(Fixed::from_hex).map(LinkId)
}

#[cfg(unix)]
fn is_writable_by_others(metadata: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    metadata.mode() & 0o022 != 0
}

#[cfg(not(unix))]
fn is_writable_by_others(_: &fs::Metadata) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::tests::{account, pending};

    #[test]
    fn a_folder_that_is_not_there_holds_no_account() {
        let folder = tempfile::tempdir().unwrap();
        assert!(Home::at(folder.path().join("none")).account().unwrap().is_none());
    }

    #[test]
    fn an_account_is_kept_and_changed() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(folder.path().join("home"));
        home.create().unwrap();
        home.lock().unwrap().save_account(&account()).unwrap();
        let first = home.lock().unwrap().update_account(|account| account.sequence.reserve().number).unwrap();
        let second = home.lock().unwrap().update_account(|account| account.sequence.reserve().number).unwrap();
        assert_eq!((first, second), (Some(1), Some(2)));
    }

    #[test]
    fn the_unanswered_enrolments_of_two_links_stand_beside_each_other() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(folder.path());
        let lock = home.lock().unwrap();
        let (first, second) = (pending(1), pending(2));
        lock.save_pending(&first).unwrap();
        lock.save_pending(&second).unwrap();
        assert!(lock.pending(first.link).unwrap() == Some(first.clone()));
        lock.remove_pending(second.link).unwrap();
        assert!(lock.pending(first.link).unwrap() == Some(first));
        assert!(lock.pending(second.link).unwrap().is_none());
    }

    #[test]
    fn unanswered_enrolments_are_listed_up_to_a_bound_and_what_is_none_is_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(folder.path());
        let lock = home.lock().unwrap();
        lock.save_account(&account()).unwrap();
        for name in ["enrolment-", "enrolment-xyz", "enrolment-0909.new", "other"] {
            fs::write(folder.path().join(name), "foreign").unwrap();
        }
        fs::write(lock.pending_path(pending(200).link), "damaged").unwrap();
        fs::create_dir(lock.pending_path(pending(201).link)).unwrap();
        lock.save_pending(&pending(1)).unwrap();
        lock.save_pending(&pending(2)).unwrap();
        let mut links: Vec<_> = lock.all_pending().into_iter().map(|pending| pending.link).collect();
        links.sort();
        assert_eq!(links, [pending(1).link, pending(2).link]);
        for link in 3..100 {
            lock.save_pending(&pending(link)).unwrap();
        }
        // Two of the places may go to what cannot be read.
        assert!((MOST_PENDING - 2..=MOST_PENDING).contains(&lock.all_pending().len()));
    }

    #[test]
    fn runs_at_once_never_get_one_number_twice() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(folder.path());
        home.lock().unwrap().save_account(&account()).unwrap();
        let reserve = || home.lock().unwrap().update_account(|account| account.sequence.reserve().number).unwrap();
        let mut numbers: Vec<_> = std::thread::scope(|scope| {
            let runs: Vec<_> = (0..4).map(|_| scope.spawn(|| (0..8).map(|_| reserve()).collect::<Vec<_>>())).collect();
            runs.into_iter().flat_map(|run| run.join().unwrap()).collect()
        });
        numbers.sort_unstable();
        assert_eq!(numbers, (1..=32).map(Some).collect::<Vec<_>>());
    }

    #[cfg(unix)]
    #[test]
    fn a_new_folder_is_its_owners_alone_and_one_that_others_may_change_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(folder.path().join("home"));
        home.create().unwrap();
        assert_eq!(fs::metadata(home.folder()).unwrap().permissions().mode() & 0o777, 0o700);
        fs::set_permissions(home.folder(), fs::Permissions::from_mode(0o720)).unwrap();
        assert!(matches!(home.account(), Err(StoredError::Exposed(_))));
    }
}
