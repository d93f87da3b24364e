//! Files made to do harm.

use crate::ledger::balanced;
use crate::memory::{MIB, Measured, compressed, container};
use crate::tool::{Scratch, containers, golden, ports, run};
use nmsg::Limits;
use nmsg::container::{ContainerWriter, StreamReader, WriterSettings};
use std::ops::Range;

/// The first payloads of a golden file, each in a container of its own.
fn first_of(name: &str, count: usize) -> Vec<Vec<u8>> {
    let mut reader = StreamReader::new(&Limits::default());
    reader.feed(&std::fs::read(golden(name)).expect("a golden file"));
    reader.end();
    let mut all = Vec::new();
    while let Some(container) = reader.next_container()
        && all.len() < count
    {
        for stored in container.expect("sound").payloads().take(count) {
            let mut writer = ContainerWriter::new(WriterSettings::file(1));
            let mut one = Vec::new();
            let mut emit = |octets: &[u8]| {
                one.extend_from_slice(octets);
                Ok::<(), nmsg::Error>(())
            };
            writer.write(&stored.payload, None, &mut emit).expect("fits");
            writer.flush(&mut emit).expect("fits");
            all.push(one);
        }
    }
    all.truncate(count);
    all
}

/// What the program makes of changed input, next to what it makes of each container alone.
struct Subject {
    name: &'static str,
    containers: Vec<Vec<u8>>,
    lines: Vec<String>,
}

impl Subject {
    fn new(name: &'static str, scratch: &Scratch) -> Self {
        let containers = first_of(name, 3);
        let line = |container: &Vec<u8>| {
            let ran = run(["-r", &scratch.write("one", container), "-J", "-"]);
            assert_eq!((ran.status, ran.text().lines().count()), (0, 1), "{name}: {}", ran.stderr);
            ran.text().to_owned()
        };
        Self { name, lines: containers.iter().map(line).collect(), containers }
    }

    /// Which octets each container takes.
    fn ranges(&self) -> Vec<Range<usize>> {
        let mut start = 0;
        let range = |container: &Vec<u8>| {
            let range = start..start + container.len();
            start = range.end;
            range
        };
        self.containers.iter().map(range).collect()
    }
}

const SUBJECTS: [&str; 5] =
    ["base-ipconn.nmsg", "base-logline.nmsg", "base-dns.nmsg", "base-encode.nmsg", "sie-qr.nmsg"];

/// Runs the program with all outputs on input made from each number, on two threads; gives the JSON.
fn on_all(numbers: Range<usize>, check: impl Fn(usize, &Scratch) + Sync) {
    let middle = numbers.start.midpoint(numbers.end);
    std::thread::scope(|scope| {
        for half in [numbers.start..middle, middle..numbers.end] {
            let check = &check;
            scope.spawn(move || {
                let scratch = Scratch::new();
                half.for_each(|number| check(number, &scratch));
            });
        }
    });
}

fn run_on(octets: &[u8], scratch: &Scratch) -> crate::tool::Ran {
    let file = scratch.write("in.nmsg", octets);
    run(["-r", &file, "-J", "-", "-o", "/dev/null", "-w", "/dev/null", "--mirror", "--stats"])
}

#[test]
fn cr_5_a_file_cut_anywhere_gives_what_is_whole() {
    let scratch = Scratch::new();
    for name in SUBJECTS {
        let subject = Subject::new(name, &scratch);
        let (octets, ranges) = (subject.containers.concat(), subject.ranges());
        on_all(0..octets.len() + 1, |len, scratch| {
            let name = format!("{} cut at {len}", subject.name);
            let ran = run_on(&octets[..len], scratch);
            let whole = ranges.iter().filter(|range| range.end <= len).count();
            let at_boundary = len == 0 || ranges.iter().any(|range| range.end == len);
            assert_eq!(ran.status, if at_boundary { 0 } else { 3 }, "{name}: {}", ran.stderr);
            balanced(&ran);
            let shown: Vec<&str> = ran.text().split_inclusive('\n').collect();
            assert_eq!(shown[..whole], subject.lines[..whole], "{name}");
            // The payload of a container that is cut behind it is whole.
            assert!(shown[whole..].iter().all(|line| *line == subject.lines[whole]), "{name}");
            assert!(shown.len() <= whole + 1, "{name}");
        });
    }
}

