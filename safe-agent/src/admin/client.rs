//! The command line's side: to a served safe through its socket, else to the vault it opens itself.

use std::io::{self, Read};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;

use super::frames::{self, REPLY_BYTES};
use crate::clock;
use crate::failure::{Failure, Kind};
use crate::office::{Office, Reply, Request};
use crate::opening::{self, Attempt, OpenVault, patiently};
use crate::presence::Presence;
use crate::texts;
use crate::transfers::Transfers;
use crate::vault::{Condition, Passphrase, Unlock};

/// Where the owner's requests go.
#[derive(Debug)]
pub struct Desk(Way);

#[derive(Debug)]
enum Way {
    Served(std::path::PathBuf),
    Own { office: Office, _vault: OpenVault },
}

impl Desk {
    /// Finds the served safe of a data folder, or opens the vault with the passphrase, which is asked for only then.
    pub fn open(data: &Path, passphrase: impl FnOnce() -> Result<Passphrase, Failure>) -> Result<Self, Failure> {
        if let Some(served) = Self::served(data)? {
            return Ok(served);
        }
        if !data.join("vault.keys").exists() {
            return Err(Failure::new(Kind::NotFound, texts::no_safe(data)));
        }
        let passphrase = passphrase()?;
        patiently(|| match opening::open(data, &Unlock::Passphrase(&passphrase)) {
            Ok(vault) => Attempt::Done(Ok(Self::own(vault))),
            // A safe that is just starting has the lock already and the socket not yet.
            Err(trouble) if opening::is_open_elsewhere(&trouble) => match Self::served(data) {
                Ok(Some(served)) => Attempt::Done(Ok(served)),
                Ok(None) => Attempt::Again(Err(trouble.into())),
                Err(failure) => Attempt::Done(Err(failure)),
            },
            Err(trouble) => Attempt::Done(Err(trouble.into())),
        })
    }

    /// What was found when the vault was opened, by whomever.
    pub fn condition(&self) -> Result<Condition, Failure> {
        let Reply::Condition(condition) = self.perform(Request::Condition, &mut io::empty())? else {
            return Err(Failure::new(Kind::Other, texts::NOT_UNDERSTOOD));
        };
        Ok(condition)
    }

    fn served(data: &Path) -> Result<Option<Self>, Failure> {
        let socket = data.join("admin.sock");
        match UnixStream::connect(&socket) {
            Ok(_) => Ok(Some(Self(Way::Served(socket)))),
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                Err(Failure::new(Kind::NotFound, texts::not_your_safe(data)))
            }
            Err(_) => Ok(None),
        }
    }

    fn own(vault: OpenVault) -> Self {
        let (handle, folder) = (vault.keeper.handle(), Arc::clone(&vault.folder));
        let office = Office::new(handle, folder, Transfers::default(), Presence::not_served(), vault.condition);
        Self(Way::Own { office, _vault: vault })
    }

    /// Carries out one request; `content` is a document's bytes.
    pub fn perform(&self, request: Request, content: &mut dyn Read) -> Result<Reply, Failure> {
        match &self.0 {
            Way::Own { office, .. } => Ok(office.perform(request, content, clock::now())?),
            Way::Served(socket) => {
                let lost = |_| Failure::new(Kind::Unreachable, texts::safe_went_away(socket));
                let mut stream = UnixStream::connect(socket).map_err(lost)?;
                let carries = matches!(request, Request::DocumentAdd { .. });
                frames::write(&mut stream, &request).map_err(lost)?;
                let sent = if carries { frames::send_content(&mut stream, content) } else { Ok(()) };
                // A refusal comes before all is sent; it says more than the broken pipe.
                match (frames::read::<Result<Reply, Failure>>(&mut stream, REPLY_BYTES), sent) {
                    (Ok(reply), Ok(())) => reply,
                    (Ok(Err(failure)), Err(error)) if error.kind() == io::ErrorKind::BrokenPipe => Err(failure),
                    (_, Err(error)) => Err(Failure::new(Kind::Other, texts::source_unreadable(&error))),
                    (Err(_), Ok(())) => Err(Failure::new(Kind::Unreachable, texts::safe_went_away(socket))),
                }
            }
        }
    }
}
