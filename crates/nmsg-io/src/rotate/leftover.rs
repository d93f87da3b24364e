use nmsg::Limits;
use nmsg::container::{Decoder, Deframer, Frame};
use nmsg::text::LineSplitter;
use nmsg_os::durable;
use std::fs;
use std::io::{self, Read};
use std::path::PathBuf;
use std::time::Duration;

use super::kicker::Kicker;
use super::name::{FileName, FileNames};

/// How payloads stand in the files of an output, as far as cutting one needs to know.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum LeftoverFormat {
    /// Containers.
    Nmsg,
    /// One JSON object per line.
    Json,
    /// Presentation text.
    Presentation {
        /// Whether records end with an empty line, and not just with a line.
        blank_line: bool,
    },
}

/// A file of a killed run that was finished.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Recovered {
    /// Its final name.
    pub file: PathBuf,
    /// Octets that it has.
    pub octets: u64,
    /// Payloads that it has.
    pub payloads: u64,
    /// Octets that were cut off because they were no whole container or record.
    pub cut: u64,
}

/// Prints what was recovered.
impl std::fmt::Display for Recovered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { file, octets, payloads, cut } = self;
        write!(f, "recovered {}: {octets} bytes, {payloads} payloads", file.display())?;
        if *cut > 0 { write!(f, ", {cut} bytes cut off") } else { Ok(()) }
    }
}

/// Finishes what a killed run of the same output left behind: cuts each file to whole containers or
/// records, gives it its name and kicks it (`decisions` RO-9). Files that are still being written or
/// belong to others are left alone.
///
/// Gives what was recovered, and for each file that could not be, what is in the way; such files keep
/// their hidden names.
pub fn recover(
    names: &FileNames,
    format: LeftoverFormat,
    mut kicker: Option<&mut Kicker>,
) -> (Vec<Recovered>, Vec<String>) {
    let (mut recovered, mut failures) = (Vec::new(), Vec::new());
    for name in leftovers(names) {
        match finish(names, &name, format) {
            Ok(Some(file)) => {
                if let Some(kicker) = kicker.as_deref_mut() {
                    kicker.kick(&file.file);
                }
                recovered.push(file);
            }
            Ok(None) => {}
            Err(error) => {
                failures.push(format!("unable to recover {}: {error}", name.part.display()));
            }
        }
    }
    (recovered, failures)
}

/// Hidden files that an output may have left behind, oldest first.
fn leftovers(names: &FileNames) -> Vec<FileName> {
    // A directory that cannot be read will be told about when a file is created in it.
    let Ok(entries) = fs::read_dir(names.directory()) else { return Vec::new() };
    let mut found: Vec<FileName> =
        entries.flatten().filter_map(|entry| names.of_part(&entry.file_name())).collect();
    found.sort_by(|a, b| a.part.cmp(&b.part));
    found
}

fn finish(
    names: &FileNames,
    name: &FileName,
    format: LeftoverFormat,
) -> io::Result<Option<Recovered>> {
    let Some(mut file) = durable::open_leftover(&name.part)? else { return Ok(None) };
    let len = file.metadata()?.len();
    let Some(Whole { octets, payloads }) = measure(&mut file, format)? else { return Ok(None) };
    durable::cut(&name.part, octets)?;
    durable::rename_without_replacing(&name.part, &name.complete)?;
    durable::sync_directory(names.directory())?;
    let cut = len.saturating_sub(octets);
    Ok(Some(Recovered { file: name.complete.clone(), octets, payloads, cut }))
}

/// What of a file is whole.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
struct Whole {
    octets: u64,
    payloads: u64,
}

/// Measures a file; `None` when it is of another format, and so of another output with the same name.
fn measure(file: &mut impl Read, format: LeftoverFormat) -> io::Result<Option<Whole>> {
    let mut start = Vec::new();
    file.by_ref().take(4).read_to_end(&mut start)?;
    let expected: &[u8] = match format {
        LeftoverFormat::Nmsg => b"NMSG",
        LeftoverFormat::Json => b"{",
        LeftoverFormat::Presentation { .. } => b"[",
    };
    if start.iter().zip(expected).any(|(have, want)| have != want) {
        return Ok(None);
    }
    let mut whole = (&*start).chain(file);
    match format {
        LeftoverFormat::Nmsg => measure_containers(&mut whole),
        LeftoverFormat::Json => measure_lines(&mut whole, &mut JsonLines::default()),
        LeftoverFormat::Presentation { blank_line } => {
            measure_lines(&mut whole, &mut Records { blank_line, ..Records::default() })
        }
    }
    .map(Some)
}

const CHUNK: usize = 64 << 10;

