//! The table of targets. A row here is a twin, a replayed corpus and a libFuzzer target.

mod codec;
mod envelopes;
mod files;
mod frames;
mod mailboxes;
mod names;
mod objects;
mod plain;
mod proofs;
mod router;
mod rows;
mod samples;
mod texts;
mod trust;

pub use codec::KINDS;

use crate::target::Target;

/// Every promise that is held against any bytes.
pub const TARGETS: &[Target] = &[
    Target { name: "frame", run: frames::frame, seeds: frames::frame_seeds, tries: 60_000 },
    Target { name: "stream", run: frames::stream, seeds: frames::stream_seeds, tries: 20_000 },
    Target { name: "codec", run: codec::codec, seeds: codec::codec_seeds, tries: 2_000 },
    Target { name: "record_set", run: trust::record_set, seeds: trust::record_set_seeds, tries: 2_000 },
    Target { name: "trust", run: trust::trust, seeds: trust::trust_seeds, tries: 1_500 },
    Target { name: "login", run: proofs::login, seeds: proofs::login_seeds, tries: 6_000 },
    Target { name: "mailbox_proof", run: proofs::mailbox_proof, seeds: proofs::mailbox_proof_seeds, tries: 6_000 },
    Target { name: "request", run: envelopes::request, seeds: envelopes::request_seeds, tries: 3_000 },
    Target { name: "reply", run: envelopes::reply, seeds: envelopes::reply_seeds, tries: 3_000 },
    Target { name: "object", run: objects::object, seeds: objects::object_seeds, tries: 3_000 },
    Target { name: "window", run: plain::window, seeds: plain::window_seeds, tries: 2_000 },
    Target { name: "padding", run: plain::padding, seeds: plain::padding_seeds, tries: 2_000 },
    Target { name: "router", run: router::router, seeds: router::router_seeds, tries: 10_000 },
    Target { name: "mailboxes", run: mailboxes::mailboxes, seeds: mailboxes::mailboxes_seeds, tries: 4_000 },
    Target { name: "link", run: texts::link, seeds: texts::link_seeds, tries: 20_000 },
    Target { name: "pin", run: texts::pin, seeds: texts::pin_seeds, tries: 40_000 },
    Target { name: "sheet", run: texts::sheet, seeds: texts::sheet_seeds, tries: 20_000 },
    Target { name: "relay_address", run: texts::relay_address, seeds: texts::relay_address_seeds, tries: 40_000 },
    Target { name: "relay_config", run: texts::relay_config, seeds: texts::relay_config_seeds, tries: 3_000 },
    Target { name: "desk", run: texts::desk, seeds: texts::desk_seeds, tries: 20_000 },
    Target { name: "name", run: names::name, seeds: names::name_seeds, tries: 10_000 },
    Target { name: "terminal", run: names::terminal, seeds: names::terminal_seeds, tries: 2_000 },
    Target { name: "account_file", run: files::account_file, seeds: files::account_file_seeds, tries: 3_000 },
    Target { name: "part_note", run: files::part_note, seeds: files::part_note_seeds, tries: 1_500 },
    Target { name: "vault_keys", run: files::vault_keys, seeds: files::vault_keys_seeds, tries: 3_000 },
    Target { name: "vault_rows", run: files::vault_rows, seeds: files::vault_rows_seeds, tries: 300 },
    Target { name: "content_file", run: files::content_file, seeds: files::content_file_seeds, tries: 2_000 },
    Target { name: "audit_record", run: rows::audit_record, seeds: rows::audit_record_seeds, tries: 3_000 },
];
