//! Files and folders: contents, and names.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use crate::findings::Findings;
use crate::scanner::Scanner;

/// Searches a file.
pub(crate) fn file(scanner: &Scanner, path: &Path) -> io::Result<Findings> {
    scanner.stream(&path.display().to_string(), File::open(path)?)
}

/// Searches all files below a folder, and every name below it. What is no file, such as a socket, has only a name.
pub(crate) fn folder(scanner: &Scanner, root: &Path) -> io::Result<Findings> {
    let mut findings = Findings::default();
    let mut waiting = vec![root.to_owned()];
    while let Some(path) = waiting.pop() {
        if let Ok(name) = path.strip_prefix(root) {
            let place = format!("the name of {}", path.display());
            findings.join(scanner.bytes(&place, name.as_os_str().as_encoded_bytes()));
        }
        let kind = match fs::symlink_metadata(&path) {
            // A served folder changes: what is gone by now holds nothing.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            metadata => metadata?.file_type(),
        };
        if kind.is_dir() {
            for entry in fs::read_dir(&path)? {
                waiting.push(entry?.path());
            }
        } else if kind.is_file() {
            findings.join(file(scanner, &path)?);
        }
    }
    Ok(findings)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Canary;

    #[test]
    fn names_and_contents_are_searched_at_any_depth_and_the_folders_own_place_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("Annegret Beispiel");
        fs::create_dir_all(root.join("inner/Quodlibet-3718")).unwrap();
        fs::write(root.join("inner/file"), "xx Quodlibet-3718 xx").unwrap();
        let canaries = [Canary::text("name", "Annegret Beispiel"), Canary::text("title", "Quodlibet-3718").whole()];
        let findings = Scanner::new(&canaries).folder(&root).unwrap();
        assert_eq!((findings.count("name"), findings.count("title")), (0, 2), "{findings}");
    }
}
