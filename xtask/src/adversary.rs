//! Search for inputs that cost much: mutation of samples, keeping the worst, for every parser.

mod corpus;
mod mutate;
mod parsers;
#[cfg(test)]
mod tests;

use std::fs;
use std::hint::black_box;
use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Duration;

use nmsg_os::thread_cpu;

use crate::random::Random;
use crate::root;
use parsers::{PARSERS, Parser, Run};

/// Same inputs on every machine, as far as measured time allows.
const SEED: u64 = 0x6164_7665;
/// Largest inputs, in octets: a small one that shows fixed costs, a larger one that shows growth.
const KEPT_SIZES: [usize; 2] = [512, 8192];
/// Inputs of this size start from the worst smaller ones and are not kept: a cost per octet that is
/// higher by the ratio of the sizes grows with the square.
const LARGE: usize = 128 << 10;
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

/// The middle of the costs of ordinary inputs.
fn ordinary(parser: &Parser, run: &mut Run, samples: &[Vec<u8>]) -> f64 {
    let cost = |sample: &Vec<u8>| Cost::measure(parser, run, sample, TRIES).per_octet;
    let mut costs: Vec<f64> = samples.iter().map(cost).collect();
    costs.sort_by(f64::total_cmp);
    costs.get(costs.len() / 2).copied().unwrap_or(0.0)
}

/// The most expensive inputs so far, the worst one first.
struct Pool(Vec<(f64, Vec<u8>)>);

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

fn search(parser: &Parser, samples: &[Vec<u8>], size: usize, time: Duration) -> (usize, Pool) {
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

/// Where the worst inputs of a parser are kept.
fn kept(parser: &Parser, size: usize) -> PathBuf {
    root().join("xtask/adversary").join(format!("{}-{size}", parser.name))
}

/// Searches for so many seconds of processor time per parser and size, and saves the worst inputs. Names choose among
/// the parsers.
pub(crate) fn run(arguments: &[&str]) -> io::Result<()> {
    let mut seconds = 60;
    let mut names = Vec::new();
    for argument in arguments {
        match argument.parse() {
            Ok(number) => seconds = number,
            Err(_) => names.push(*argument),
        }
    }
    if let Some(unknown) = names.iter().find(|name| PARSERS.iter().all(|p| p.name != **name)) {
        return Err(io::Error::other(format!("there is no parser {unknown}")));
    }
    let mut out = io::stdout();
    writeln!(out, "| parser | ns per octet | largest | worst found | ratio | inputs tried |")?;
    writeln!(out, "|---|---|---|---|---|---|")?;
    for parser in PARSERS.iter().filter(|p| names.is_empty() || names.contains(&p.name)) {
        let samples = (parser.samples)();
        if samples.is_empty() {
            return Err(io::Error::other(format!("{}: there are no samples", parser.name)));
        }
        let ordinary = ordinary(parser, &mut (parser.make)(), &samples);
        let mut starts = samples.clone();
        for size in KEPT_SIZES.into_iter().chain([LARGE]) {
            let (tried, pool) = search(parser, &starts, size, Duration::from_secs(seconds));
            let Some((worst, input)) = pool.0.first() else { continue };
            if size != LARGE {
                let path = kept(parser, size);
                fs::create_dir_all(path.parent().unwrap_or(root()))?;
                fs::write(path, input)?;
            }
            writeln!(
                out,
                "| {} | {ordinary:.2} | {size} | {worst:.2} | {:.1}× | {tried} |",
                parser.name,
                worst / ordinary
            )?;
            starts.extend(pool.0.into_iter().map(|(_, input)| input));
        }
    }
    Ok(())
}
