//! `get`: fetches one document into a file, over as many connections as it takes.
//!
//! It carries out what [`crate::fetch`] decides. The final name appears only after the last chunk came and the hash of
//! the whole was compared; memory holds a few chunks whatever the length.

use std::path::PathBuf;

use rohrpost_client::Download;
use rohrpost_e2ee::body::{DocumentEntry, Status};
use rohrpost_wire::fixed::Fixed;

use crate::console::Console;
use crate::fetch::{self, Dropped, Plan};
use crate::listing::{self, IdPrefix};
use crate::output;
use crate::partial::{Partial, PartialError};
use crate::place::Place;
use crate::problem::{DocumentProblem, Problem};
use crate::retry::Retry;
use crate::session::Session;
use crate::texts;

/// Times that a part may turn out useless, or the document changed, before it is given up.
const STARTS: usize = 4;

/// A document that lies in its file.
#[derive(Debug)]
pub struct Saved {
    /// As the safe listed it.
    pub document: DocumentEntry,
    /// Its file.
    pub path: PathBuf,
    /// Its length.
    pub length: u64,
    /// Its hash.
    pub sha256: Fixed<32>,
    /// Bytes that an earlier run had left here.
    pub kept: u64,
}

/// Fetches the document whose id begins so to `place`.
pub async fn get(
    session: &mut Session,
    console: &Console,
    prefix: IdPrefix,
    place: Place,
    mut retry: Retry,
) -> Result<Saved, Problem> {
    if let Place::File { path, replace: false } = &place
        && path.symlink_metadata().is_ok()
    {
        return Err(PartialError::Exists(path.clone()).into());
    }
    let mut job = Job { prefix, place, document: None, partial: None, kept: None };
    loop {
        let before = job.length();
        let problem = match job.run(session, console).await {
            Ok(saved) => return Ok(saved),
            Err(problem) => problem,
        };
        job.rest()?;
        if job.length() > before {
            retry.handle_progress();
        }
        let jitter = jitter();
        let Some(pause) = fetch::pause_after(&problem, session.was_answered(), &mut retry, jitter) else {
            job.give_up(&problem, console);
            return Err(problem);
        };
        console.note(&texts::retrying(&problem, pause.as_secs_f64(), retry.next_try(), retry.tries()));
        session.leave_over(&problem);
        tokio::time::sleep(pause).await;
    }
}

struct Job {
    prefix: IdPrefix,
    place: Place,
    document: Option<DocumentEntry>,
    partial: Option<Partial>,
    /// Bytes that an earlier run had left.
    kept: Option<u64>,
}

/// How one start ended.
enum Ended {
    /// With all bytes of what was announced.
    Arrived,
    /// With the news that the document is another now, or what is kept of no use.
    StartAgain(&'static str),
}

impl Job {
    /// From wherever it stands to the end, unless something breaks off.
    async fn run(&mut self, session: &mut Session, console: &Console) -> Result<Saved, Problem> {
        for _ in 0..STARTS {
            let document = match self.document.take() {
                Some(document) => document,
                None => listing::find(session, &self.prefix).await?,
            };
            let mut partial = match self.partial.take() {
                Some(partial) => partial,
                None => Partial::claim(&self.place, &document.file_name, document.id)?,
            };
            let ended = self.start(session, console, &document, &mut partial).await;
            match ended {
                Ok(Ended::Arrived) => return self.finish(document, partial),
                Ok(Ended::StartAgain(why)) => {
                    console.note(why);
                    partial.clear()?;
                    self.partial = Some(partial);
                }
                Err(problem) => {
                    (self.document, self.partial) = (Some(document), Some(partial));
                    return Err(problem);
                }
            }
        }
        Err(DocumentProblem::KeepsChanging.into())
    }

    async fn start(
        &mut self,
        session: &mut Session,
        console: &Console,
        document: &DocumentEntry,
        partial: &mut Partial,
    ) -> Result<Ended, Problem> {
        // A long part takes a while; the connection lives on between the pieces.
        while partial.rehash_some()? {
            tokio::task::yield_now().await;
        }
        let plan = fetch::plan(partial.kept(), document);
        let kept = *self.kept.get_or_insert_with(|| plan.offset());
        match plan {
            Plan::Fresh { dropped: Some(Dropped::Changed) } => console.note(texts::CHANGED),
            Plan::Fresh { dropped: Some(Dropped::OtherDocument) } => console.note(texts::OTHER_DOCUMENT),
            Plan::Resume { offset, .. } if offset == kept => {
                console.note(&texts::resuming(&output::size(offset), &output::size(document.length)));
            }
            Plan::Whole => return Ok(whole(partial, document)),
            Plan::Fresh { dropped: None } | Plan::Resume { .. } => {}
        }
        let answer = session.ask(plan.operation(document)).await?;
        match (answer.reply.status, answer.object) {
            (Status::Done, Some(download)) => receive(console, document, partial, plan, download).await,
            (Status::Changed, _) => Ok(Ended::StartAgain(texts::CHANGED)),
            (status, _) => Err(Problem::of_status(status)),
        }
    }

