//! What `--help` says: each command, each option, an example each.

/// What the program is.
pub const ABOUT: &str = "Fetch documents that your practice shares with you. Nobody between the practice and this \
                         computer can read them.";
/// What scripts rely on.
pub const EXIT_CODES: &str = "Exit codes: 0 done, 1 other, 2 usage, 3 not found or not allowed, 4 wrong PIN or link, \
                              5 relay or data-safe not reachable (try again), 6 damaged, 7 disk.";
/// `accept`.
pub const ACCEPT: &str = "Make this computer yours at the practice, with the link and the PIN you were given";
/// How `accept` is used.
pub const ACCEPT_EXAMPLE: &str = "Example:\n  rohrpost accept 'https://app.example/#AbC…'\n\nOther users of this \
                                  computer can see its running commands. To keep the link from them, write - instead \
                                  of it and paste it when asked.\n\nIf the answer gets lost, run the same command \
                                  again: it continues where it stopped.";
/// `list`.
pub const LIST: &str = "Show the documents shared with you";
/// How `list` is used.
pub const LIST_EXAMPLE: &str = "Example:\n  rohrpost list\n  rohrpost list --json";
/// `get`.
pub const GET: &str = "Fetch a document";
/// How `get` is used.
pub const GET_EXAMPLE: &str = "Example:\n  rohrpost get 3fa9c1d2\n  rohrpost get 3fa9c1d2 -o letter.pdf\n\nWhat was \
                               interrupted is continued by running the same command again in the same folder.";
/// `status`.
pub const STATUS: &str = "Show whose this computer is and whether the practice can be reached";
/// How `status` is used.
pub const STATUS_EXAMPLE: &str = "Example:\n  rohrpost status";
/// `--home`.
pub const HOME: &str = "Folder with this computer's keys [default: the usual place for programs' data]";
/// `--json`.
pub const JSON: &str = "Answer with one JSON object, for scripts";
/// LINK.
pub const LINK: &str = "The link from the practice, or - to read it from standard input";
/// `--pin-file`.
pub const PIN_FILE: &str = "Read the PIN from this file instead of asking for it";
/// `--device-name`.
pub const DEVICE_NAME: &str = "How the practice shows this computer [default: its host name]";
/// ID.
pub const ID: &str = "The document's id, or its first four or more characters, as `rohrpost list` shows it";
/// `-o`.
pub const OUTPUT: &str = "Where to put it [default: the document's name, in this folder, replacing nothing]";
/// `--force`.
pub const FORCE: &str = "Replace the file named with -o if it exists";
/// `--tries`.
pub const TRIES: &str = "How often to try in a row, when a transfer is interrupted, before giving up";
