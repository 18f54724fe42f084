//! A document on its way in, opened by the product's assembly; what has arrived survives a break.

use rohrpost_client::Assembly;
use rohrpost_e2ee::body::{DocumentId, Manifest, Operation};
use rohrpost_patient::fetch;
use rohrpost_patient::partial::Kept;

use super::{Client, Told, Trouble};
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
        let Operation::Document { document, offset, .. } = operation else { return self.fail(Trouble::Open, now) };
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
        self.fail(Trouble::Open, now)
    }

    pub(super) fn drop_part(&mut self) {
        if self.files.part.take().is_some() {
            self.save();
        }
    }

    fn assemble(&mut self, manifest: Box<Manifest>, mut bytes: &[u8], whole: bool) -> Result<(), Trouble> {
        let mut assembly = Assembly::new(manifest).map_err(|_| Trouble::Open)?;
        while let Some(wanted) = assembly.wanted() {
            let (taken, rest) = bytes.split_at_checked(wanted).ok_or_else(|| Trouble::unreadable(whole))?;
            bytes = rest;
            let opened = assembly.handle(taken.to_vec()).map_err(|_| Trouble::Open)?;
            let (kept, part) = self.files.part.as_mut().ok_or(Trouble::Open)?;
            part.extend(opened);
            kept.verified = part.len() as u64;
            self.save();
        }
        match (bytes.is_empty(), whole) {
            (true, true) => Ok(()),
            (true, false) => Err(Trouble::Lost),
            (false, _) => Err(Trouble::Misbehaved),
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
        if is_whole { self.finish() } else { self.fail(Trouble::Open, now) }
    }
}
