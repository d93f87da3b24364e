//! The wiring: opens what the settings name, runs the engine, and tells how it went.

mod capture;
#[cfg(feature = "kafka")]
mod kafka;
#[cfg(not(feature = "kafka"))]
#[path = "run/no_kafka.rs"]
mod kafka;
mod ledger;
mod log;
mod metrics;
mod names;
mod process;
mod progress;
mod report;
mod rotation;
mod socket;
mod statistics;
mod zmq;

use crate::failure::{ExitStatus, Failure, FailureKind};
use crate::flags::FlagSet;
use crate::grammar::Given;
use crate::settings::{
    Endpoint, File, Filters, Format, Input, Label, Labels, LogFormat, OnDamage, Output, Place,
    Selection, Settings, Surroundings, ZmqSocket,
};
use log::Log;
use names::Catalogue;
use nmsg::filter::FilterChain;
use nmsg_io::{Engine, FileFormat, FileSource, MetricsSocket, OutputFormat, PayloadFilter};
use nmsg_os::{Latch, User, signal};
use process::{Going, PidFile};
use progress::Progress;
use report::Reporter;
use statistics::Reports;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Runs a command line that names inputs and outputs.
///
/// # Errors
///
/// The first thing that keeps the run from starting. What goes wrong later is told on standard
/// error when it happens, and shows in the status.
pub fn run(program: &str, flags: FlagSet, given: Given) -> Result<ExitStatus, Failure> {
    let log = Log::new(program, LogFormat::of(&given)?);
    match attempt(&log, program, flags, given) {
        Err(failure) if log.format() == LogFormat::Json => {
            log.failure(&failure);
            Ok(failure.exit_status())
        }
        ended => ended,
    }
}

fn attempt(log: &Log, program: &str, flags: FlagSet, given: Given) -> Result<ExitStatus, Failure> {
    let catalogue = Catalogue::load(&|name| std::env::var_os(name));
    let settings = Settings::from_given(
        given,
        Surroundings { flags, env: &|name| std::env::var_os(name), names: &catalogue },
    )?;
    rotation::check_kicker(&settings)?;
    let user = process::user(&settings)?;
    let mut reporter = Reporter::new(log.clone(), settings.debug);
    reporter.set_up(&catalogue, &settings);
    let detached = match process::detach(&settings)? {
        Going::On(detached) => detached,
        Going::Elsewhere(status) => return Ok(status),
    };
    let interrupt = handle_signals(&settings).map_err(|error| {
        Failure::new(FailureKind::SetUp, format!("unable to handle signals: {error}"))
    })?;
    let Opened { engine, pid_file, metrics } =
        match open(&settings, user.as_ref(), interrupt, &mut reporter) {
            Ok(opened) => opened,
            Err(_) if interrupt.is_raised() => return Ok(reporter.stopped_early()),
            Err(failure) => return Err(failure),
        };
    metrics::serve(metrics, &mut reporter)?;
    for report in &settings.statistics {
        reporter.line(2, report);
        reporter.add_reports(Reports::start(report, log)?);
    }
    process::ready(detached)?;
    reporter.show_progress(Progress::of(&settings, program, log));
    let outcome = engine
        .registry(Arc::new(catalogue.registry))
        .aliases(Arc::new(catalogue.aliases))
        .run(&mut reporter);
    if let Some(pid_file) = pid_file {
        pid_file.remove(&reporter);
    }
    Ok(reporter.finish(&outcome, &settings))
}

fn handle_signals(settings: &Settings) -> io::Result<&'static Latch> {
    let interrupt = signal::handle_stop_signals()?;
    if settings.daemon {
        signal::flush_on_hang_up()?;
    }
    Ok(interrupt)
}

/// What a run needs.
struct Opened {
    engine: Engine,
    pid_file: Option<PidFile>,
    metrics: Option<MetricsSocket>,
}

