//! The fuzz bodies over saved inputs and many mutations of them.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};

use nmsg::container::StreamReader;
use nmsg::fuzzing::{check_json_line, check_message, check_presentation};
use nmsg::{Limits, Registry};

/// A small generator with a fixed seed: the inputs are the same on every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() >> 20) as usize % limit.max(1)
    }

    /// Changes some octets; `words` are pieces that mean something in this kind of input.
    fn mutate(&mut self, octets: &mut Vec<u8>, other: &[u8], words: &[&[u8]]) {
        for _ in 0..=self.below(3) {
            let at = self.below(octets.len() + 1);
            match self.below(8) {
                0 => octets.truncate(at),
                1 if at < octets.len() => octets[at] ^= 1 << self.below(8),
                2 if at < octets.len() => octets[at] = self.next() as u8,
                3 if at < octets.len() => drop(octets.remove(at)),
                4 => {
                    let from = self.below(other.len());
                    let until = from + self.below((other.len() - from).min(40));
                    octets.splice(at..at, other[from..until].iter().copied());
                }
                5 => octets.insert(at, self.next() as u8),
                _ => {
                    let word = words[self.below(words.len())];
                    let until = (at + self.below(word.len() + 1)).min(octets.len());
                    octets.splice(at..until, word.iter().copied());
                }
            }
        }
        octets.truncate(4096);
    }
}

fn run(seeds: &[Vec<u8>], words: &[&[u8]], rounds: usize, check: impl Fn(&[u8])) {
    seeds.iter().for_each(|seed| check(seed));
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    for _ in 0..rounds {
        let mut octets = seeds[random.below(seeds.len())].clone();
        let other = &seeds[random.below(seeds.len())];
        random.mutate(&mut octets, other, words);
        check(&octets);
    }
}

fn golden(suffix: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = files.filter(|path| path.to_string_lossy().ends_with(suffix)).collect();
    files.sort();
    assert!(files.len() >= 20, "one file for each type");
    files
}

/// The messages of the golden files, each after the two octets that say its type and labels.
fn messages() -> Vec<Vec<u8>> {
    let registry = Registry::builtin();
    let types: Vec<_> = registry
        .vendors()
        .flat_map(|vendor| vendor.schemas())
        .map(|schema| (schema.message_type().vendor, schema.message_type().id))
        .collect();
    let mut messages = Vec::new();
    for path in golden(".nmsg") {
        let mut reader = StreamReader::new(&Limits::default());
        reader.feed(&std::fs::read(path).unwrap());
        reader.end();
        while let Some(container) = reader.next_container() {
            for record in container.unwrap().payloads().take(8) {
                let payload = record.payload;
                let kind = (payload.vendor, payload.msgtype);
                let choice = types.iter().position(|known| *known == kind).unwrap_or(0) as u8;
                let labels = payload.body.map_or(0, <[u8]>::len) as u8 % 8;
                messages.push([&[choice, labels], payload.body.unwrap_or_default()].concat());
            }
        }
    }
    messages
}

#[test]
fn messages_of_every_type() {
    let words: [&[u8]; 6] = [
        b"\0",
        b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
        b"\x0a\x04",
        b"\x80",
        b"\xc0\x0c",
        b"\x18\x01",
    ];
    run(&messages(), &words, 60_000, check_message);
}

#[test]
fn json_lines_of_every_type() {
    let mut lines: Vec<Vec<u8>> = Vec::new();
    for path in golden(".json") {
        let text = std::fs::read(path).unwrap();
        lines.extend(text.split(|octet| *octet == b'\n').take(4).map(<[u8]>::to_vec));
    }
    let words: [&[u8]; 20] = [
        b"null",
        b"true",
        b"-1",
        b"1e400",
        b"18446744073709551615",
        b"\"\\ud800\"",
        b"[",
        b"]",
        b"{",
        b"}",
        b"\"",
        b"\\",
        b"\\u0000",
        b",",
        b"NaN",
        b"/*",
        b"'",
        b"\"nan\"",
        b"0.1",
        b"\xff",
    ];
    run(&lines, &words, 60_000, check_json_line);
}

#[test]
fn presentation_records_of_every_type() {
    let registry = Registry::builtin();
    let names: Vec<String> = registry
        .vendors()
        .flat_map(|vendor| vendor.schemas())
        .map(|schema| {
            let declaration = schema.message_type();
            let (vendor, name) = (&declaration.vendor_name, &declaration.name);
            format!("{}-{}.pres", vendor.to_string_lossy().to_lowercase(), name.to_string_lossy())
        })
        .collect();
    let mut texts: Vec<Vec<u8>> = Vec::new();
    for path in golden(".pres") {
        let file = path.file_name().unwrap().to_string_lossy().into_owned();
        let Some(choice) = names.iter().position(|name| *name == file) else { continue };
        let text = std::fs::read(&path).unwrap();
        let cut = text.len().min(3000);
        texts.push([&[choice as u8], &text[..cut]].concat());
        // Without its headers a text is read by other rules.
        let plain = text.split(|octet| *octet == b'\n').filter(|line| !line.starts_with(b"["));
        let plain = plain.collect::<Vec<_>>().join(&b'\n');
        texts.push([&[choice as u8], &plain[..plain.len().min(1500)]].concat());
    }
    assert_eq!(texts.len(), 40);
    let words: [&[u8]; 22] = [
        b"\n",
        b"\n\n",
        b"\r\n",
        b".\n",
        b".",
        b"\n.\n",
        b"\n---\n",
        b"body:\n",
        b"headers:\n",
        b"request:\n",
        b"response: [5 octets]\n",
        b"payload:\n",
        b"rdata: \\# 1 07 \n",
        b"rrtype: A (1)\n",
        b"<UNKNOWN> (65280)",
        b"<UNKNOWN ENUM VAL=4294967295>",
        b"0x1p-1074",
        b"-99999999999999999999",
        b"[0] [2023-11-14 22:13:20.4294967295] [1:2 base email] [00000000] [] [] \n",
        b": ",
        b":",
        b"\xff",
    ];
    run(&texts, &words, 60_000, check_presentation);
}
