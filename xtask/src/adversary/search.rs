//! The search: samples are changed again and again, and what costs most is changed further.
//!
//! It goes by processor time, which is quick to take and good enough to say in which direction to look;
//! what is kept in the end is decided by [counted instructions](super::weigh).

use std::hint::black_box;
use std::time::Duration;

use nmsg_os::thread_cpu;

use super::mutate;
use super::parsers::{Parser, Run};
use crate::random::Random;

/// Same inputs on every machine, as far as measured time allows.
const SEED: u64 = 0x6164_7665;
/// Inputs that are kept to be changed further.
const POOL: usize = 24;
/// Measurements of which the least counts, before an input is kept and before it is told.
const TRIES: usize = 7;
/// Octets that are read between two looks at the clock, about.
const OCTETS_AT_ONCE: usize = 2048;

/// What one input cost.
#[derive(Clone, Copy, Debug)]
struct Cost {
    /// Nanoseconds per octet, the least of several measurements.
    per_octet: f64,
}

impl Cost {
    fn measure(parser: &Parser, run: &mut Run, input: &[u8], tries: usize) -> Self {
        let rounds = (OCTETS_AT_ONCE / input.len().max(1)).clamp(1, 32) as u32;
        let mut least = Duration::MAX;
        let mut made = 0;
        for _ in 0..tries {
            let start = thread_cpu();
            for _ in 0..rounds {
                made = black_box(run(black_box(input)));
            }
            least = least.min((thread_cpu() - start) / rounds);
        }
        let octets = (input.len() + made).max(parser.least);
        Self { per_octet: least.as_secs_f64() * 1e9 / octets as f64 }
    }
}

/// The most expensive inputs so far, the worst one first.
pub(super) struct Pool(pub(super) Vec<(f64, Vec<u8>)>);

impl Pool {
    /// Takes an input if it belongs to the worst; measures again before it believes so.
    fn offer(&mut self, parser: &Parser, run: &mut Run, input: &[u8]) {
        let least = match self.0.get(POOL - 1) {
            Some((cost, _)) => *cost,
            None => 0.0,
        };
        if Cost::measure(parser, run, input, 2).per_octet <= least {
            return;
        }
        let cost = Cost::measure(parser, run, input, TRIES).per_octet;
        if cost <= least || self.0.iter().any(|(_, kept)| kept == input) {
            return;
        }
        let at = self.0.partition_point(|(kept, _)| *kept > cost);
        self.0.insert(at, (cost, input.to_vec()));
        self.0.truncate(POOL);
    }

    /// Measures everything once more, for a longer time.
    fn settle(&mut self, parser: &Parser, run: &mut Run) {
        for (cost, input) in &mut self.0 {
            *cost = cost.min(Cost::measure(parser, run, input, 3 * TRIES).per_octet);
        }
        self.0.sort_by(|a, b| b.0.total_cmp(&a.0));
    }
}

/// Searches for so much processor time; gives how many inputs were tried, and the worst of them. `samples` are inputs to
/// begin with.
pub(super) fn search(
    parser: &Parser,
    samples: &[Vec<u8>],
    size: usize,
    time: Duration,
) -> (usize, Pool) {
    let mut run = (parser.make)();
    let mut random = Random::new(SEED ^ size as u64);
    let mut pool = Pool(Vec::new());
    for sample in samples {
        pool.offer(parser, &mut run, &sample[..sample.len().min(size)]);
    }
    let start = thread_cpu();
    let mut tried = 0;
    let mut input = Vec::new();
    while thread_cpu() - start < time {
        // Ordinary inputs stay in the game, so that the search does not end in one valley.
        let parent = match random.chance(80) {
            true => &pool.0[random.skewed(pool.0.len())].1,
            false => &samples[random.below(samples.len())],
        };
        let other = match random.chance(50) {
            true => &pool.0[random.below(pool.0.len())].1,
            false => &samples[random.below(samples.len())],
        };
        input.clear();
        input.extend_from_slice(&parent[..parent.len().min(size)]);
        mutate::mutate(&mut random, &mut input, other, parser.words, size);
        pool.offer(parser, &mut run, &input);
        tried += 1;
    }
    pool.settle(parser, &mut run);
    (tried, pool)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cost_that_grows_with_the_square_is_found() {
        fn quadratic() -> Run {
            Box::new(|input| {
                let marks = input.iter().filter(|octet| **octet == b'!');
                for mark in marks {
                    black_box(input.iter().rev().filter(|octet| *octet == mark).count());
                }
                0
            })
        }
        let parser = Parser {
            name: "quadratic",
            make: quadratic,
            samples: Vec::new,
            least: 64,
            words: &[b"!", b"text"],
        };
        let samples = [b"an ordinary text of some length, without a mark".repeat(8)];
        let ordinary = Cost::measure(&parser, &mut quadratic(), &samples[0], TRIES).per_octet;
        let (_, pool) = search(&parser, &samples, 2048, Duration::from_millis(500));
        let (worst, input) = &pool.0[0];
        assert!(*worst > 50.0 * ordinary, "{worst} of {ordinary}");
        assert!(input.iter().filter(|octet| **octet == b'!').count() > 100);
    }
}
