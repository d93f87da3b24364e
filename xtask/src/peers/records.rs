//! Records of every type, sound and odd, on their way to every output.

use std::io;

use nmsg::Registry;

use super::compare::{Comparison, Difference, Job, describe};
use super::corpus::{self, Record};
use super::explain;
use crate::random::Random;
use crate::root;

/// Names the decisions behind a difference.
type Explain = fn(&Difference<'_, Record>) -> Vec<&'static str>;

pub(super) fn run(comparison: &mut Comparison<'_>, seed: u64, count: usize) -> io::Result<()> {
    let registry = Registry::builtin();
    let golden = root().join("crates/nmsg/tests/golden");
    let seeds = corpus::seeds(&golden, 30)?;
    let mut random = Random::new(seed);
    let changed = corpus::changed(&seeds, &registry, &mut random, count);
    let to_json = ["-r", "{I}", "-J", "-"];
    let to_presentation = ["-r", "{I}", "-o", "-"];
    let to_containers = ["-r", "{I}", "-w", "-"];
    for (name, arguments, explain) in [
        ("records to JSON", &to_json, explain::json as Explain),
        ("records to presentation form", &to_presentation, explain::presentation),
        ("records to containers", &to_containers, explain::copy),
    ] {
        let job = Job {
            name,
            arguments,
            encode: &|records: &[Record]| corpus::file(records),
            files: &[],
            normal: &|octets| octets,
            explain: &explain,
            describe: &describe,
        };
        for records in seeds.chunks(64).chain(changed.chunks(64)) {
            comparison.run(&job, records)?;
        }
    }
    Ok(())
}
