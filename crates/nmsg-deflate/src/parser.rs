//! Input becomes tokens: which matches are taken, and where blocks end.

use std::hint::select_unpredictable;

use crate::Unsuited;
use crate::bits::BitWriter;
use crate::block;
use crate::entropy;
use crate::finder::{Engine, Finder, Match, extend};
use crate::portable::Portable;
use crate::symbols::{Histogram, LONGEST, SHORTEST, Token};

/// Tokens after which it is decided whether a block ends.
const PART: usize = 4_096;

/// Most tokens of a block, about.
const MOST: usize = 12 * PART;

/// Bits that describe the codes of a block, about.
const DESCRIPTION_BITS: u64 = 640;

/// From this length on a match is taken without looking whether the next place has a longer one.
const GOOD: u32 = 16;

/// From this length on only a match of eight octets or more is worth a literal before it.
const FAIR: u32 = 5;

/// Tokens that there is room for: those of a block, the parts around its end, and a few more, a power of two.
const ROOM: usize = 1 << 16;

/// Longest copy that becomes part of the next one when it can.
const SHORT: usize = 20;

/// Octets after which it is decided whether the input suits.
const SAMPLE: usize = 1 << 15;

/// Octets for each copy, on average, with which it does: records have ten to twelve. Where copies are shorter, as in
/// prose, or longer, as in lines of a log, it takes more candidates than are compared here to find the best ones.
const LEAST_OCTETS_A_COPY: usize = 8;
const MOST_OCTETS_A_COPY: usize = 12;

/// From so many on there is hardly anything but copies, or no copies at all.
const ALIKE_OR_NOISE: usize = 100;

/// What is known of the block that is being made.
pub(crate) struct Parser {
    finder: Finder,
    /// Those of the block, and of the present part.
    tokens: Box<[Token; ROOM]>,
    count: usize,
    /// Symbols of the tokens before the present part.
    block: Histogram,
    /// The first place without a token.
    at: usize,
    /// Where the block begins.
    block_start: usize,
    /// Where the present part begins, as a place and as a number of tokens.
    part_start: usize,
    part_tokens: usize,
    /// Where the literals begin that stand directly before `at` and may still become part of a copy.
    literals_start: usize,
    /// Copies so far.
    copies: usize,
    /// Octets of the copy before them, if it may too, or else 0.
    last_length: usize,
    /// Octets before a copy that have to be the same, when no literal is among them, to make it worth a closer look.
    enough: u32,
}

impl Parser {
    pub(crate) fn new() -> Self {
        Self {
            finder: Finder::new(),
            tokens: Box::new([Token::literal(0); ROOM]),
            count: 0,
            block: Histogram::EMPTY,
            at: 0,
            block_start: 0,
            part_start: 0,
            part_tokens: 0,
            literals_start: 0,
            copies: 0,
            last_length: 0,
            enough: NEVER,
        }
    }

    /// Writes the input as blocks, or tells that it does not suit, as its beginning has mostly shorter or longer copies
    /// than records have.
    pub(crate) fn write(
        &mut self,
        input: &[u8],
        vectors: bool,
        bits: &mut BitWriter<'_>,
    ) -> Result<(), Unsuited> {
        self.count = 0;
        self.block = Histogram::EMPTY;
        (self.at, self.block_start, self.part_start, self.part_tokens) = (0, 0, 0, 0);
        (self.literals_start, self.last_length, self.enough) = (0, 0, NEVER);
        self.copies = 0;
        self.finder.begin(Portable, input);
        if !input.is_empty() {
            self.at = self.literal(input, 0);
        }
        self.parse_until(input, SAMPLE, vectors, bits);
        if self.at >= SAMPLE && !self.suits() {
            return Err(Unsuited);
        }
        self.parse_until(input, input.len(), vectors, bits);
        self.end_part(input, bits);
        self.end_block(input, self.count, self.at, true, bits);
        Ok(())
    }

    fn suits(&self) -> bool {
        let octets = |a_copy: usize| self.copies * a_copy;
        (octets(LEAST_OCTETS_A_COPY)..=octets(MOST_OCTETS_A_COPY)).contains(&self.at)
            || self.at >= octets(ALIKE_OR_NOISE)
    }

    fn parse_until(&mut self, input: &[u8], until: usize, vectors: bool, bits: &mut BitWriter<'_>) {
        #[cfg(target_arch = "x86_64")]
        if vectors && let Some(vector) = crate::vector::Vector::detect() {
            vector.parse(self, input, until, bits);
        }
        self.parse(Portable, input, until.min(input.len()), bits);
    }

    /// Makes tokens up to a place or a few octets more.
    #[inline(always)]
    pub(crate) fn parse(
        &mut self,
        engine: impl Engine,
        input: &[u8],
        until: usize,
        bits: &mut BitWriter<'_>,
    ) {
        // Not kept in memory: the next search waits for it.
        let mut at = self.at;
        while at < until {
            if self.count - self.part_tokens >= PART {
                self.at = at;
                self.end_part(input, bits);
            }
            self.finder.reach(engine, input, at);
            let mut found = self.finder.search(engine, input, at, SHORTEST);
            if found.length == 0 {
                at = self.literal(input, at);
                continue;
            }
            while found.length < GOOD && at + 1 < input.len() {
                let next = self.look_ahead(engine, input, at + 1, found);
                if !is_better(next, found) {
                    break;
                }
                at = self.literal(input, at);
                found = next;
            }
            at = self.copy(input, at, found);
        }
        self.at = at;
    }

