//! Which inputs are worth keeping: a few that together reach the most, the small ones first.

use std::collections::BTreeSet;
use std::path::PathBuf;

/// Inputs of one corpus: every run of the tests replays all of them.
const MOST: usize = 32;
/// Bytes of one input; what only a longer one reaches is left to its seeds.
const LONGEST: usize = 2048;

/// Whether libFuzzer named an input: by its SHA-1.
pub(super) fn is_found(name: &str) -> bool {
    name.len() == 40 && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}

struct Input {
    path: PathBuf,
    size: usize,
    reached: BTreeSet<u64>,
}

/// Reads the control file of a merge and chooses.
pub(super) fn choose(control: &str) -> Vec<PathBuf> {
    let mut inputs = read(control);
    inputs.retain(|input| input.size <= LONGEST);
    let (mut reached, mut chosen) = (BTreeSet::new(), Vec::new());
    while chosen.len() < MOST {
        let gain = |input: &Input| input.reached.difference(&reached).count();
        let best = inputs.iter().enumerate().max_by_key(|(_, input)| (gain(input), usize::MAX - input.size));
        let Some((at, best)) = best.filter(|(_, input)| gain(input) > 0) else { break };
        reached.extend(best.reached.iter().copied());
        chosen.push(inputs.swap_remove(at).path);
    }
    chosen
}

/// The count of inputs, the count of those merged before, a name for each; then `STARTED number size` and
/// `COV number edge…` for each.
fn read(control: &str) -> Vec<Input> {
    let mut lines = control.lines();
    let count = lines.next().and_then(|line| line.parse().ok()).unwrap_or(0);
    let names = lines.by_ref().skip(1).take(count);
    let mut inputs: Vec<Input> =
        names.map(|name| Input { path: name.into(), size: usize::MAX, reached: BTreeSet::new() }).collect();
    for line in lines {
        let mut words = line.split_whitespace();
        let (word, number) = (words.next(), words.next().and_then(|number| number.parse::<usize>().ok()));
        let Some(input) = number.and_then(|number| inputs.get_mut(number)) else { continue };
        match word {
            Some("STARTED") => input.size = words.next().and_then(|size| size.parse().ok()).unwrap_or(usize::MAX),
            Some("COV") => input.reached.extend(words.filter_map(|edge| edge.parse::<u64>().ok())),
            _ => {}
        }
    }
    inputs
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONTROL: &str = "4\n0\na\nb\nc\nd\nSTARTED 0 10\nFT 0 1 2\nCOV 0 1 2 3\nSTARTED 1 5\nCOV 1 1 2 3\n\
                           STARTED 2 7\nCOV 2 4\nSTARTED 3 9000\nCOV 3 9\n";

    #[test]
    fn the_smallest_of_those_that_reach_the_most_are_kept() {
        assert_eq!(choose(CONTROL), [PathBuf::from("b"), PathBuf::from("c")]);
    }

    #[test]
    fn an_input_that_somebody_named_stays() {
        assert!(is_found("5863dfa4c8e534d486450576434bf928d5252cc4"));
        assert!(!is_found("renumbered-and-moved"));
    }

    #[test]
    fn nothing_is_kept_of_nothing() {
        assert_eq!(choose(""), Vec::<PathBuf>::new());
    }
}
