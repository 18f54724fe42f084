//! How much memory a decoder takes for what it is given.

/// Bytes of memory for each byte of input: the smallest elements of a list are three times as large in memory as they
/// are encoded, and a list that grows holds its old and its new place at once.
const FACTOR: u64 = 16;
/// Bytes of memory whatever the input: the largest value of a fixed length, twice.
const BASE: u64 = 8 * 1024;

/// Runs a decoder over an input of this length and holds it to its share of memory.
pub(crate) fn bounded<T>(length: usize, decode: impl FnOnce() -> T) -> T {
    let mut result = None;
    let taken = allocation_counter::measure(|| result = Some(decode()));
    let allowed = FACTOR * length as u64 + BASE;
    assert!(taken.bytes_max <= allowed, "{} bytes of memory for {length} bytes of input", taken.bytes_max);
    result.expect("the decoder has run")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decoder_that_believes_a_length_is_noticed() {
        let believing = |bytes: &[u8]| vec![0u8; usize::from(bytes[0]) << 16];
        assert!(bounded(1, || believing(&[0])).is_empty());
        let greedy = std::panic::catch_unwind(|| bounded(1, || believing(&[1])));
        assert!(greedy.is_err());
    }
}
