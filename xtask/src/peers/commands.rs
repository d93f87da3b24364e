//! Whole command lines on the golden files: text read back, labels, selection, counts, separators,
//! several outputs.

use std::path::PathBuf;
use std::{fs, io};

use super::compare::{Comparison, Job};
use super::corpus::{self, Record};
use super::explain;
use super::tool::Tool;
use super::verdict::Verdict;
use crate::root;

/// One command line; `{I}` stands for the file of all kinds of records, `{O}` for the folder of outputs.
struct Line {
    words: &'static [&'static str],
    /// Files below the folder of outputs that belong to the result.
    files: &'static [&'static str],
}

const fn line(words: &'static [&'static str]) -> Line {
    Line { words, files: &[] }
}

const STRIPES: &[&str] = &["1.pres", "2.json", "3.nmsg", "4.json"];

const LINES: &[Line] = &[
    line(&["-r", "{I}", "--setsource", "0x01010101", "-w", "-"]),
    line(&["-r", "{I}", "--setsource", "16843009", "-J", "-"]),
    line(&["-r", "{I}", "--setoperator", "1234", "--setgroup", "4321", "-w", "-"]),
    line(&["-r", "{I}", "--setoperator", "1234", "--setgroup", "4321", "-o", "-"]),
    line(&["-r", "{I}", "--setoperator", "1234", "--setgroup", "4321", "-J", "-"]),
    line(&["-r", "{I}", "--getsource", "7", "-J", "-"]),
    line(&["-r", "{I}", "--getoperator", "300", "-w", "-"]),
    line(&["-r", "{I}", "--getgroup", "1", "-o", "-"]),
    line(&["-r", "{I}", "--getsource", "7", "--getgroup", "1", "--setgroup", "2", "-J", "-"]),
    line(&["-r", "{I}", "--getsource", "99", "-J", "-"]),
    line(&["-r", "{I}", "-V", "base", "-T", "ipconn", "-J", "-"]),
    line(&["-r", "{I}", "-T", "dnsqr", "-o", "-"]),
    line(&["-r", "{I}", "-V", "SIE", "-T", "dnsdedupe", "-w", "-"]),
    line(&["-r", "{I}", "-V", "sie", "-T", "NEWDOMAIN", "-J", "-"]),
    line(&["-r", "{I}", "-V", "ISC", "-T", "http", "-J", "-"]),
    line(&["-r", "{I}", "-c", "1", "-o", "-"]),
    line(&["-r", "{I}", "-c", "7", "-J", "-"]),
    line(&["-r", "{I}", "-c", "33", "-w", "-"]),
    line(&["-r", "{I}", "-c", "1000000", "-w", "-"]),
    line(&["-r", "{I}", "-T", "ipconn", "-c", "2", "-J", "-"]),
    line(&["-r", "{I}", "-e", "\\t", "-o", "-"]),
    line(&["-r", "{I}", "-e", " ", "-o", "-"]),
    line(&["-r", "{I}", "-e", "||\\n\\\\", "-o", "-"]),
    line(&["-r", "{I}", "-e", "", "-o", "-"]),
    line(&["-r", "{I}", "--unbuffered", "-w", "-"]),
    line(&["-r", "{I}", "--unbuffered", "-J", "-"]),
    Line {
        words: &[
            "-r",
            "{I}",
            "-o",
            "{O}/1.pres",
            "-J",
            "{O}/2.json",
            "-w",
            "{O}/3.nmsg",
            "-J",
            "{O}/4.json",
        ],
        files: STRIPES,
    },
    Line {
        words: &[
            "-r",
            "{I}",
            "-c",
            "5",
            "-o",
            "{O}/1.pres",
            "-J",
            "{O}/2.json",
            "-w",
            "{O}/3.nmsg",
            "-J",
            "{O}/4.json",
        ],
        files: STRIPES,
    },
    Line {
        words: &[
            "-r",
            "{I}",
            "--mirror",
            "-o",
            "{O}/1.pres",
            "-J",
            "{O}/2.json",
            "-w",
            "{O}/3.nmsg",
            "-J",
            "{O}/4.json",
        ],
        files: STRIPES,
    },
    Line {
        words: &[
            "-r",
            "{I}",
            "--mirror",
            "-c",
            "9",
            "-o",
            "{O}/1.pres",
            "-J",
            "{O}/2.json",
            "-w",
            "{O}/3.nmsg",
            "-J",
            "{O}/4.json",
        ],
        files: STRIPES,
    },
];

/// Compares everything; gives how many comparisons fail that should not.
pub(super) fn run(ours: &Tool, reference: &Tool) -> io::Result<usize> {
    let mut verdict = Verdict::new("command lines");
    let records = labelled()?;
    let input = ours.output("all.nmsg");
    fs::write(&input, corpus::file(&records)?)?;
    let input = input.to_string_lossy().into_owned();
    for line in LINES {
        let name = line.words.join(" ");
        let results = [ours, reference].map(|tool| result(tool, line, &input));
        let [ours, theirs] = results;
        verdict.same(&name, &ours?, &theirs?)?;
    }
    compressed(ours, reference, &input, &mut verdict)?;
    presentation_back(ours, reference, &mut verdict)?;
    let mut comparison = Comparison::new(ours, reference);
    read_back(&mut comparison)?;
    comparison.report()?;
    Ok(verdict.end()? + comparison.unexplained)
}

/// The golden files with JSON, that is, those that the reference can show.
fn golden_json() -> io::Result<Vec<PathBuf>> {
    let golden = root().join("crates/nmsg/tests/golden");
    let mut paths: Vec<_> = fs::read_dir(golden)?.flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    paths.sort();
    Ok(paths)
}