#[test]
fn cr_4_a_bit_that_is_flipped_costs_its_container_only() {
    let scratch = Scratch::new();
    for name in SUBJECTS {
        let subject = Subject::new(name, &scratch);
        let (octets, ranges) = (subject.containers.concat(), subject.ranges());
        on_all(0..octets.len(), |at, scratch| {
            let bit = at * 5 % 8;
            let name = format!("{}, bit {bit} of octet {at}", subject.name);
            let mut flipped = octets.clone();
            flipped[at] ^= 1 << bit;
            let ran = run_on(&flipped, scratch);
            assert!([0, 3].contains(&ran.status), "{name}: {} {}", ran.status, ran.stderr);
            balanced(&ran);
            let hit = ranges.iter().position(|range| range.contains(&at)).expect("a container");
            let mut rest = ran.text().split_inclusive('\n').peekable();
            for (number, line) in subject.lines.iter().enumerate() {
                if number == hit {
                    // Whatever this one has become, it comes in its place.
                    rest.next_if(|shown| {
                        subject.lines.get(hit + 1).is_none_or(|next| shown != next)
                    });
                } else {
                    assert_eq!(rest.next(), Some(&**line), "{name}: {}", ran.stderr);
                }
            }
            assert_eq!(rest.next(), None, "{name}");
        });
    }
}

#[test]
fn one_bad_container_among_good_ones_costs_itself_and_little_memory() {
    let scratch = Scratch::new();
    let good = containers(&[3, 3, 3]);
    let zeros = vec![0; 15 * MIB as usize];
    let bomb = |declared: u32| {
        let body = compressed(&zeros, declared);
        [&b"NMSG\x01\x02"[..], &(body.len() as u32).to_be_bytes(), &body].concat()
    };
    let fields = |octets: &[u8]| container(&octets.repeat(7 * MIB as usize), true);
    let header = b"NMSG\0\x02\xff\xff\xff\xff";
    for (name, bad, lost, said, limit) in [
        ("a header that declares 4 GiB", header.to_vec(), true, "declares 4294967295 bytes", 24),
        ("and some of it", [&header[..], &zeros[..5000]].concat(), true, "4294967295 bytes", 24),
        ("a bomb that declares 4 GiB", bomb(u32::MAX), true, "declares 4294967295 bytes", 24),
        ("a bomb that declares too much", bomb(17 << 20), true, "declares 17825792 bytes", 24),
        ("a bomb that declares 16 MiB", bomb(16 << 20), true, "inflates to", 48),
        ("a bomb that declares too little", bomb(100), true, "inflates to more", 24),
        ("a bomb of zeros", bomb(15 << 20), true, "is damaged", 48),
        ("payloads without fields", fields(b"\x0a\0"), true, "required field is missing", 64),
        ("checksums without payloads", fields(b"\x10\x01"), false, "", 96),
        ("fields that nobody knows", fields(b"\x78\x01"), false, "", 64),
        ("empty containers", b"NMSG\0\x02\0\0\0\0".repeat(1_000_000), false, "", 24),
    ] {
        let file = scratch.write("in.nmsg", &[&*good[0], &good[1], &bad, &good[2]].concat());
        for threads in ["1", "2"] {
            let words = ["-r", &file, "-J", "-", "--stats", "--threads", threads];
            let measured = Measured::run(&words);
            let ran = &measured.ran;
            assert_eq!(ran.status, if lost { 3 } else { 0 }, "{name}: {}", ran.stderr);
            assert_eq!(ports(&ran.stdout), (0..9).collect::<Vec<_>>(), "{name}: {}", ran.stderr);
            assert_eq!(balanced(ran), (9, 9), "{name}");
            assert!(ran.stderr.contains(said), "{name}: {}", ran.stderr);
            let place = format!("(at byte {})", good[0].len() + good[1].len());
            assert_eq!(ran.stderr.contains(&place), lost, "{name}: {}", ran.stderr);
            measured.assert_peak(name, limit * MIB);
        }
    }
}
