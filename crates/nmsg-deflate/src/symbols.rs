//! The alphabets of a block: literals, lengths and distances (RFC 1951 §3.2.5).

/// Literals, the end of the block, and lengths.
pub(crate) const LITERALS: usize = 286;
/// The symbol that ends a block.
pub(crate) const END: usize = 256;
/// Distances.
pub(crate) const DISTANCES: usize = 30;
/// Shortest copy.
pub(crate) const SHORTEST: usize = 3;
/// Longest copy.
pub(crate) const LONGEST: usize = 258;
/// How far back a copy reaches.
pub(crate) const WINDOW: usize = 32_768;

/// A symbol, and what the bits behind it say.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Token(u32);

/// Symbols of distances in a token, counted from here.
pub(crate) const DISTANCE_BASE: usize = 288;

/// One more than any symbol in a token can be.
pub(crate) const TOKEN_SYMBOLS: usize = 512;

impl Token {
    const EXTRA_SHIFT: u32 = 16;

    /// An octet that stands for itself.
    #[inline(always)]
    pub(crate) fn literal(octet: u8) -> Self {
        Self(octet.into())
    }

    /// How many octets are copied; a distance has to follow.
    #[inline(always)]
    pub(crate) fn length(length: u16) -> Self {
        LENGTH_TOKEN[usize::from(length)]
    }

    /// From how far back.
    #[inline(always)]
    pub(crate) fn distance(distance: u16) -> Self {
        let (symbol, extra_bits) = distance_symbol(distance);
        let extra = u32::from(distance.wrapping_sub(1)) & ((1 << extra_bits) - 1);
        Self((DISTANCE_BASE + symbol) as u32 | extra << Self::EXTRA_SHIFT)
    }

    /// Literals and lengths as they are, distances from [`DISTANCE_BASE`] on.
    #[inline(always)]
    pub(crate) fn symbol(self) -> usize {
        self.0 as usize % TOKEN_SYMBOLS
    }

    /// What the bits behind the symbol say.
    #[inline(always)]
    pub(crate) fn extra(self) -> u64 {
        (self.0 >> Self::EXTRA_SHIFT).into()
    }
}

/// Symbol of each length, counted from the first length symbol; lengths below the shortest are not asked for.
const LENGTH_SYMBOL: [u8; LONGEST + 1] = {
    let mut symbols = [0; LONGEST + 1];
    let mut length = SHORTEST;
    while length < LONGEST {
        let above = length - SHORTEST;
        symbols[length] = if above < 8 {
            above as u8
        } else {
            let extra = above.ilog2() - 2;
            (4 * extra + (above >> extra) as u32) as u8
        };
        length += 1;
    }
    symbols[LONGEST] = 28;
    symbols
};

/// Tokens of all lengths; those below the shortest are not asked for.
static LENGTH_TOKEN: [Token; LONGEST + 1] = {
    let mut tokens = [Token(0); LONGEST + 1];
    let mut length = SHORTEST;
    while length <= LONGEST {
        let symbol = END + 1 + LENGTH_SYMBOL[length] as usize;
        let extra = (length - SHORTEST) as u32 & ((1 << length_extra_bits(symbol)) - 1);
        tokens[length] = Token(symbol as u32 | extra << Token::EXTRA_SHIFT);
        length += 1;
    }
    tokens
};

/// Bits behind the symbol of a length.
pub(crate) const fn length_extra_bits(symbol: usize) -> u32 {
    let above = (symbol - END - 1) as u32;
    if above < 8 || above == 28 { 0 } else { above / 4 - 1 }
}

/// The symbol of a distance, and the bits behind it.
#[inline(always)]
fn distance_symbol(distance: u16) -> (usize, u32) {
    let above = u32::from(distance.wrapping_sub(1));
    let extra_bits = (above | 2).ilog2() - 1;
    ((2 * extra_bits + (above >> extra_bits)) as usize, extra_bits)
}