    fn finish(&mut self, document: DocumentEntry, partial: Partial) -> Result<Saved, Problem> {
        let (length, sha256) = (partial.length(), partial.sha256());
        let path = partial.commit(&self.place, &document.file_name)?;
        Ok(Saved { document, path, length, sha256, kept: self.kept.unwrap_or(0) })
    }

    fn length(&self) -> u64 {
        self.partial.as_ref().map_or(0, Partial::length)
    }

    /// Notes what has arrived before waiting.
    fn rest(&mut self) -> Result<(), PartialError> {
        self.partial.as_mut().map_or(Ok(()), Partial::checkpoint)
    }

    /// Leaves behind what the next run can continue, and nothing of a document that is no longer shared.
    fn give_up(self, problem: &Problem, console: &Console) {
        let Some(partial) = self.partial else { return };
        if is_refusal(problem) {
            partial.discard();
        } else if let Some(part) = partial.tidy() {
            console.note(&texts::part_kept(&part));
        }
    }
}

fn is_refusal(problem: &Problem) -> bool {
    matches!(problem, Problem::NotAllowed | Problem::Document(DocumentProblem::NotFound))
}

fn whole(partial: &Partial, document: &DocumentEntry) -> Ended {
    if fetch::is_whole(document.id, document.version, partial.length(), &partial.sha256()) {
        Ended::Arrived
    } else {
        Ended::StartAgain(texts::PART_DAMAGED)
    }
}

async fn receive(
    console: &Console,
    document: &DocumentEntry,
    partial: &mut Partial,
    plan: Plan,
    mut download: Download,
) -> Result<Ended, Problem> {
    let manifest = download.manifest();
    let (total, sha256) = (manifest.total, manifest.sha256);
    if plan.offset() == 0 {
        partial.begin(document.id, manifest.version)?;
    }
    let progress = console.progress(total);
    while let Some(chunk) = download.next().await? {
        partial.append(&chunk)?;
        progress.set(partial.length());
    }
    if partial.length() == total && partial.sha256() == sha256 {
        return Ok(Ended::Arrived);
    }
    if plan.offset() > 0 {
        return Ok(Ended::StartAgain(texts::PART_DAMAGED));
    }
    partial.clear()?;
    Err(DocumentProblem::ArrivedDamaged.into())
}

fn jitter() -> u32 {
    use rand_core::Rng as _;
    rohrpost_client::random::system().next_u32()
}

#[cfg(test)]
mod tests {
    use rohrpost_e2ee::{DocumentId, VersionHash};

    use super::*;

    /// What is left in the folder after a transfer of so many bytes was given up.
    fn left_after(problem: &Problem, bytes: &[u8]) -> usize {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::Folder(folder.path().to_owned());
        let document = DocumentId(Fixed([1; 16]));
        let mut partial = Partial::claim(&place, "letter.pdf", document).unwrap();
        partial.begin(document, VersionHash(Fixed([2; 32]))).unwrap();
        partial.append(bytes).unwrap();
        partial.checkpoint().unwrap();
        let prefix = IdPrefix::parse("0101").unwrap();
        let job = Job { prefix, place, document: None, partial: Some(partial), kept: None };
        job.give_up(problem, &Console::silent());
        std::fs::read_dir(folder.path()).unwrap().count()
    }

    #[test]
    fn a_refused_transfer_leaves_nothing_and_an_interrupted_one_what_has_arrived() {
        assert_eq!(left_after(&Problem::NotAllowed, b"content"), 0);
        assert_eq!(left_after(&DocumentProblem::NotFound.into(), b"content"), 0);
        assert_eq!(left_after(&Problem::Busy, b"content"), 2, "part and note");
        assert_eq!(left_after(&Problem::Busy, b""), 0);
    }
}
