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
            self.part = Some((Kept { document: *document, version: manifest.version, verified: 0 }, Vec::new()));
        }
        let (total, hash) = (manifest.total, manifest.sha256);
        if let Err(trouble) = self.assemble(manifest, bytes, whole) {
            return self.fail(trouble, now);
        }
        let arrived = self.part.as_ref().is_some_and(|(_, part)| part.len() as u64 == total && sha256(part) == hash);
        if arrived {
            return self.received(*document, now);
        }
        self.part = None;
        self.fail(Trouble::Open, now)
    }

    fn assemble(&mut self, manifest: Box<Manifest>, mut bytes: &[u8], whole: bool) -> Result<(), Trouble> {
        let Some((kept, part)) = &mut self.part else { return Err(Trouble::Open) };
        let mut assembly = Assembly::new(manifest).map_err(|_| Trouble::Open)?;
        while let Some(wanted) = assembly.wanted() {
            let (taken, rest) = bytes.split_at_checked(wanted).ok_or_else(|| Trouble::unreadable(whole))?;
            bytes = rest;
            part.extend(assembly.handle(taken.to_vec()).map_err(|_| Trouble::Open)?);
            kept.verified = part.len() as u64;
        }
        match (bytes.is_empty(), whole) {
            (true, true) => Ok(()),
            (true, false) => Err(Trouble::Lost),
            (false, _) => Err(Trouble::Misbehaved),
        }
    }

    /// All of it is here, of the version that was named.
    pub(super) fn received(&mut self, document: DocumentId, now: Millis) -> Vec<FromPeer> {
        let (Some((kept, part)), Some(device)) = (self.part.take(), self.device()) else { return Vec::new() };
        let sha256 = sha256(&part);
        if !fetch::is_whole(document, kept.version, part.len() as u64, &sha256) {
            return self.fail(Trouble::Open, now);
        }
        self.told.push(Told::Received { device, document, sha256 });
        self.finish()
    }
}
