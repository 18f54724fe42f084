//! BLAKE3 of what fits one chunk (BLAKE3 paper, 2020, sections 2.2 and 2.3), the hash a Rust programmer would reach for.
//!
//! Only to recognise the hash of an identifier; nothing is protected with it.

/// The hash of at most 1,024 bytes; of more, nothing.
pub(crate) fn hash(input: &[u8]) -> Option<[u8; 32]> {
    if input.len() > 1024 {
        return None;
    }
    let mut chain = IV;
    let blocks: Vec<&[u8]> = if input.is_empty() { vec![&[]] } else { input.chunks(64).collect() };
    for (number, block) in blocks.iter().enumerate() {
        let first = if number == 0 { CHUNK_START } else { 0 };
        let last = if number + 1 == blocks.len() { CHUNK_END | ROOT } else { 0 };
        chain = compress(&chain, block, first | last);
    }
    let mut out = [0; 32];
    for (place, word) in out.chunks_mut(4).zip(chain) {
        place.copy_from_slice(&word.to_le_bytes());
    }
    Some(out)
}

fn compress(chain: &[u32; 8], block: &[u8], flags: u32) -> [u32; 8] {
    let mut message = [0; 16];
    for (word, bytes) in message.iter_mut().zip(block.chunks(4)) {
        *word = bytes.iter().rev().fold(0, |sum, byte| sum << 8 | u32::from(*byte));
    }
    let length = u32::try_from(block.len()).unwrap_or(0);
    let mut state = [0; 16];
    let start = chain.iter().chain(IV.iter().take(4)).copied().chain([0, 0, length, flags]);
    state.iter_mut().zip(start).for_each(|(word, value)| *word = value);
    for _ in 0..7 {
        round(&mut state, &message);
        message = PERMUTATION.map(|from| at(&message, from));
    }
    std::array::from_fn(|place| at(&state, place) ^ at(&state, place + 8))
}

fn round(state: &mut [u32; 16], message: &[u32; 16]) {
    for (number, [a, b, c, d]) in COLUMNS_AND_DIAGONALS.into_iter().enumerate() {
        let (x, y) = (at(message, 2 * number), at(message, 2 * number + 1));
        for (word, first, second) in [(x, 16, 12), (y, 8, 7)] {
            set(state, a, at(state, a).wrapping_add(at(state, b)).wrapping_add(word));
            set(state, d, (at(state, d) ^ at(state, a)).rotate_right(first));
            set(state, c, at(state, c).wrapping_add(at(state, d)));
            set(state, b, (at(state, b) ^ at(state, c)).rotate_right(second));
        }
    }
}

fn at<const N: usize>(words: &[u32; N], place: usize) -> u32 {
    words.get(place).copied().unwrap_or_default()
}

fn set(words: &mut [u32; 16], place: usize, value: u32) {
    if let Some(word) = words.get_mut(place) {
        *word = value;
    }
}

const IV: [u32; 8] =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];
const PERMUTATION: [usize; 16] = [2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8];
const COLUMNS_AND_DIAGONALS: [[usize; 4]; 8] = [
    [0, 4, 8, 12],
    [1, 5, 9, 13],
    [2, 6, 10, 14],
    [3, 7, 11, 15],
    [0, 5, 10, 15],
    [1, 6, 11, 12],
    [2, 7, 8, 13],
    [3, 4, 9, 14],
];
const CHUNK_START: u32 = 1;
const CHUNK_END: u32 = 2;
const ROOT: u32 = 8;

#[cfg(test)]
mod tests {
    use data_encoding::HEXLOWER;

    use super::*;

    #[test]
    fn the_published_hashes_come_out() {
        for (input, hex) in [
            ("", "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"),
            ("abc", "6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85"),
        ] {
            assert_eq!(HEXLOWER.encode(&hash(input.as_bytes()).unwrap()), hex, "{input:?}");
        }
        assert_eq!(hash(&[0; 1025]), None);
    }
}