/// Some records of every golden file, with labels of all kinds. Without those with negative numbers, which
/// the reference shows without their sign (`decisions` JO-3).
fn labelled() -> io::Result<Vec<Record>> {
    let mut records = Vec::new();
    for path in golden_json()? {
        let of_type = corpus::read(&fs::read(path.with_extension("nmsg"))?)?;
        let text = fs::read_to_string(path)?;
        let shown = of_type.into_iter().zip(text.lines());
        let plain = shown.filter(|(_, line)| !line.contains(":184467440737"));
        records.extend(plain.map(|(record, _)| record).take(6));
    }
    for (at, record) in records.iter_mut().enumerate() {
        record.source = [None, Some(7), Some(8)][at % 3];
        record.operator = [Some(300), None][at % 2];
        record.group = [Some(1), Some(2), None, Some(1), None][at % 5];
    }
    Ok(records)
}

fn result(tool: &Tool, line: &Line, input: &str) -> io::Result<Vec<u8>> {
    for file in line.files {
        let _ = fs::remove_file(tool.output(file));
    }
    let words: Vec<String> = line.words.iter().map(|word| word.replace("{I}", input)).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let run = tool.run(&words)?;
    let mut result = format!("status {:?}\n", run.status).into_bytes();
    result.extend(run.stdout);
    for file in line.files {
        result.extend(format!("\nfile {file}\n").bytes());
        result.extend(fs::read(tool.output(file)).unwrap_or_default());
    }
    Ok(result)
}

/// `-z`: another compressor may make other octets, not other containers.
fn compressed(ours: &Tool, reference: &Tool, input: &str, verdict: &mut Verdict) -> io::Result<()> {
    for more in [&[][..], &["--unbuffered"], &["-c", "20"]] {
        let words = [&["-r", input, "-z", "-w", "-"], more].concat();
        let name = words[2..].join(" ");
        let [mine, theirs] = [ours, reference].map(|tool| tool.run(&words));
        let (mine, theirs) = (mine?.stdout, theirs?.stdout);
        let [shape, their_shape] = [&mine, &theirs].map(|octets| super::datagrams::shape(octets));
        verdict.same(&name, shape?.as_bytes(), their_shape?.as_bytes())?;
        let (len, their_len) = (mine.len(), theirs.len());
        verdict.holds(
            &format!("CW-10 {name}: {len} octets, the reference's {their_len}"),
            len * 100 <= their_len * 101,
        )?;
    }
    Ok(())
}

/// JSON of every type, back to every form, line by line where the outputs differ.
fn read_back(comparison: &mut Comparison<'_>) -> io::Result<()> {
    for path in golden_json()? {
        let text = fs::read(&path)?;
        let lines: Vec<Vec<u8>> = text.split_inclusive(|c| *c == b'\n').map(Vec::from).collect();
        let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        for output in ["-w", "-J", "-o"] {
            let job = Job {
                name: &format!("-j {file} {output} -"),
                arguments: &["-j", "{I}", output, "-"],
                encode: &|lines: &[Vec<u8>]| Ok(lines.concat()),
                files: &[],
                normal: &|octets| octets,
                explain: &explain::read_back,
                describe: &|line: &Vec<u8>| String::from_utf8_lossy(line).into_owned(),
            };
            comparison.run(&job, &lines)?;
        }
    }
    Ok(())
}

/// Presentation text without headers, which is all that the reference understands; the time is that of
/// the run.
fn presentation_back(ours: &Tool, reference: &Tool, verdict: &mut Verdict) -> io::Result<()> {
    for (msgtype, text) in [
        (
            "ipconn",
            "proto: 6\nsrcip: 192.0.2.1\nsrcport: 1024\ndstip: 2001:db8::1\ndstport: 443\n\n\
             proto: 17\nsrcport: 0x35\n\nsrcip: 192.0.2.2\nsrcip: 192.0.2.3\n\n",
        ),
        ("logline", "category: kernel\nmessage: restarted\n\ncategory: a:b\n\n"),
        (
            "linkpair",
            "type: redirect\nsrc: http://example.com/\ndst: http://example.net/\n\ntype: anchor\n\n",
        ),
        ("http", "type: sinkhole\nsrcip: 192.0.2.9\nsrcport: 9\nrequest: x\n.\n\n"),
        ("email", "type: spamtrap\nsrcip: 192.0.2.9\nrcpt: a@b\nrcpt: c@d\n\n"),
    ] {
        let input = ours.output("input.pres");
        fs::write(&input, text)?;
        let input = input.to_string_lossy().into_owned();
        for output in ["-J", "-o"] {
            let words = ["-V", "base", "-T", msgtype, "-f", &input, output, "-"];
            let [mine, theirs] = [ours, reference].map(|tool| tool.run(&words));
            let name = format!("-T {msgtype} -f {output} -");
            let (mine, theirs) = (without_time(&mine?.stdout), without_time(&theirs?.stdout));
            verdict.same(&name, &mine, &theirs)?;
        }
    }
    Ok(())
}

/// Text without the times of its records.
fn without_time(text: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(text);
    let line = |line: &str| match line.split_once("\"time\":\"") {
        Some((before, rest)) => format!("{before}{}", rest.get(29..).unwrap_or_default()),
        None => match line.split_once("] [") {
            Some((before, rest)) if line.starts_with('[') => {
                format!("{before}{}", rest.get(29..).unwrap_or_default())
            }
            _ => line.to_owned(),
        },
    };
    let lines: Vec<String> = text.lines().map(line).collect();
    lines.join("\n").into_bytes()
}
