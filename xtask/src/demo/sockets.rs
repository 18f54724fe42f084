//! What a running program listens at, as Linux tells it under `/proc`.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

/// How many TCP sockets of a process wait for connections; nothing where the machine does not tell.
pub(super) fn listening(pid: u32) -> Option<usize> {
    let own = own(pid)?;
    let tables = ["tcp", "tcp6"].map(|table| fs::read_to_string(format!("/proc/{pid}/net/{table}")));
    let mut found = 0;
    for table in tables {
        found += waiting(&table.ok()?).filter(|inode| own.contains(inode)).count();
    }
    Some(found)
}

/// The sockets a process holds, by number.
fn own(pid: u32) -> Option<BTreeSet<String>> {
    let entries = fs::read_dir(format!("/proc/{pid}/fd")).ok()?;
    let targets = entries.filter_map(|entry| fs::read_link(entry.ok()?.path()).ok());
    Some(targets.filter_map(number).collect())
}

fn number(target: PathBuf) -> Option<String> {
    let target = target.into_os_string().into_string().ok()?;
    Some(target.strip_prefix("socket:[")?.strip_suffix(']')?.to_owned())
}

/// The sockets in state 0A, LISTEN, of a table as `proc_pid_net(5)` describes it.
fn waiting(table: &str) -> impl Iterator<Item = String> {
    table.lines().skip(1).filter_map(|line| {
        let mut columns = line.split_whitespace().skip(3);
        (columns.next() == Some("0A")).then(|| columns.nth(5)).flatten().map(str::to_owned)
    })
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn a_listening_socket_is_counted() {
        let before = listening(std::process::id());
        let _listener = TcpListener::bind("127.0.0.1:0").unwrap();
        assert_eq!(listening(std::process::id()), before.map(|count| count + 1));
    }

    #[test]
    fn a_table_is_read_by_its_columns() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
                     0: 0100007F:1538 00000000:0000 0A 00000000:00000000 00:00000000 00000000  0  0 4711 1 0\n\
                     1: 0100007F:1539 0100007F:1538 01 00000000:00000000 00:00000000 00000000  0  0 4712 1 0\n";
        assert_eq!(waiting(table).collect::<Vec<_>>(), ["4711"]);
    }
}
