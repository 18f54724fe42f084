//! The socket's side of the safe.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::UnixListener;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::frames::{self, Content, REQUEST_BYTES};
use crate::clock;
use crate::failure::{Failure, Kind};
use crate::office::{Office, Reply, Request};
use crate::texts;
use crate::vault::Folder;

/// Commands at once: one owner has no more hands.
const COMMANDS: usize = 32;
/// Imports among them, which may take hours: the rest stays free, a revocation above all.
const IMPORTS: usize = 8;
/// The pause after the system gave no further connection.
const PAUSE: Duration = Duration::from_millis(100);
/// Silence after which a command is given up.
const SILENCE: Duration = Duration::from_mins(1);

/// The bound socket. Dropping it removes the file.
#[derive(Debug)]
pub struct Listener {
    listener: UnixListener,
    path: PathBuf,
}

/// The socket cannot be made.
#[derive(Debug, thiserror::Error)]
#[error("the local socket cannot be made")]
pub struct SocketError(#[source] pub io::Error);

impl Listener {
    /// Binds the socket of a folder whose lock is held, so that a file left there is nobody's.
    pub fn bind(folder: &Folder) -> Result<Self, SocketError> {
        let path = folder.socket_path();
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(SocketError(error)),
            _ => {}
        }
        // The folder is 0700, so nobody else gets at the socket between these two lines.
        let listener = UnixListener::bind(&path).map_err(SocketError)?;
        fs::set_permissions(&path, Permissions::from_mode(0o600)).map_err(SocketError)?;
        Ok(Self { listener, path })
    }

    /// Serves the owner until dropped.
    pub async fn serve(self, office: Office) {
        let mut commands = JoinSet::new();
        let imports = Arc::new(Semaphore::new(IMPORTS));
        loop {
            if commands.len() >= COMMANDS {
                commands.join_next().await;
                continue;
            }
            let Ok((stream, _)) = self.listener.accept().await else {
                tokio::time::sleep(PAUSE).await;
                continue;
            };
            let owner = rustix::process::geteuid().as_raw();
            if !stream.peer_cred().is_ok_and(|peer| peer.uid() == owner) {
                tracing::warn!("another user tried the local socket");
                continue;
            }
            let (office, imports) = (office.clone(), Arc::clone(&imports));
            if let Ok(stream) = stream.into_std() {
                commands.spawn_blocking(move || {
                    if let Err(error) = command(&office, &imports, stream) {
                        tracing::debug!(kind = ?error.kind(), "a command broke off");
                    }
                });
            }
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let _gone_already = fs::remove_file(&self.path);
    }
}

fn command(office: &Office, imports: &Semaphore, mut stream: UnixStream) -> io::Result<()> {
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(SILENCE))?;
    stream.set_write_timeout(Some(SILENCE))?;
    let reply = match frames::read::<Request>(&mut stream, REQUEST_BYTES) {
        Ok(request) => perform(office, imports, request, &mut stream),
        Err(_) => Err(Failure::new(Kind::Usage, texts::NOT_UNDERSTOOD)),
    };
    frames::write(&mut stream, &reply)
}

fn perform(office: &Office, imports: &Semaphore, request: Request, stream: &mut UnixStream) -> Result<Reply, Failure> {
    let is_import = matches!(request, Request::DocumentAdd { .. });
    let place = if is_import { imports.try_acquire().map(Some) } else { Ok(None) };
    match place {
        Ok(_held) => Ok(office.perform(request, &mut Content::new(stream), clock::now())?),
        Err(_) => Err(Failure::new(Kind::Unreachable, texts::TOO_MANY_IMPORTS)),
    }
}