/// Bits behind the symbol of a distance.
pub(crate) fn distance_extra_bits(symbol: usize) -> u32 {
    (symbol as u32 / 2).saturating_sub(1)
}

/// How often each symbol occurs.
#[derive(Clone)]
pub(crate) struct Histogram {
    pub(crate) literals: [u32; LITERALS],
    pub(crate) distances: [u32; DISTANCES],
}

impl Histogram {
    pub(crate) const EMPTY: Self = Self { literals: [0; LITERALS], distances: [0; DISTANCES] };

    /// Counts the symbols of tokens.
    pub(crate) fn of(tokens: &[Token]) -> Self {
        // In turn, so that no count waits for the one before.
        let mut counts = [[0_u32; TOKEN_SYMBOLS]; 2];
        let (pairs, rest) = tokens.as_chunks::<2>();
        for &[one, other] in pairs {
            counts[0][one.symbol()] += 1;
            counts[1][other.symbol()] += 1;
        }
        for token in rest {
            counts[0][token.symbol()] += 1;
        }
        let count = |symbol: usize| counts[0][symbol] + counts[1][symbol];
        Self {
            literals: std::array::from_fn(count),
            distances: std::array::from_fn(|symbol| count(DISTANCE_BASE + symbol)),
        }
    }

    pub(crate) fn add(&mut self, other: &Self) {
        for (count, more) in self.literals.iter_mut().zip(&other.literals) {
            *count += more;
        }
        for (count, more) in self.distances.iter_mut().zip(&other.distances) {
            *count += more;
        }
    }

    /// Bits of all symbols in a code without rounding, in [`UNIT`](crate::entropy::UNIT)s. What follows the symbols is left out:
    /// it does not depend on the code.
    pub(crate) fn entropy(&self) -> u64 {
        crate::entropy::of(&self.literals) + crate::entropy::of(&self.distances)
    }

    /// Bits behind the symbols.
    pub(crate) fn extra_bits(&self) -> u64 {
        let of = |(symbol, &count): (usize, &u32), bits: fn(usize) -> u32| {
            u64::from(count) * u64::from(bits(symbol))
        };
        let lengths = self.literals.iter().enumerate().skip(END + 1);
        lengths.map(|pair| of(pair, length_extra_bits)).sum::<u64>()
            + self
                .distances
                .iter()
                .enumerate()
                .map(|pair| of(pair, distance_extra_bits))
                .sum::<u64>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_the_specification() {
        for (length, symbol, bits, extra) in [
            (3, 257, 0, 0),
            (10, 264, 0, 0),
            (11, 265, 1, 0),
            (12, 265, 1, 1),
            (18, 268, 1, 1),
            (19, 269, 2, 0),
            (66, 276, 3, 7),
            (67, 277, 4, 0),
            (227, 284, 5, 0),
            (257, 284, 5, 30),
            (258, 285, 0, 0),
        ] {
            let token = Token::length(length);
            assert_eq!(token.symbol(), symbol, "{length}");
            assert_eq!(length_extra_bits(symbol), bits, "{length}");
            assert_eq!(token.extra(), extra, "{length}");
        }
    }

    #[test]
    fn distances_of_the_specification() {
        for (distance, symbol, bits, extra) in [
            (1, 0, 0, 0),
            (2, 1, 0, 0),
            (4, 3, 0, 0),
            (5, 4, 1, 0),
            (6, 4, 1, 1),
            (7, 5, 1, 0),
            (9, 6, 2, 0),
            (257, 16, 7, 0),
            (24_576, 28, 13, 0x1fff),
            (24_577, 29, 13, 0),
            (32_768, 29, 13, 0x1fff),
        ] {
            let token = Token::distance(distance);
            assert_eq!(token.symbol(), DISTANCE_BASE + symbol, "{distance}");
            assert_eq!(distance_extra_bits(symbol), bits, "{distance}");
            assert_eq!(token.extra(), extra, "{distance}");
        }
    }
}