/// Opens inputs and outputs in their order: what may need privileges first, then the pid file, then, as
/// the user that was asked for, everything else (`decisions` SG-9).
fn open(
    settings: &Settings,
    user: Option<&User>,
    interrupt: &'static Latch,
    reporter: &mut Reporter,
) -> Result<Opened, Failure> {
    let mut engine = Engine::new()
        .labels(labels(&settings.set))
        .filter(filter(settings))
        .condition(settings.condition.as_ref().map(|condition| condition.compiled.clone()))
        .count(settings.count)
        .interval(rotation::interval(settings))
        .rotating(settings.rotation.is_some())
        .flush_interval(settings.flush_interval.map(|secs| Duration::from_secs(secs.get())))
        .mirror(settings.mirror)
        .unbuffered(settings.unbuffered)
        .threads(threads(settings))
        .strict(settings.on_damage == OnDamage::Stop)
        .keep_lines(settings.debug >= 2)
        .interrupt(Some(interrupt));
    let mut sockets = socket::Senders::default();
    // The file of a local socket belongs to the user that was asked for.
    let is_late = |socket: &ZmqSocket| user.is_some() && socket.is_local();
    for endpoint in &settings.endpoints {
        match endpoint {
            Endpoint::Input(Input::Socket(address)) => {
                reporter.line(2, endpoint);
                engine = engine.source(socket::listen(address)?);
            }
            Endpoint::Output(Output::Socket(socket)) => {
                reporter.line(2, endpoint);
                engine = engine.output(sockets.connect(socket, settings, reporter)?);
            }
            Endpoint::Input(Input::Interface(input)) => {
                reporter.line(2, endpoint);
                engine = engine.source(capture::open_interface(input, settings, reporter)?);
            }
            Endpoint::Input(Input::Zmq(socket)) if !is_late(socket) => {
                reporter.line(2, endpoint);
                engine = engine.source(zmq::read(socket, reporter)?);
            }
            Endpoint::Output(Output::Zmq(socket)) if !is_late(socket) => {
                reporter.line(2, endpoint);
                engine = engine.output(zmq::write(socket, settings, reporter)?);
            }
            Endpoint::Input(
                Input::File(_) | Input::Zmq(_) | Input::Kafka(_) | Input::Capture(_),
            )
            | Endpoint::Output(Output::File(_) | Output::Zmq(_) | Output::Kafka(_)) => {}
        }
    }
    let metrics = settings.metrics.map(|address| metrics::bind(address, reporter)).transpose()?;
    let pid_file = match &settings.pid_file {
        Some(path) => Some(PidFile::create(path, user)?),
        None => None,
    };
    if let Some(user) = user {
        process::switch_to(user, reporter)?;
    }
    for endpoint in &settings.endpoints {
        match endpoint {
            Endpoint::Input(Input::Capture(place)) => {
                reporter.line(2, endpoint);
                engine = engine.source(capture::open_file(place, settings, interrupt, reporter)?);
            }
            Endpoint::Input(Input::Zmq(socket)) if is_late(socket) => {
                reporter.line(2, endpoint);
                engine = engine.source(zmq::read(socket, reporter)?);
            }
            Endpoint::Output(Output::Zmq(socket)) if is_late(socket) => {
                reporter.line(2, endpoint);
                engine = engine.output(zmq::write(socket, settings, reporter)?);
            }
            Endpoint::Input(Input::Kafka(topic)) => {
                reporter.line(2, endpoint);
                engine = engine.source(kafka::read(topic, interrupt, reporter)?);
            }
            Endpoint::Output(Output::Kafka(topic)) => {
                reporter.line(2, endpoint);
                engine = engine.output(kafka::write(topic, settings, reporter)?);
            }
            Endpoint::Input(Input::Socket(_) | Input::Zmq(_) | Input::Interface(_))
            | Endpoint::Output(Output::Socket(_) | Output::Zmq(_)) => {}
            Endpoint::Input(Input::File(file)) => {
                reporter.line(2, endpoint);
                let source = open_source(file, filter(settings))?;
                let is_container = file.format == Format::Nmsg;
                let rate = settings.byte_rate.filter(|_| is_container);
                if let Some(rate) = rate {
                    let place = &file.place;
                    reporter.line(4, format!("{place} ingress rate limit set to {rate} bytes/sec"));
                }
                engine = engine.paced_source(source, rate);
            }
            Endpoint::Output(Output::File(file)) => {
                reporter.line(2, endpoint);
                let output = open_output(file, settings, interrupt, reporter);
                engine = engine.output(output.map_err(|error| file.not_writable(&error))?);
            }
        }
    }
    for line in settings.filters.lines() {
        reporter.line(2, line);
    }
    if !settings.filters.chain.is_empty() {
        engine = engine.filter_chain(filter_chain(&settings.filters));
    }
    Ok(Opened { engine, pid_file, metrics })
}

