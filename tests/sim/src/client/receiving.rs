//! A document on its way in, opened by the product's assembly; what has arrived survives a break.

use rohrpost_client::{AskError, Assembly};
use rohrpost_e2ee::body::{DocumentId, Manifest, Operation};
use rohrpost_patient::fetch;
use rohrpost_patient::partial::Kept;
use rohrpost_patient::problem::DocumentProblem;

use super::{Client, Told, Trouble};
use crate::message::Reader;
use crate::port::FromPeer;
use crate::safe::office::sha256;
use crate::time::Millis;

impl Client {
    pub(super) fn receive(
        &mut self,
        manifest: Box<Manifest>,
        operation: &Operation,
        bytes: &[u8],
        whole: bool,
        now: Millis,
    ) -> Vec<FromPeer> {
        let Operation::Document { document, offset, .. } = operation else { return self.fail(Trouble::OPEN, now) };
        if *offset == 0 {
            self.files.part = Some((Kept { document: *document, version: manifest.version, verified: 0 }, Vec::new()));
            self.save();
        }
        let (total, hash) = (manifest.total, manifest.sha256);
        if let Err(trouble) = self.assemble(manifest, bytes, whole) {
            return self.fail(trouble, now);
        }
        let arrived =
            self.files.part.as_ref().is_some_and(|(_, part)| part.len() as u64 == total && sha256(part) == hash);
        if arrived {
            return self.received(*document, now);
        }
        self.drop_part();
        self.fail(Trouble::Document(DocumentProblem::ArrivedDamaged), now)
    }

    pub(super) fn drop_part(&mut self) {
        if self.files.part.take().is_some() {
            self.save();
        }
    }

    fn assemble(&mut self, manifest: Box<Manifest>, bytes: &[u8], whole: bool) -> Result<(), Trouble> {
        let mut assembly = Assembly::new(manifest)?;
        let mut reader = Reader::new(bytes);
        while let Some(wanted) = assembly.wanted() {
            let opened = assembly.handle(reader.take(wanted)?.to_vec())?;
            let (kept, part) = self.files.part.as_mut().ok_or(Trouble::OPEN)?;
            part.extend(opened);
            kept.verified = part.len() as u64;
            self.save();
        }
        match (reader.rest().is_empty(), whole) {
            (true, true) => Ok(()),
            (true, false) => Err(Trouble::LOST),
            (false, _) => Err(AskError::Misbehaved.into()),
        }
    }

    /// All of it is here, of the version that was named.
    pub(super) fn received(&mut self, document: DocumentId, now: Millis) -> Vec<FromPeer> {
        let (Some((kept, part)), Some(device)) = (self.files.part.take(), self.device()) else { return Vec::new() };
        let sha256 = sha256(&part);
        let is_whole = fetch::is_whole(document, kept.version, part.len() as u64, &sha256);
        if is_whole {
            self.told.push(Told::Received { device, document, sha256 });
        }
        self.save();
        if is_whole { self.finish() } else { self.fail(Trouble::Document(DocumentProblem::ArrivedDamaged), now) }
    }
}
