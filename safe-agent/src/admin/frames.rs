//! Frames on the local socket, for a thread that may block.

use std::io::{self, Read, Write};

use serde::Serialize;
use serde::de::DeserializeOwned;

/// A request: names and ids.
pub(super) const REQUEST_BYTES: usize = 64 * 1024;
/// A reply: a list of a hundred thousand patients fits.
pub(super) const REPLY_BYTES: usize = 64 * 1024 * 1024;
/// A block of a document.
pub(super) const BLOCK_BYTES: usize = 64 * 1024;
/// In place of a block's length: the sender could not read on.
const BROKEN: u32 = u32::MAX;

pub(super) fn write<T: Serialize>(to: &mut impl Write, value: &T) -> io::Result<()> {
    let text = serde_json::to_vec(value)?;
    write_block(to, &text)?;
    to.flush()
}

pub(super) fn read<T: DeserializeOwned>(from: &mut impl Read, limit: usize) -> io::Result<T> {
    let mut text = vec![0; read_length(from, limit)?];
    from.read_exact(&mut text)?;
    Ok(serde_json::from_slice(&text)?)
}

fn write_block(to: &mut impl Write, block: &[u8]) -> io::Result<()> {
    let length = u32::try_from(block.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
    to.write_all(&length.to_be_bytes())?;
    to.write_all(block)
}

fn read_length(from: &mut impl Read, limit: usize) -> io::Result<usize> {
    let mut field = [0; 4];
    from.read_exact(&mut field)?;
    match u32::from_be_bytes(field) {
        BROKEN => Err(io::ErrorKind::BrokenPipe.into()),
        length => usize::try_from(length)
            .ok()
            .filter(|length| *length <= limit)
            .ok_or_else(|| io::ErrorKind::InvalidData.into()),
    }
}

/// Sends a document; if it cannot be read to its end, says so and returns that error.
pub(super) fn send_content(to: &mut impl Write, content: &mut dyn Read) -> io::Result<()> {
    let mut block = vec![0; BLOCK_BYTES];
    loop {
        let read = match content.read(&mut block) {
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => {
                to.write_all(&BROKEN.to_be_bytes())?;
                return Err(error);
            }
        };
        write_block(to, block.get(..read).unwrap_or_default())?;
        if read == 0 {
            return to.flush();
        }
    }
}

/// Receives a document as a reader.
pub(super) struct Content<'a, R> {
    from: &'a mut R,
    left: usize,
    ended: bool,
}

impl<'a, R: Read> Content<'a, R> {
    pub(super) fn new(from: &'a mut R) -> Self {
        Self { from, left: 0, ended: false }
    }
}

impl<R: Read> Read for Content<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 && !self.ended {
            self.left = read_length(self.from, BLOCK_BYTES)?;
            self.ended = self.left == 0;
        }
        let room = buffer.len().min(self.left);
        if room == 0 {
            // A read of nothing from a local socket waits for something.
            return Ok(0);
        }
        let read = self.from.read(buffer.get_mut(..room).unwrap_or_default())?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.left -= read;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::office::Request;

    proptest! {
        #[test]
        fn any_bytes_on_the_socket_are_a_request_a_document_or_an_error(
            bytes in prop::collection::vec(any::<u8>(), 0..300),
            length in 0u32..400,
            text in prop::option::of(Just(&b"{\"command\":\"status\"}"[..])),
        ) {
            // A length that may be right, and what may be a request: random bytes hardly ever are.
            let wire = [&length.to_be_bytes()[..], text.unwrap_or_default(), &bytes].concat();
            let (mut socket, room) = (&wire[..], usize::try_from(length).unwrap());
            if read::<Request>(&mut socket, REQUEST_BYTES).is_ok() {
                prop_assert_eq!(socket.len(), wire.len() - 4 - room, "more or less was read than was announced");
            }
            let (mut from, mut received) = (&wire[..], Vec::new());
            if Content::new(&mut from).read_to_end(&mut received).is_ok() {
                let (mut again, mut sent) = (Vec::new(), Vec::new());
                send_content(&mut sent, &mut &received[..]).unwrap();
                Content::new(&mut &sent[..]).read_to_end(&mut again).unwrap();
                prop_assert_eq!(again, received);
            }
        }
    }

    #[test]
    fn a_document_arrives_whole_or_as_an_error() {
        let content: Vec<u8> = (0..200_000u32).map(|i| (i % 251) as u8).collect();
        let mut wire = Vec::new();
        send_content(&mut wire, &mut &content[..]).unwrap();
        let read = |wire: &[u8]| {
            let mut from = wire;
            let mut received = Vec::new();
            Content::new(&mut from).read_to_end(&mut received).map(|_| received)
        };
        assert_eq!(read(&wire).unwrap(), content);
        for cut in [0, 3, 4, 1000, wire.len() - 1] {
            assert!(read(&wire[..cut]).is_err(), "cut at {cut}");
        }
    }

    #[test]
    fn a_document_ends_on_a_socket_that_stays_open() {
        let (mut near, mut far) = std::os::unix::net::UnixStream::pair().unwrap();
        far.set_read_timeout(Some(std::time::Duration::from_secs(5))).unwrap();
        send_content(&mut near, &mut &b"content"[..]).unwrap();
        let mut received = Vec::new();
        Content::new(&mut far).read_to_end(&mut received).unwrap();
        assert_eq!(received, b"content");
    }

    #[test]
    fn a_source_that_breaks_is_not_taken_for_a_short_document() {
        struct Breaks(bool);
        impl Read for Breaks {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                if std::mem::replace(&mut self.0, true) {
                    Err(io::ErrorKind::TimedOut.into())
                } else {
                    Ok(buffer.len())
                }
            }
        }
        let mut wire = Vec::new();
        assert_eq!(send_content(&mut wire, &mut Breaks(false)).unwrap_err().kind(), io::ErrorKind::TimedOut);
        let mut from = &wire[..];
        let received = Content::new(&mut from).read_to_end(&mut Vec::new());
        assert_eq!(received.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    }

    #[test]
    fn an_oversize_length_is_refused_before_allocation() {
        let wire = 0x7fff_ffffu32.to_be_bytes();
        assert_eq!(read::<u8>(&mut &wire[..], REQUEST_BYTES).unwrap_err().kind(), io::ErrorKind::InvalidData);
    }
}
