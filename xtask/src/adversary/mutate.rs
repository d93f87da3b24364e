//! Changes of inputs that tend to change what they cost.

use crate::random::Random;

/// Changes an input in one to four ways and cuts it to `size` octets. `other` gives pieces, `words`
/// mean something to the parser.
pub(super) fn mutate(
    random: &mut Random,
    input: &mut Vec<u8>,
    other: &[u8],
    words: &[&[u8]],
    size: usize,
) {
    for _ in 0..random.between(1, 4) {
        let at = random.below(input.len() + 1);
        let until = at + random.skewed(input.len() - at + 1);
        match random.below(10) {
            0 if at < input.len() => input[at] = random.next() as u8,
            1 if at < input.len() => input[at] ^= 1 << random.below(8),
            2 if at < input.len() => input[at] = random.pick(&[0, 1, 0x7f, 0x80, 0xc0, 0xff]),
            3 => drop(input.drain(at..until)),
            4 => input.insert(at, random.next() as u8),
            5 => {
                // What is superlinear shows when something comes often.
                let piece = input[at..until].to_vec();
                let room = size.saturating_sub(input.len()) / piece.len().max(1);
                let times = random.skewed(room + 1);
                input.splice(at..at, piece.repeat(times));
            }
            6 => {
                let from = random.below(other.len() + 1);
                let end = from + random.skewed(other.len() - from + 1);
                input.splice(at..at, other[from..end].iter().copied());
            }
            7 => {
                let from = random.below(other.len() + 1);
                let end = (from + until - at).min(other.len());
                input.splice(at..until, other[from..end].iter().copied());
            }
            _ if !words.is_empty() => {
                let word = random.pick(words);
                let room = size.saturating_sub(input.len()) / word.len().max(1);
                let times = if random.chance(30) { random.skewed(room + 1) } else { 1 };
                let end = if random.chance(50) { at } else { until };
                input.splice(at..end, word.repeat(times));
            }
            _ => {}
        }
    }
    input.truncate(size);
}