fn measure_containers(file: &mut impl Read) -> io::Result<Whole> {
    let limits = Limits::default();
    let (mut deframer, mut decoder) = (Deframer::new(&limits), Decoder::new(&limits));
    let (mut whole, mut payloads) = (Whole::default(), 0);
    loop {
        let Some(frame) = deframer.next_frame() else {
            if deframer.is_finished() {
                return Ok(whole);
            }
            match file.read(deframer.space(CHUNK))? {
                0 => deframer.end(),
                count => deframer.advance(count),
            }
            continue;
        };
        match frame {
            Frame::Whole(container) => {
                let (header, offset) = (container.header, container.offset);
                let decoded = decoder.decode(&header, container.body, (), Duration::ZERO);
                let Ok(decoded) = decoded else { return Ok(whole) };
                payloads += decoded.map_or(0, |container| container.len() as u64);
                // A container in fragments counts when the last of them is there.
                if decoder.pending_sets() == 0 {
                    whole = Whole { octets: offset + header.container_len(), payloads };
                }
            }
            Frame::Damage(_) | Frame::CutShort(..) => return Ok(whole),
        }
    }
}

/// Finds the ends of records among lines.
trait RecordEnds {
    /// Takes a line that ends with a newline; true when everything up to its end is whole records.
    fn take(&mut self, line: &[u8]) -> bool;

    /// Records that have started.
    fn count(&self) -> u64;
}

#[derive(Default)]
struct JsonLines(u64);

impl RecordEnds for JsonLines {
    fn take(&mut self, _: &[u8]) -> bool {
        self.0 += 1;
        true
    }

    fn count(&self) -> u64 {
        self.0
    }
}

#[derive(Default)]
struct Records {
    blank_line: bool,
    count: u64,
}

impl RecordEnds for Records {
    fn take(&mut self, line: &[u8]) -> bool {
        self.count += u64::from(is_record_header(line));
        line.is_empty() || !self.blank_line
    }

    fn count(&self) -> u64 {
        self.count
    }
}

/// True for lines that start `[123] [`.
fn is_record_header(line: &[u8]) -> bool {
    let Some(rest) = line.strip_prefix(b"[") else { return false };
    let digits = rest.iter().take_while(|octet| octet.is_ascii_digit()).count();
    digits > 0 && rest[digits..].starts_with(b"] [")
}

