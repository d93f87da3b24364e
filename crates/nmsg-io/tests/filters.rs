//! Conditions and filter chains in the engine (`container-and-io` §4.5).

use nmsg::container::{ContainerWriter, WriterSettings};
use nmsg::filter::{
    Candidate, Filter, FilterChain, FilterFailed, Policy, Sampling, Verdict, Where,
};
use nmsg::{Aliases, MsgType, Payload, Registry, Timestamp, VendorId};
use nmsg_io::{Engine, FileFormat, FileSource, Observer, Outcome, Output, OutputFormat};
use std::io;
use std::num::NonZeroU64;
use std::path::PathBuf;

/// A directory of this test's own, gone at its end.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("nmsg-io-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a directory for the test");
        Self(path)
    }

    /// A file with so many `base:ipconn` payloads, whose source ports count up.
    fn input(&self, name: &str, payloads: u8) -> FileSource {
        let path = self.0.join(name);
        let mut octets = Vec::new();
        let mut emit = |piece: &[u8]| {
            octets.extend_from_slice(piece);
            Ok::<(), nmsg::Error>(())
        };
        let mut writer = ContainerWriter::new(WriterSettings::file(1));
        for port in 0..payloads {
            let payload = Payload {
                vendor: VendorId(1),
                msgtype: MsgType(5),
                body: Some(&[0x18, port]),
                ..Payload::default()
            };
            writer.write(&payload, None, &mut emit).expect("fits");
        }
        writer.flush(&mut emit).expect("fits");
        std::fs::write(&path, octets).expect("the file is written");
        FileSource::open(&path, FileFormat::Nmsg).expect("the input opens")
    }

    fn output(&self) -> Output {
        Output::create(&self.0.join("out"), OutputFormat::Json, None).expect("the output opens")
    }

    fn written(&self) -> String {
        std::fs::read_to_string(self.0.join("out")).expect("the output is there")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Notes inputs that failed.
#[derive(Default)]
struct Failed(Vec<String>);

impl Observer for Failed {
    fn input_failed(&mut self, _: &str, error: &io::Error) {
        self.0.push(error.to_string());
    }
}

/// Fails at the payload behind so many; until then it gives each payload another body.
struct Breaking(u32);

impl Filter for Breaking {
    fn filter(&mut self, candidate: &mut Candidate<'_>) -> Result<Verdict, FilterFailed> {
        let Some(left) = self.0.checked_sub(1) else { return Err(FilterFailed { result: 3 }) };
        self.0 = left;
        let read = candidate.payload();
        let (vendor, msgtype, time) = (read.vendor, read.msgtype, read.time);
        let body: &[u8] = &[0x18, 100];
        let header = Payload { vendor, msgtype, time, ..Payload::default() };
        candidate.replace(&Payload { body: Some(body), ..header });
        Ok(Verdict::Declined)
    }
}

fn condition(text: &str) -> Option<Where> {
    let (registry, aliases) = (Registry::builtin(), Aliases::default());
    Some(
        Where::compile(text, &registry, &aliases, Timestamp::default())
            .expect("the condition compiles"),
    )
}

fn columns(outcome: &Outcome) -> Vec<[u64; 5]> {
    assert!(outcome.ledger.balances(), "{:?}", outcome.ledger);
    let inputs = outcome.ledger.inputs.iter();
    inputs.map(|i| [i.payloads, i.dealt, i.filtered, i.dropped, i.discarded]).collect()
}

#[test]
fn mo_4_a_failing_filter_ends_its_input_alone() {
    for threads in [1, 3] {
        let scratch = Scratch::new(&format!("failing-{threads}"));
        let mut failed = Failed::default();
        let outcome = Engine::new()
            .threads(threads)
            .source(scratch.input("a", 9))
            .source(scratch.input("b", 9))
            .filter_chain(|input| {
                let mut chain = FilterChain::new(Policy::Accept);
                chain.push(Box::new(Breaking(if input == 0 { 4 } else { 9 })));
                chain
            })
            .output(scratch.output())
            .run(&mut failed);
        assert_eq!(columns(&outcome), [[9, 4, 0, 0, 5], [9, 9, 0, 0, 0]], "{threads} threads");
        assert_eq!(failed.0, ["a filter failed with result 3"], "{threads} threads");
        assert!(outcome.input_failed);
        let text = scratch.written();
        assert_eq!(text.matches("\"srcport\":100").count(), 13, "{text}");
    }
}

#[test]
fn en_5_filtered_payloads_have_a_column() {
    for (name, text, sampling, policy, want, totals) in [
        ("condition", Some("srcport < 5"), None, Policy::Accept, [15, 5, 10, 0, 0], (5, 5)),
        ("sample", None, Some(3), Policy::Accept, [15, 5, 10, 10, 0], (15, 5)),
        ("both", Some("srcport < 6"), Some(3), Policy::Accept, [15, 2, 13, 4, 0], (6, 2)),
        ("policy", None, Some(3), Policy::Drop, [15, 0, 15, 15, 0], (15, 0)),
        ("policy alone", None, None, Policy::Drop, [15, 0, 15, 15, 0], (15, 0)),
    ] {
        for threads in [1, 3] {
            let scratch = Scratch::new("columns");
            let outcome = Engine::new()
                .threads(threads)
                .source(scratch.input("a", 15))
                .condition(text.and_then(condition))
                .filter_chain(move |input| {
                    let mut chain = FilterChain::new(policy);
                    if let Some(count) = sampling {
                        chain.push(Box::new(Sampling::Count(count).start(7, input)));
                    }
                    chain
                })
                .output(scratch.output())
                .run(&mut ());
            assert_eq!(columns(&outcome), [want], "{name}, {threads} threads");
            let got = (outcome.ledger.payloads_in(), outcome.ledger.payloads_out());
            assert_eq!(got, totals, "{name}, {threads} threads");
        }
    }
}

#[test]
fn en_1_filters_are_not_asked_behind_the_count() {
    for threads in [1, 3] {
        let scratch = Scratch::new("count");
        let outcome = Engine::new()
            .threads(threads)
            .source(scratch.input("a", 15))
            .filter_chain(|input| {
                let mut chain = FilterChain::new(Policy::Accept);
                chain.push(Box::new(Sampling::Count(3).start(1, input)));
                chain
            })
            .count(NonZeroU64::new(2))
            .output(scratch.output())
            .run(&mut ());
        assert!(outcome.ledger.balances());
        let input = &outcome.ledger.inputs[0];
        assert_eq!((input.payloads, input.dealt), (15, 2));
        // Two are kept, at most two in front of each.
        assert!((2..=4).contains(&input.dropped), "{input:?}");
        assert_eq!(input.over_count, 15 - 2 - input.dropped);
    }
}