fn open_source(file: &File, filter: PayloadFilter) -> Result<FileSource, Failure> {
    let format = match (file.format, filter.msgtype) {
        (Format::Nmsg, _) => FileFormat::Nmsg,
        (Format::Json, _) => FileFormat::Json,
        (Format::Presentation, Some((vendor, msgtype))) => {
            FileFormat::Presentation(vendor, msgtype)
        }
        (Format::Presentation, None) => {
            let message = format!("no message type to read {} with", file.place);
            return Err(Failure::new(FailureKind::Internal, message));
        }
    };
    let opened = match &file.place {
        Place::Standard => FileSource::stdin(format),
        Place::Path(path) => FileSource::open(path, format),
    };
    opened.map_err(|error| file.not_readable(&error))
}

fn open_output(
    file: &File,
    settings: &Settings,
    interrupt: &Latch,
    reporter: &Reporter,
) -> io::Result<nmsg_io::Output> {
    let format = match file.format {
        Format::Nmsg => OutputFormat::Nmsg { zlib: settings.compress },
        Format::Presentation => OutputFormat::Presentation { endline: settings.endline.clone() },
        Format::Json => OutputFormat::Json,
    };
    if let Some(rotation) = &settings.rotation {
        return rotation::open(file, rotation, format, settings, reporter);
    }
    match &file.place {
        // A daemon has no standard output: holding on to that of its parent would keep those waiting
        // who read it.
        Place::Standard if settings.daemon => {
            nmsg_io::Output::create(Path::new("/dev/null"), format, Some(interrupt))
        }
        Place::Standard => nmsg_io::Output::stdout(format),
        Place::Path(path) => nmsg_io::Output::create(path, format, Some(interrupt)),
    }
}

fn threads(settings: &Settings) -> usize {
    let one_per_processor = || std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    settings.threads.map_or_else(one_per_processor, NonZeroUsize::get)
}

fn labels(set: &Labels) -> nmsg::Labels {
    let number = |number: Option<NonZeroU32>| number.map_or(0, NonZeroU32::get);
    nmsg::Labels {
        source: number(set.source),
        operator: number(set.operator.as_ref().map(|label| label.number)),
        group: number(set.group.as_ref().map(|label| label.number)),
    }
}

/// Makes the chain of each input; the seed differs from run to run.
fn filter_chain(filters: &Filters) -> impl Fn(u64) -> FilterChain + 'static {
    let seed = RandomState::new().hash_one(0);
    let policy = filters.policy.unwrap_or_default();
    let samplings: Vec<_> = filters.chain.iter().map(|link| link.sampling).collect();
    move |input| {
        let mut chain = FilterChain::new(policy);
        for (at, sampling) in samplings.iter().enumerate() {
            chain.push(Box::new(sampling.start(seed.wrapping_add(at as u64), input)));
        }
        chain
    }
}

fn filter(settings: &Settings) -> PayloadFilter {
    let Selection { sources, operators, groups } = &settings.select;
    let numbers = |labels: &[Label]| labels.iter().map(|label| label.number.get()).collect();
    let source = sources.iter().map(|number| number.get()).collect();
    let (operator, group) = (numbers(operators), numbers(groups));
    let msgtype = settings
        .message_type
        .as_ref()
        .map(|msgtype| (nmsg::VendorId(msgtype.vendor), nmsg::MsgType(msgtype.number)));
    PayloadFilter { msgtype, source, operator, group }
}
