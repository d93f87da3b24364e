//! Many inputs at once: files that are read in turn, and inputs that have to be waited for.

use nmsg::container::{ContainerWriter, WriterSettings};
use nmsg::{MsgType, Payload, VendorId};
use nmsg_io::{Engine, FileFormat, FileSource, Output, OutputFormat, Put, Sink};
use nmsg_os::{Latch, Stream};
use std::fmt::Write as _;
use std::io::{self, Write};
use std::num::NonZeroU64;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

/// Keeps what is written.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Sink for Kept {
    fn put(&mut self, piece: &[u8], _: Option<&Latch>) -> io::Result<Put> {
        self.0.lock().expect("nobody has panicked").extend_from_slice(piece);
        Ok(Put::Taken)
    }

    fn close(self: Box<Self>) -> io::Result<nmsg_io::Closed> {
        Ok(nmsg_io::Closed::default())
    }
}

impl Kept {
    fn output(&self, format: OutputFormat) -> Output {
        Output::new("kept", format, Box::new(self.clone()))
    }
}

/// A directory of its own, removed at the end.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("nmsg-io-{name}-{}", std::process::id()));
        std::fs::create_dir(&path).expect("a directory");
        Self(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Payloads of one input, told apart by source and by what they say; in small containers.
fn stream(source: u32, count: u32) -> Vec<u8> {
    let mut writer = ContainerWriter::new(WriterSettings::file(1));
    let mut octets = Vec::new();
    let mut emit = |container: &[u8]| {
        octets.extend_from_slice(container);
        Ok::<(), nmsg::Error>(())
    };
    for n in 0..count {
        // Field 2 of base:logline is the text.
        let mut text = String::new();
        write!(text, "{n:06} {}", "x".repeat(n as usize % 400)).expect("memory");
        let mut body = vec![0x12];
        let mut len = text.len();
        while len >= 0x80 {
            body.push(len as u8 | 0x80);
            len >>= 7;
        }
        body.push(len as u8);
        body.extend_from_slice(text.as_bytes());
        let payload = Payload {
            vendor: VendorId(1),
            msgtype: MsgType(6),
            source: Some(source),
            body: Some(&body),
            ..Payload::default()
        };
        writer.write(&payload, None, &mut emit).expect("it fits");
        if n % 40 == 39 {
            writer.flush(&mut emit).expect("it fits");
        }
    }
    writer.flush(&mut emit).expect("it fits");
    octets
}

/// The payloads of one input that are in a JSON text, in order.
fn lines_of(text: &[u8], source: u32) -> Vec<String> {
    let label = format!("\"source\":\"{source:08x}\"");
    let text = std::str::from_utf8(text).expect("text");
    text.lines().filter(|line| line.contains(&label)).map(str::to_owned).collect()
}

const PAYLOADS: u32 = 700;

#[test]
fn any_number_of_inputs_keep_their_order_with_any_number_of_workers() {
    let scratch = Scratch::new("several");
    let paths: Vec<PathBuf> = (1..=12)
        .map(|source| {
            let path = scratch.0.join(format!("{source}.nmsg"));
            std::fs::write(&path, stream(source, PAYLOADS + source)).unwrap();
            path
        })
        .collect();
    for pipes in [0, 2] {
        for threads in [1, 2, 4] {
            let kept = Kept::default();
            let mut engine = Engine::new().threads(threads);
            engine = engine.output(kept.output(OutputFormat::Json));
            for path in &paths {
                engine = engine.source(FileSource::open(path, FileFormat::Nmsg).unwrap());
            }
            let mut writers = Vec::new();
            for source in 13..13 + pipes {
                let (reader, mut writer) = io::pipe().unwrap();
                let reader = Stream::inherited(OwnedFd::from(reader)).unwrap();
                let limits = nmsg::Limits::default();
                let format = FileFormat::Nmsg;
                engine = engine.source(FileSource::new("pipe".to_owned(), reader, format, &limits));
                let octets = stream(source, PAYLOADS + source);
                writers.push(std::thread::spawn(move || writer.write_all(&octets).unwrap()));
            }
            let outcome = engine.run(&mut ());
            writers.into_iter().for_each(|writer| writer.join().unwrap());
            let name = format!("{pipes} pipes, {threads} threads");
            assert!(outcome.ledger.balances() && !outcome.damaged, "{name}");
            let text = kept.0.lock().expect("nobody has panicked");
            for source in 1..13 + pipes {
                let lines = lines_of(&text, source);
                assert_eq!(lines.len() as u32, PAYLOADS + source, "{name}, input {source}");
                for (n, line) in lines.iter().enumerate() {
                    assert!(line.contains(&format!("\"{n:06} ")), "{name}, input {source}: {line}");
                }
            }
        }
    }
}

#[test]
fn files_are_read_in_turn() {
    let scratch = Scratch::new("turns");
    let kept = Kept::default();
    let mut engine = Engine::new().threads(1);
    engine = engine.output(kept.output(OutputFormat::Json));
    engine = engine.count(NonZeroU64::new(u64::from(2 * PAYLOADS)));
    for source in 1..=3 {
        let path = scratch.0.join(format!("{source}.nmsg"));
        std::fs::write(&path, stream(source, 10 * PAYLOADS)).unwrap();
        engine = engine.source(FileSource::open(&path, FileFormat::Nmsg).unwrap());
    }
    let outcome = engine.run(&mut ());
    assert_eq!(outcome.end, nmsg_io::End::Count);
    assert_eq!(outcome.ledger.payloads_out(), u64::from(2 * PAYLOADS));
    assert!(outcome.ledger.balances());
    let text = kept.0.lock().expect("nobody has panicked");
    let shares = [1, 2, 3].map(|source| lines_of(&text, source).len());
    assert!(shares.iter().filter(|share| **share > 0).count() >= 2, "{shares:?}");
}
