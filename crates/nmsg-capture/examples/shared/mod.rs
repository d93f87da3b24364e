//! What the converters from NMSG to pcap have in common: the command line and the reading.

use nmsg::container::StreamReader;
use nmsg::{FieldIndex, Limits, MsgType, Registry, Timestamp, View};
use nmsg_capture::savefile::{Precision, Writer};
use nmsg_capture::{LinkType, VENDOR_BASE};
use std::ffi::OsString;
use std::fmt::Display;
use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::process::ExitCode;

/// Octets read at once.
const CHUNK: usize = 256 << 10;

/// Length that the file names as the longest of a packet, in octets.
const SNAPLEN: u32 = 65_536;

/// The capture that is written.
pub(crate) type Capture = Writer<BufWriter<Box<dyn Write>>>;

/// Writes the packets of one message; the time is that of the message.
pub(crate) type Convert = fn(&View<'_>, Timestamp, &mut Capture) -> io::Result<()>;

/// Runs a converter of messages of one type with the words of its command line.
pub(crate) fn main(msgtype: MsgType, convert: Convert) -> ExitCode {
    let mut words = std::env::args_os();
    let program = words.next().unwrap_or_default();
    match run(words.collect(), msgtype, convert) {
        Ok(complaints) if complaints.is_empty() => ExitCode::SUCCESS,
        Ok(complaints) => {
            complaints.iter().for_each(complain);
            ExitCode::FAILURE
        }
        Err(Failure::Usage) => {
            complain(format_args!("usage: {} <NMSGfile> <PCAPfile>", program.display()));
            ExitCode::FAILURE
        }
        Err(Failure::Io(place, error)) => {
            complain(format_args!("{place}: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn complain(text: impl Display) {
    // With standard error gone there is nobody to tell.
    let _ = writeln!(io::stderr(), "{text}");
}

/// Why nothing, or not everything, was converted.
#[derive(Debug)]
pub(crate) enum Failure {
    /// There are not two words.
    Usage,
    /// A file, and what is wrong with it.
    Io(String, io::Error),
}

/// Converts the first named file into the second; returns what was wrong with the first. A single dash
/// stands for standard input and output.
///
/// # Errors
///
/// Those that end the work.
pub(crate) fn run(
    words: Vec<OsString>,
    msgtype: MsgType,
    convert: Convert,
) -> Result<Vec<String>, Failure> {
    let [from, to] = &*words else { return Err(Failure::Usage) };
    let at = |place: &OsString| {
        let place = place.display().to_string();
        move |error| Failure::Io(place, error)
    };
    let input: Box<dyn Read> = match from {
        dash if dash == "-" => Box::new(io::stdin()),
        path => Box::new(File::open(path).map_err(at(from))?),
    };
    let output: Box<dyn Write> = match to {
        dash if dash == "-" => Box::new(io::stdout()),
        path => Box::new(File::create(path).map_err(at(to))?),
    };
    let output = BufWriter::with_capacity(CHUNK, output);
    let capture = Writer::new(output, LinkType::RAW, SNAPLEN, Precision::Microseconds);
    let mut capture = capture.map_err(at(to))?;
    let mut messages = Messages::new(input);
    while messages.read().map_err(at(from))? {
        messages.each(msgtype, |view, time| convert(view, time, &mut capture)).map_err(at(to))?;
    }
    capture.into_inner().flush().map_err(at(to))?;
    Ok(messages.complaints)
}

/// The messages of a stream of containers.
struct Messages {
    input: Box<dyn Read>,
    reader: StreamReader,
    registry: Registry,
    index: FieldIndex,
    complaints: Vec<String>,
    ended: bool,
}

impl Messages {
    fn new(input: Box<dyn Read>) -> Self {
        Self {
            input,
            reader: StreamReader::new(&Limits::default()),
            registry: Registry::builtin(),
            index: FieldIndex::new(),
            complaints: Vec::new(),
            ended: false,
        }
    }

    /// Reads on; false when there is nothing more.
    fn read(&mut self) -> io::Result<bool> {
        if self.ended {
            return Ok(false);
        }
        match self.input.read(self.reader.space(CHUNK))? {
            0 => {
                self.ended = true;
                self.reader.end();
            }
            count => self.reader.advance(count),
        }
        Ok(true)
    }

    /// Visits the messages of a type that are there. Damage costs itself and is noted.
    fn each(
        &mut self,
        msgtype: MsgType,
        mut visit: impl FnMut(&View<'_>, Timestamp) -> io::Result<()>,
    ) -> io::Result<()> {
        let Some(schema) = self.registry.get(VENDOR_BASE, msgtype) else { return Ok(()) };
        while let Some(container) = self.reader.next_container() {
            let container = match container {
                Ok(container) => container,
                Err(error) => {
                    self.complaints.push(error.to_string());
                    continue;
                }
            };
            for stored in container.payloads() {
                let payload = stored.payload;
                if (payload.vendor, payload.msgtype) != (VENDOR_BASE, msgtype) {
                    continue;
                }
                if !stored.crc_matches() {
                    self.complaints.push("a message with a wrong checksum was left out".to_owned());
                    continue;
                }
                match View::new(schema, payload.body.unwrap_or_default(), &mut self.index) {
                    Ok(view) => visit(&view, payload.time)?,
                    Err(error) => self.complaints.push(error.to_string()),
                }
            }
        }
        Ok(())
    }
}
