//! The recovery sheets: a root key as a person can write it down and type it in again.
//!
//! `RP` and the sheet's number, then 32 bytes and a 3-byte check in base32 (RFC 4648 §6), in groups of four. Letter
//! case, spaces and dashes do not matter.

use data_encoding::BASE32_NOPAD;
use rohrpost_e2ee::Secret;
use rohrpost_e2ee::keys::SigningSecret;
use rohrpost_wire::address::hash;
use zeroize::Zeroizing;

const CHECK_BYTES: usize = 3;

/// What stands on sheet 1 or 2.
pub fn write(number: u8, key: &SigningSecret) -> Zeroizing<String> {
    let secret = key.expose();
    let mut bytes = Zeroizing::new(secret.expose().to_vec());
    bytes.extend(check(number, secret.expose()));
    let letters = Zeroizing::new(BASE32_NOPAD.encode(&bytes));
    let mut text = Zeroizing::new(format!("RP{number}"));
    for (place, letter) in letters.chars().enumerate() {
        if place % 4 == 0 {
            text.push('-');
        }
        text.push(letter);
    }
    text
}

/// Reads what was typed from a sheet. `None` if a character is wrong or missing.
pub fn read(typed: &str) -> Option<Secret<32>> {
    let letters: Zeroizing<String> =
        Zeroizing::new(typed.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect());
    let number = letters.strip_prefix("RP")?.bytes().next()?.checked_sub(b'0')?;
    let bytes = Zeroizing::new(BASE32_NOPAD.decode(letters.get(3..)?.as_bytes()).ok()?);
    let (sum, secret) = bytes.split_last_chunk::<CHECK_BYTES>().map(|(secret, sum)| (sum, secret))?;
    let secret = Secret::from_slice(secret)?;
    (check(number, secret.expose()) == *sum).then_some(secret)
}

fn check(number: u8, secret: &[u8; 32]) -> [u8; CHECK_BYTES] {
    let full = hash(b"rohrpost/1 sheet-check", &[&[number], secret]);
    let mut sum = [0; CHECK_BYTES];
    sum.copy_from_slice(full.split_at(CHECK_BYTES).0);
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sheet_reads_back_however_it_was_typed() {
        let key = SigningSecret::from_bytes(&[7; 32]);
        let text = write(1, &key);
        assert!(text.starts_with("RP1-"));
        let typed = text.replace('-', " ").to_lowercase();
        assert!(read(&typed) == Some(key.expose()));
    }

    #[test]
    fn a_mistyped_sheet_is_refused() {
        let text = write(2, &SigningSecret::from_bytes(&[7; 32]));
        for at in 0..text.len() {
            let mut wrong = text.to_string().into_bytes();
            if wrong[at] == b'-' {
                continue;
            }
            wrong[at] = if wrong[at] == b'A' { b'B' } else { b'A' };
            assert!(read(std::str::from_utf8(&wrong).unwrap()).is_none(), "character {at}");
        }
        assert!(read(&text[..text.len() - 1]).is_none());
        assert!(read("").is_none());
    }
}
