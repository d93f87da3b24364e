//! One block of a deflate stream: its tokens in whichever form takes the fewest bits (RFC 1951 §3.2.3).

use crate::bits::BitWriter;
use crate::huffman::{self, Code};
use crate::symbols::{
    DISTANCE_BASE, DISTANCES, END, Histogram, LITERALS, TOKEN_SYMBOLS, Token, distance_extra_bits,
    length_extra_bits,
};

/// Most octets of a stored block.
const STORED: usize = 0xffff;

/// Bits in front of a block: whether it is the last, and its form.
const HEADER_BITS: u64 = 3;
const FORM_STORED: u64 = 0;
const FORM_FIXED: u64 = 1 << 1;
const FORM_DYNAMIC: u64 = 2 << 1;

/// Order in which the lengths of the code of lengths are given.
const ORDER: [usize; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/// Writes a block: `octets` as `tokens`, whose symbols the histogram counted.
pub(crate) fn write(
    bits: &mut BitWriter<'_>,
    octets: &[u8],
    tokens: &[Token],
    histogram: &mut Histogram,
    last: bool,
) {
    histogram.literals[END] = 1;
    let extra = histogram.extra_bits();
    let literals = Code::new(&histogram.literals, huffman::LONGEST);
    let distances = Code::new(&histogram.distances, huffman::LONGEST);
    let cost = |literals: &Code<LITERALS>, distances: &Code<DISTANCES>| {
        literals.cost(&histogram.literals) + distances.cost(&histogram.distances) + extra
    };
    let lengths = CodeLengths::new(&literals.lengths, &distances.lengths);
    let (fixed_literals, fixed_distances) = fixed();
    let dynamic = HEADER_BITS + lengths.cost() + cost(&literals, &distances);
    let fixed = HEADER_BITS + cost(&fixed_literals, &fixed_distances);
    if stored_cost(octets.len(), bits.started()) <= dynamic.min(fixed) {
        return write_stored(bits, octets, last);
    }
    let last = u64::from(last);
    bits.reserve(dynamic.min(fixed));
    if fixed <= dynamic {
        bits.put(FORM_FIXED | last, 3);
        write_tokens(bits, tokens, &fixed_literals, &fixed_distances);
    } else {
        bits.put(FORM_DYNAMIC | last, 3);
        lengths.write(bits);
        write_tokens(bits, tokens, &literals, &distances);
    }
}

fn stored_cost(octets: usize, started: u32) -> u64 {
    let blocks = octets.div_ceil(STORED).max(1) as u64;
    let first = (started + 3).next_multiple_of(8) - started + 32;
    octets as u64 * 8 + u64::from(first) + (blocks - 1) * 40
}

fn write_stored(bits: &mut BitWriter<'_>, octets: &[u8], last: bool) {
    bits.reserve(stored_cost(octets.len(), bits.started()));
    let mut rest = octets;
    loop {
        let (block, behind) = rest.split_at(rest.len().min(STORED));
        rest = behind;
        bits.put(FORM_STORED | u64::from(last && rest.is_empty()), 3);
        bits.align();
        let len = block.len() as u64;
        bits.put(len | (len ^ 0xffff) << 16, 32);
        bits.flush();
        bits.octets(block);
        if rest.is_empty() {
            return;
        }
    }
}

/// The codes that need no description (RFC 1951 §3.2.6).
fn fixed() -> (Code<LITERALS>, Code<DISTANCES>) {
    // Two more symbols have words, which never occur, but those of nine bits stand behind them.
    let mut lengths = [8; LITERALS + 2];
    lengths[144..256].fill(9);
    lengths[256..280].fill(7);
    let all = Code::of_lengths(lengths);
    let literals = Code {
        lengths: std::array::from_fn(|symbol| all.lengths[symbol]),
        words: std::array::from_fn(|symbol| all.words[symbol]),
    };
    (literals, Code::of_lengths([5; DISTANCES]))
}

/// How a symbol is written.
#[derive(Clone, Copy, Default)]
struct Written {
    word: u16,
    /// Bits of the word.
    bits: u8,
    /// Bits of the word and of what follows it.
    all_bits: u8,
}

fn write_tokens(
    bits: &mut BitWriter<'_>,
    tokens: &[Token],
    literals: &Code<LITERALS>,
    distances: &Code<DISTANCES>,
) {
    let mut written = [Written::default(); TOKEN_SYMBOLS];
    let (of_literals, of_distances) = written.split_at_mut(DISTANCE_BASE);
    for (symbol, written) in of_literals[..LITERALS].iter_mut().enumerate() {
        let extra_bits = if symbol > END { length_extra_bits(symbol) } else { 0 };
        *written = Written::of(literals, symbol, extra_bits);
    }
    for (symbol, written) in of_distances[..DISTANCES].iter_mut().enumerate() {
        *written = Written::of(distances, symbol, distance_extra_bits(symbol));
    }
    let word = |token: Token| {
        let Written { word, bits, all_bits } = written[token.symbol()];
        (u64::from(word) | token.extra() << bits, u32::from(all_bits))
    };
    let (pairs, rest) = tokens.as_chunks::<2>();
    bits.put_all(pairs.iter().map(|&[one, other]| {
        let ((one, one_bits), (other, other_bits)) = (word(one), word(other));
        (one | other << one_bits, one_bits + other_bits)
    }));
    bits.put_all(rest.iter().map(|&token| word(token)));
    bits.put(literals.words[END].into(), literals.lengths[END].into());
    bits.flush();
}

impl Written {
    fn of<const N: usize>(code: &Code<N>, symbol: usize, extra_bits: u32) -> Self {
        let bits = code.lengths[symbol];
        Self { word: code.words[symbol], bits, all_bits: bits + extra_bits as u8 }
    }
}

/// How the lengths of both codes are written (RFC 1951 §3.2.7).
struct CodeLengths {
    literals: usize,
    distances: usize,
    /// Symbols, and what the bits behind them say.
    symbols: [(u8, u8); LITERALS + DISTANCES],
    count: usize,
    frequencies: [u32; 19],
    code: Code<19>,
    /// Lengths of the code of lengths that are given.
    given: usize,
}

impl CodeLengths {
    fn new(literal_lengths: &[u8; LITERALS], distance_lengths: &[u8; DISTANCES]) -> Self {
        let used = |lengths: &[u8], least: usize| {
            lengths.iter().rposition(|&length| length > 0).map_or(least, |last| least.max(last + 1))
        };
        let literals = used(literal_lengths, END + 1);
        let distances = used(distance_lengths, 1);
        let mut all = [0; LITERALS + DISTANCES];
        all[..literals].copy_from_slice(&literal_lengths[..literals]);
        all[literals..literals + distances].copy_from_slice(&distance_lengths[..distances]);

        let mut symbols = [(0, 0); LITERALS + DISTANCES];
        let mut frequencies = [0; 19];
        let mut count = 0;
        let mut put = |symbol: u8, extra: usize| {
            symbols[count] = (symbol, extra as u8);
            frequencies[usize::from(symbol)] += 1;
            count += 1;
        };
        for run in all[..literals + distances].chunk_by(|one, next| one == next) {
            let (length, mut left) = (run[0], run.len());
            if length > 0 {
                put(length, 0);
                left -= 1;
            }
            while left > 0 {
                let (symbol, least, most) = match (length, left) {
                    (0, 11..) => (18, 11, 138),
                    (0, 3..) => (17, 3, 10),
                    (_, 3..) => (16, 3, 6),
                    _ => (length, 1, 1),
                };
                let taken = left.min(most);
                put(symbol, taken - least);
                left -= taken;
            }
        }
        let code = Code::new(&frequencies, 7);
        let given = ORDER.iter().rposition(|&symbol| code.lengths[symbol] > 0);
        let given = given.map_or(4, |last| (last + 1).max(4));
        Self { literals, distances, symbols, count, frequencies, code, given }
    }

    fn extra_bits(symbol: u8) -> u32 {
        match symbol {
            16 => 2,
            17 => 3,
            18 => 7,
            _ => 0,
        }
    }

    fn cost(&self) -> u64 {
        let extra = self.symbols[..self.count].iter().map(|&(symbol, _)| Self::extra_bits(symbol));
        14 + 3 * self.given as u64
            + self.code.cost(&self.frequencies)
            + u64::from(extra.sum::<u32>())
    }

    fn write(&self, bits: &mut BitWriter<'_>) {
        bits.put((self.literals - 257) as u64, 5);
        bits.put((self.distances - 1) as u64, 5);
        bits.put((self.given - 4) as u64, 4);
        bits.flush();
        for &symbol in &ORDER[..self.given] {
            bits.put(self.code.lengths[symbol].into(), 3);
            bits.flush();
        }
        for &(symbol, extra) in &self.symbols[..self.count] {
            let place = usize::from(symbol);
            bits.put(self.code.words[place].into(), self.code.lengths[place].into());
            bits.put(extra.into(), Self::extra_bits(symbol));
            bits.flush();
        }
    }
}
