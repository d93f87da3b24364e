//! Copies `base:dnsqr` messages for which a predicate is true: here, that a query with EDNS was answered
//! without. Change [`is_wanted`] to choose others.
//!
//! ```text
//! dnsqr_filter [-r FILE] [-l ADDRESS/PORT] [-C CHANNEL] [-w FILE] [-s ADDRESS/PORT] [-h]
//! ```
//!
//! Inputs and outputs may be named several times; every message goes to all outputs. Ends with its
//! inputs, or orderly on a signal. Channels are looked up in the file that `NMSG_CHALIAS_FILE` names.

use nmsg::filter::{Candidate, Filter, FilterChain, FilterFailed, Policy, Verdict};
use nmsg::{FieldIndex, Message, MsgType, Registry, Value, VendorId, View};
use nmsg_io::address::{SocketSpec, look_up_channel};
use nmsg_io::{
    Engine, FileFormat, FileSource, Framing, Outcome, Output, OutputFormat, PayloadFilter, UdpSink,
    UdpSource, datagram_buffer,
};
use nmsg_os::{Latch, signal};
use std::error::Error;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

const USAGE: &str = "usage: dnsqr_filter [-r FILE] [-l ADDRESS/PORT] [-C CHANNEL] [-w FILE] \
                     [-s ADDRESS/PORT] [-h]";

/// `base:dnsqr`.
const DNSQR: (VendorId, MsgType) = (VendorId(1), MsgType(9));

/// Octets of a container in a datagram.
const DATAGRAM: usize = 8192;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words.iter().any(|word| word == "-h") {
        // Whoever does not read the help does not need it.
        let _ = writeln!(io::stdout(), "{USAGE}");
        return ExitCode::SUCCESS;
    }
    let done = signal::handle_stop_signals()
        .map_err(Into::into)
        .and_then(|interrupt| run(&words, Some(interrupt)));
    let failure = match done {
        Ok(outcome) if outcome.input_failed => "an input could not be read".to_owned(),
        Ok(outcome) if outcome.output_failed => "an output could not be written".to_owned(),
        Ok(_) => return ExitCode::SUCCESS,
        Err(error) => error.to_string(),
    };
    // With standard error gone there is nobody to tell.
    let _ = writeln!(io::stderr(), "{failure}");
    ExitCode::FAILURE
}

/// Copies what is wanted from the inputs to the outputs that the words name.
///
/// # Errors
///
/// Those that keep it from starting.
pub(crate) fn run(
    words: &[String],
    interrupt: Option<&'static Latch>,
) -> Result<Outcome, Box<dyn Error>> {
    let mut engine = Engine::new()
        .filter(PayloadFilter { msgtype: Some(DNSQR), ..PayloadFilter::default() })
        .filter_chain(|_| {
            let mut chain = FilterChain::new(Policy::Drop);
            chain.push(Box::new(Chooser::new()));
            chain
        })
        .mirror(true)
        .interrupt(interrupt);
    let (mut inputs, mut outputs) = (0, 0);
    let (pairs, rest) = words.as_chunks::<2>();
    if !rest.is_empty() {
        return Err(USAGE.into());
    }
    for [option, value] in pairs {
        match option.as_str() {
            "-r" => engine = engine.source(FileSource::open(Path::new(value), FileFormat::Nmsg)?),
            "-l" => engine = listen(engine, value)?,
            "-C" => {
                let file =
                    std::fs::read(std::env::var_os("NMSG_CHALIAS_FILE").unwrap_or_default())?;
                let found = look_up_channel(&file, value).endpoints;
                if found.is_empty() {
                    return Err(format!("channel {value} has no endpoint").into());
                }
                for endpoint in &found {
                    engine = listen(engine, endpoint)?;
                }
            }
            "-w" => {
                let format = OutputFormat::Nmsg { zlib: false };
                engine = engine.output(Output::create(Path::new(value), format, interrupt)?);
            }
            "-s" => engine = engine.output(send(value)?),
            _ => return Err(USAGE.into()),
        }
        let is_input = matches!(option.as_str(), "-r" | "-l" | "-C");
        *(if is_input { &mut inputs } else { &mut outputs }) += 1;
    }
    if inputs == 0 || outputs == 0 {
        return Err(USAGE.into());
    }
    Ok(engine.run(&mut ()))
}

fn socket(text: &str) -> Result<SocketSpec, Box<dyn Error>> {
    let (spec, _) = SocketSpec::parse_channel_endpoint(text)
        .map_err(|error| format!("{text}: {}", error.message("the option")))?;
    Ok(spec)
}

fn listen(mut engine: Engine, text: &str) -> Result<Engine, Box<dyn Error>> {
    for address in socket(text)?.each() {
        engine = engine.source(UdpSource::bind(&address)?);
    }
    Ok(engine)
}

fn send(text: &str) -> Result<Output, Box<dyn Error>> {
    let sink = UdpSink::connect(&socket(text)?, None, None)?;
    let framing = Framing::datagrams(datagram_buffer(DATAGRAM, sink.address(), false));
    let output = Output::new(text, OutputFormat::Nmsg { zlib: false }, Box::new(sink));
    Ok(output.framing(framing))
}

/// Lets pass what is wanted.
struct Chooser {
    registry: Registry,
    index: FieldIndex,
}

impl Chooser {
    fn new() -> Self {
        Self { registry: Registry::builtin(), index: FieldIndex::new() }
    }

    fn accepts(&mut self, body: &[u8]) -> Option<bool> {
        let schema = self.registry.get(DNSQR.0, DNSQR.1)?;
        let message = Message::new(View::new(schema, body, &mut self.index).ok()?);
        let dns = |field: &str| message.get_by_name(field.as_bytes(), 0).and_then(Value::octets);
        Some(is_wanted(dns("query")?, dns("response")?))
    }
}

impl Filter for Chooser {
    fn filter(&mut self, candidate: &mut Candidate<'_>) -> Result<Verdict, FilterFailed> {
        let accepts = self.accepts(candidate.payload().body.unwrap_or_default());
        Ok(if accepts == Some(true) { Verdict::Accept } else { Verdict::Drop })
    }
}

/// The predicate: judges the DNS messages of a query and of its response.
fn is_wanted(query: &[u8], response: &[u8]) -> bool {
    let has_edns =
        |message: &[u8]| Some(wdns::message::Message::parse(message).ok()?.edns().is_some());
    has_edns(query) == Some(true) && has_edns(response) == Some(false)
}