    /// A match at the next place that may be better.
    #[inline(always)]
    fn look_ahead(
        &mut self,
        engine: impl Engine,
        input: &[u8],
        next: usize,
        found: Match,
    ) -> Match {
        self.finder.reach(engine, input, next);
        if found.length < FAIR {
            self.finder.search(engine, input, next, SHORTEST + 1)
        } else {
            self.finder.search_long(engine, input, next)
        }
    }

    #[inline(always)]
    fn literal(&mut self, input: &[u8], at: usize) -> usize {
        self.push(Token::literal(input[at]));
        at + 1
    }

    #[inline(always)]
    fn push(&mut self, token: Token) {
        self.tokens[self.count % ROOM] = token;
        self.count += 1;
    }

    #[inline(always)]
    fn copy(&mut self, input: &[u8], at: usize, found: Match) -> usize {
        let (mut length, distance) = (found.length as usize, found.distance as usize);
        let end = at + length;
        let enough = select_unpredictable(at > self.literals_start, 1, self.enough);
        if same_before(input, at, distance) >= enough {
            length = self.begin_earlier(input, at, length, distance);
        }
        self.push(Token::length(length as u16));
        self.push(Token::distance(distance as u16));
        self.copies += 1;
        self.literals_start = end;
        (self.last_length, self.enough) = if length <= SHORT { (length, 3) } else { (0, NEVER) };
        if length == LONGEST { self.go_on(input, end, distance) } else { end }
    }

    /// Makes more of the longest copies from so far back, as long as there are any in this part: the same tokens again
    /// and again take the fewest bits. Gives the place behind them.
    #[cold]
    #[inline(never)]
    fn go_on(&mut self, input: &[u8], mut at: usize, distance: usize) -> usize {
        while self.count - self.part_tokens < PART && extend(input, at, distance) == LONGEST {
            self.push(Token::length(LONGEST as u16));
            self.push(Token::distance(distance as u16));
            at += LONGEST;
        }
        self.literals_start = at;
        at
    }

    /// Makes tokens before a copy part of it, which are what it would copy, and gives its length.
    #[cold]
    #[inline(never)]
    fn begin_earlier(
        &mut self,
        input: &[u8],
        mut at: usize,
        mut length: usize,
        distance: usize,
    ) -> usize {
        while at > self.literals_start {
            let same = distance < at && input[at - 1] == input[at - 1 - distance];
            if !same || length == LONGEST {
                return length;
            }
            self.count -= 1;
            at -= 1;
            length += 1;
        }
        let last = self.last_length;
        let same = last + distance <= at
            && input[at - last..at] == input[at - last - distance..at - distance];
        if last > 0 && same && length + last <= LONGEST {
            self.count -= 2;
            length += last;
        }
        length
    }

    /// Joins the present part to the block, or, when two blocks take less, ends the block before it.
    #[inline(never)]
    fn end_part(&mut self, input: &[u8], bits: &mut BitWriter<'_>) {
        let part = Histogram::of(&self.tokens[self.part_tokens..self.count]);
        if self.part_tokens > 0 {
            let mut joined = self.block.clone();
            joined.add(&part);
            let more = joined.entropy().saturating_sub(self.block.entropy() + part.entropy());
            if self.count > MOST || more > DESCRIPTION_BITS * entropy::UNIT {
                self.end_block(input, self.part_tokens, self.part_start, false, bits);
                self.block = Histogram::EMPTY;
            }
        }
        self.block.add(&part);
        (self.literals_start, self.last_length, self.enough) = (self.at, 0, NEVER);
        self.part_start = self.at;
        self.part_tokens = self.count;
    }

    fn end_block(
        &mut self,
        input: &[u8],
        tokens: usize,
        end: usize,
        last: bool,
        bits: &mut BitWriter<'_>,
    ) {
        let octets = &input[self.block_start..end];
        block::write(bits, octets, &self.tokens[..tokens], &mut self.block, last);
        self.tokens.copy_within(tokens..self.count, 0);
        self.count -= tokens;
        self.block_start = end;
    }
}

/// More octets than are compared.
const NEVER: u32 = 5;

/// How many of the four octets before a place and before where it is copied from are the same, from the last one on.
#[inline(always)]
fn same_before(input: &[u8], at: usize, distance: usize) -> u32 {
    let before =
        |at: usize| -> Option<u32> { Some(u32::from_le_bytes(*input.get(..at)?.last_chunk()?)) };
    match (before(at), before(at.wrapping_sub(distance))) {
        (Some(one), Some(other)) => (one ^ other).leading_zeros() / 8,
        _ => 0,
    }
}

/// True when the match one octet behind another is worth one more literal.
#[inline(always)]
fn is_better(next: Match, found: Match) -> bool {
    if next.length <= found.length {
        return false;
    }
    let longer = 6 * (next.length - found.length) as i32;
    let nearer = found.distance.ilog2() as i32 - next.distance.ilog2() as i32;
    longer + nearer > 2
}