fn measure_lines(file: &mut impl Read, records: &mut impl RecordEnds) -> io::Result<Whole> {
    let mut lines = LineSplitter::new(&Limits::default().with_line(usize::MAX));
    let (mut whole, mut octets) = (Whole::default(), 0);
    loop {
        while let Some(line) = lines.next_line() {
            octets += line.text.len() as u64 + 1;
            if records.take(line.text) {
                whole = Whole { octets, payloads: records.count() };
            }
        }
        match file.read(lines.room())? {
            0 => return Ok(whole),
            count => lines.filled(count),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;
    use nmsg::Payload;
    use nmsg::container::{ContainerWriter, WriterSettings};
    use std::ffi::OsStr;

    const TEXT: LeftoverFormat = LeftoverFormat::Presentation { blank_line: true };
    const LINES: LeftoverFormat = LeftoverFormat::Presentation { blank_line: false };

    fn measure_octets(octets: &[u8], format: LeftoverFormat) -> Option<(u64, u64)> {
        let whole = measure(&mut &*octets, format).unwrap();
        whole.map(|whole| (whole.octets, whole.payloads))
    }

    /// Containers of so many payloads each.
    fn containers(payloads: &[usize]) -> Vec<Vec<u8>> {
        let mut all = Vec::new();
        for count in payloads {
            let mut writer = ContainerWriter::new(WriterSettings::file(1));
            let mut one = Vec::new();
            let mut emit = |octets: &[u8]| {
                one.extend_from_slice(octets);
                Ok::<(), nmsg::Error>(())
            };
            for _ in 0..*count {
                let payload = Payload { body: Some(b"body"), ..Payload::default() };
                writer.write(&payload, None, &mut emit).unwrap();
            }
            writer.flush(&mut emit).unwrap();
            all.push(one);
        }
        all
    }

    #[test]
    fn ro_9_containers_are_cut_behind_the_last_whole_one() {
        let parts = containers(&[2, 3]);
        let (first, both) = (parts[0].len() as u64, parts.concat());
        for len in 0..=both.len() {
            let want = match len as u64 {
                len if len == both.len() as u64 => (len, 5),
                len if len >= first => (first, 2),
                _ => (0, 0),
            };
            let have = measure_octets(&both[..len], LeftoverFormat::Nmsg);
            assert_eq!(have, Some(want), "{len} octets");
        }
        let zeros = [&both[..], &[0; 5000]].concat();
        let have = measure_octets(&zeros, LeftoverFormat::Nmsg);
        assert_eq!(have, Some((both.len() as u64, 5)), "a hole at the end");
    }

    #[test]
    fn ro_9_a_container_in_fragments_is_whole_with_its_last_fragment() {
        let settings = WriterSettings { buffer: 512, ..WriterSettings::file(1) };
        let mut writer = ContainerWriter::new(settings);
        let mut pieces = Vec::new();
        let mut emit = |octets: &[u8]| {
            pieces.push(octets.to_vec());
            Ok::<(), nmsg::Error>(())
        };
        let payload = Payload { body: Some(&[7; 2000]), ..Payload::default() };
        writer.write(&payload, None, &mut emit).unwrap();
        let all = pieces.concat();
        assert!(pieces.len() > 3);
        let cut = all.len() - pieces.last().unwrap().len();
        assert_eq!(measure_octets(&all[..cut], LeftoverFormat::Nmsg), Some((0, 0)));
        let have = measure_octets(&all, LeftoverFormat::Nmsg);
        assert_eq!(have, Some((all.len() as u64, 1)));
    }

    #[test]
    fn ro_9_text_is_cut_behind_the_last_whole_record() {
        let json = LeftoverFormat::Json;
        for (name, format, text, want) in [
            ("no lines", json, "", Some((0, 0))),
            ("half a line", json, "{\"a\":", Some((0, 0))),
            ("a line", json, "{}\n", Some((3, 1))),
            ("a line and a half", json, "{}\n{", Some((3, 1))),
            ("another output's", json, "[1] [x\n\n", None),
            ("containers", json, "NMSG", None),
            ("a record", TEXT, "[1] [2\na: b\n\n", Some((13, 1))),
            ("without its end", TEXT, "[1] [2\na: b\n", Some((0, 0))),
            ("and the start of one", TEXT, "[1] [2\na: b\n\n[1] [2\na", Some((13, 1))),
            ("two", TEXT, "[1] [2\n\n[3] [2\n\n", Some((16, 2))),
            ("a bracket in a record", TEXT, "[1] [2\n[x] [\n\n", Some((14, 1))),
            ("records in lines", LINES, "[1] [2;a: b;\n[1] [2;", Some((13, 1))),
            ("JSON", TEXT, "{}\n", None),
        ] {
            assert_eq!(measure_octets(text.as_bytes(), format), want, "{name}");
        }
    }

    #[test]
    fn ro_9_leftovers_are_finished_named_and_counted() {
        let scratch = Scratch::new("recover");
        let directory = scratch.path();
        let at = |name: &str| directory.join(name);
        let whole = containers(&[3]).concat();
        let stamp = |n: u32| format!("20150202.0110.142283940{n}.364843292");
        let part = |base: &str, n| format!(".{base}.{}.part", stamp(n));
        fs::write(at(&part("ch", 2)), [&whole[..], b"NMSG"].concat()).unwrap();
        fs::write(at(&part("ch", 1)), b"").unwrap();
        fs::write(at(&part("other", 1)), &whole).unwrap();
        fs::write(at(&part("ch", 3)), b"{}\n").unwrap();
        fs::write(at(&part("ch", 4)), &whole).unwrap();
        fs::write(at(&format!("ch.{}.nmsg", stamp(4))), b"taken").unwrap();
        fs::create_dir(at(&part("ch", 5))).unwrap();
        let in_use = durable::create_locked(&at(&part("ch", 6))).unwrap();

        let names = FileNames::new(at("ch").as_os_str(), ".nmsg");
        let kicked = at("kicked");
        let command = format!("echo >>{}", kicked.display());
        let mut kicker = Kicker::new(OsStr::new(&command));
        let (recovered, failures) = recover(&names, LeftoverFormat::Nmsg, Some(&mut kicker));
        let said: Vec<String> = recovered.iter().map(ToString::to_string).collect();
        let name = |n| at(&format!("ch.{}.nmsg", stamp(n))).display().to_string();
        let octets = whole.len();
        assert_eq!(
            said,
            [
                format!("recovered {}: 0 bytes, 0 payloads", name(1)),
                format!("recovered {}: {octets} bytes, 3 payloads, 4 bytes cut off", name(2)),
            ]
        );
        assert_eq!(failures.len(), 1, "{failures:?}");
        assert!(failures[0].contains(&part("ch", 4)), "{failures:?}");
        assert_eq!(fs::read(name(2)).unwrap(), whole);
        assert_eq!(fs::read(name(1)).unwrap(), b"");
        assert_eq!(fs::read(name(4)).unwrap(), b"taken", "nothing is replaced");
        for untouched in
            [part("other", 1), part("ch", 3), part("ch", 4), part("ch", 5), part("ch", 6)]
        {
            assert!(at(&untouched).exists(), "{untouched}");
        }
        drop(in_use);
        for _ in 0..1000 {
            kicker.collect();
            if !kicker.is_running() {
                break;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        let lines = fs::read_to_string(&kicked).unwrap();
        let mut lines: Vec<&str> = lines.lines().collect();
        lines.sort_unstable();
        assert_eq!(lines, [name(1), name(2)]);
        let missing = FileNames::new(at("none/ch").as_os_str(), ".nmsg");
        assert_eq!(recover(&missing, LeftoverFormat::Nmsg, None), (vec![], vec![]));
    }
}
