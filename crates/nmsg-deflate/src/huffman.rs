//! Codes of least length for symbols that occur so often (RFC 1951 §3.2.2).

/// Bits of the longest code for literals, lengths and distances.
pub(crate) const LONGEST: usize = 15;

/// A code for an alphabet of `N` symbols.
pub(crate) struct Code<const N: usize> {
    /// Bits of each symbol's code, 0 for a symbol that does not occur.
    pub(crate) lengths: [u8; N],
    /// The codes, their first bit lowest.
    pub(crate) words: [u16; N],
}

impl<const N: usize> Code<N> {
    /// Makes the code for symbols of these frequencies, none of them longer than `longest` bits. At least two
    /// symbols get a code, because decoders differ in what they make of fewer.
    pub(crate) fn new(frequencies: &[u32; N], longest: usize) -> Self {
        let mut symbols = [(0_u32, 0_u16); N];
        let mut used = 0;
        for (symbol, &frequency) in frequencies.iter().enumerate() {
            if frequency > 0 {
                symbols[used] = (frequency, symbol as u16);
                used += 1;
            }
        }
        let mut spare = 0;
        while used < 2 {
            if frequencies[spare] == 0 {
                symbols[used] = (1, spare as u16);
                used += 1;
            }
            spare += 1;
        }
        let symbols = &mut symbols[..used];
        symbols.sort_unstable();
        let mut depths = [0_u32; N];
        for (depth, &(frequency, _)) in depths.iter_mut().zip(&*symbols) {
            *depth = frequency;
        }
        tree_depths(&mut depths[..used]);
        let mut of_length = [0_u32; LONGEST + 1];
        for &depth in &depths[..used] {
            of_length[(depth as usize).min(longest)] += 1;
        }
        shorten(&mut of_length[..=longest]);

        let mut lengths = [0; N];
        let mut rarest_first = symbols.iter();
        for length in (1..=longest).rev() {
            let count = of_length[length] as usize;
            for &(_, symbol) in rarest_first.by_ref().take(count) {
                lengths[usize::from(symbol)] = length as u8;
            }
        }
        Self { words: words(&lengths), lengths }
    }

    /// A code given by the lengths of its words.
    pub(crate) fn of_lengths(lengths: [u8; N]) -> Self {
        Self { words: words(&lengths), lengths }
    }

    /// Bits that symbols of these frequencies take.
    pub(crate) fn cost(&self, frequencies: &[u32; N]) -> u64 {
        let pairs = frequencies.iter().zip(&self.lengths);
        pairs.map(|(&frequency, &length)| u64::from(frequency) * u64::from(length)).sum()
    }
}

/// Turns frequencies in ascending order into the depths of their leaves in the tree of least cost, deepest
/// first: "In-place calculation of minimum-redundancy codes" by Moffat and Katajainen, 1995.
fn tree_depths(nodes: &mut [u32]) {
    let count = nodes.len();
    let (mut leaf, mut root) = (0, 0);
    for next in 0..count - 1 {
        let mut weight = 0;
        for _ in 0..2 {
            if leaf >= count || (root < next && nodes[root] < nodes[leaf]) {
                weight += nodes[root];
                nodes[root] = next as u32;
                root += 1;
            } else {
                weight += nodes[leaf];
                leaf += 1;
            }
        }
        nodes[next] = weight;
    }
    nodes[count - 2] = 0;
    for node in (0..count - 2).rev() {
        nodes[node] = nodes[nodes[node] as usize] + 1;
    }
    let (mut open, mut depth, mut inner, mut next) = (1, 0, count - 1, count);
    while open > 0 {
        let mut used = 0;
        while inner > 0 && nodes[inner - 1] == depth {
            used += 1;
            inner -= 1;
        }
        for _ in used..open {
            next -= 1;
            nodes[next] = depth;
        }
        open = 2 * used;
        depth += 1;
    }
}

/// Makes room for codes that were cut to the longest length: each step lengthens the longest of the others
/// and so makes room for one of them.
fn shorten(of_length: &mut [u32]) {
    let longest = of_length.len() - 1;
    let words: u64 =
        of_length.iter().zip(0..).map(|(&n, len)| u64::from(n) << (longest - len)).sum();
    for _ in 1_u64 << longest..words {
        if let Some(length) = (1..longest).rev().find(|&length| of_length[length] > 0) {
            of_length[length] -= 1;
            of_length[length + 1] += 2;
            of_length[longest] -= 1;
        }
    }
}

fn words<const N: usize>(lengths: &[u8; N]) -> [u16; N] {
    let mut next = [0_u16; LONGEST + 2];
    for &length in lengths {
        next[usize::from(length) + 1] += u16::from(length > 0);
    }
    for length in 1..=LONGEST {
        next[length] = (next[length] + next[length - 1]) << 1;
    }
    let mut words = [0; N];
    for (word, &length) in words.iter_mut().zip(lengths) {
        if length > 0 {
            let next = &mut next[usize::from(length)];
            *word = next.reverse_bits() >> (16 - length);
            *next += 1;
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room_used(lengths: &[u8]) -> f64 {
        lengths
            .iter()
            .filter(|&&length| length > 0)
            .map(|&length| 0.5_f64.powi(length.into()))
            .sum()
    }

    #[test]
    fn words_of_the_specification() {
        let code = Code::of_lengths([3, 3, 3, 3, 3, 2, 4, 4]);
        let want = [0b010, 0b011, 0b100, 0b101, 0b110, 0b00, 0b1110, 0b1111_u16];
        for (symbol, want) in want.into_iter().enumerate() {
            let reversed = want.reverse_bits() >> (16 - code.lengths[symbol]);
            assert_eq!(code.words[symbol], reversed, "{symbol}");
        }
    }

    #[test]
    fn frequent_symbols_get_short_codes() {
        let code = Code::new(&[5, 9, 12, 13, 16, 45], LONGEST);
        assert_eq!(code.lengths, [4, 4, 3, 3, 3, 1]);
        assert_eq!(code.cost(&[5, 9, 12, 13, 16, 45]), 224);
    }

    #[test]
    fn at_least_two_symbols_have_codes() {
        assert_eq!(Code::new(&[0, 0, 0], LONGEST).lengths, [1, 1, 0]);
        assert_eq!(Code::new(&[7, 0, 0], LONGEST).lengths, [1, 1, 0]);
        assert_eq!(Code::new(&[0, 0, 7], LONGEST).lengths, [1, 0, 1]);
    }

    #[test]
    fn no_code_is_longer_than_allowed_and_none_is_wasted() {
        let mut frequencies = [0; 40];
        let (mut last, mut next) = (1, 1);
        for frequency in &mut frequencies {
            *frequency = last;
            (last, next) = (next, last + next);
        }
        for longest in [6, 7, 9, 15] {
            let lengths = Code::new(&frequencies, longest).lengths;
            assert_eq!(lengths.iter().max(), Some(&(longest as u8)));
            assert_eq!(room_used(&lengths), 1.0, "{longest}");
            assert!(lengths.is_sorted_by(|rarer, common| rarer >= common));
        }
        assert_eq!(Code::new(&[1; 128], 7).lengths, [7; 128]);
    }
}
