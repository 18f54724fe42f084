//! A stranger who throws marked bytes at a relay in every field that a frame has.

use std::net::{Ipv4Addr, SocketAddr};

use quinn::{Connection, Endpoint};
use rohrpost_wire::fixed::Fixed;
use rohrpost_wire::frame::{Call, Deposit, Destination, Login, TtlClass, blob_prefix};
use rohrpost_wire::{Frame, InboxId};

use crate::tls::{self, KeyLog};

/// Throws everything once; a relay may end the connection for each. Returns how many were thrown.
pub(crate) async fn throw(relay: SocketAddr, safe: InboxId, marked: &str) -> usize {
    let thrown = missiles(safe, marked);
    for bytes in &thrown {
        let (_endpoint, connection) = dial(relay).await;
        let (mut send, mut recv) = connection.open_bi().await.unwrap();
        // A relay that has refused already reads no more.
        let _refused = send.write_all(bytes).await;
        let _refused = send.finish();
        // Until it has answered, or ended the stream or the connection.
        let _answer = recv.read_to_end(1 << 21).await;
        connection.close(0u8.into(), b"");
    }
    thrown.len()
}

fn missiles(safe: InboxId, marked: &str) -> Vec<Vec<u8>> {
    let text = marked.as_bytes();
    let unknown = InboxId(Fixed(start(text)));
    let login = Login { route_key: Fixed(start(text)), counter: 1, signature: Fixed(start(text)) };
    let deposit = |to| {
        let reply_mailbox = Some(Fixed(start(text)));
        Deposit { to: Destination::Inbox(to), ticket: None, ttl: TtlClass::Day, reply_mailbox }
    };
    let blob = [&blob_prefix(text)[..], text].concat();
    let mut all = vec![
        Frame::Login(login).encode(),
        Frame::Records(unknown).encode(),
        [Frame::Publish.encode(), blob.clone()].concat(),
        [Frame::Call(Call { to: unknown, ticket: None }).encode(), blob.clone()].concat(),
        [Frame::Call(Call { to: safe, ticket: None }).encode(), blob.clone()].concat(),
        [Frame::Deposit(deposit(unknown)).encode(), blob.clone()].concat(),
        [Frame::Deposit(deposit(safe)).encode(), blob].concat(),
        text.to_vec(),
        [&u32::MAX.to_be_bytes()[..], text].concat(),
        [&[0; 4][..], text].concat(),
    ];
    // Every number there is, was or could be, with a body that is not its own, and cut off.
    for number in (0..=12).chain(30..=40).chain([0x7fff, 0xffff]) {
        all.push(frame(number, text));
        all.push(frame(number, text)[..20].to_vec());
    }
    all
}

/// As many of the marked bytes as a field has.
fn start<const N: usize>(text: &[u8]) -> [u8; N] {
    std::array::from_fn(|at| text[at % text.len()])
}

fn frame(number: u16, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(2 + body.len()).unwrap();
    [&length.to_be_bytes()[..], &number.to_be_bytes(), body].concat()
}

async fn dial(relay: SocketAddr) -> (Endpoint, Connection) {
    let endpoint = Endpoint::client((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let config = tls::client(&KeyLog::default());
    let connection = endpoint.connect_with(config, relay, "rohrpost.invalid").unwrap().await.unwrap();
    (endpoint, connection)
}
