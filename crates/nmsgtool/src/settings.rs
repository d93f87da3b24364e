//! What a command line means once everything in it has been checked.

mod capture;
mod endpoint;
mod filter;
mod kafka;
mod labels;
mod modules;
mod same_file;
mod socket;
mod statistics;
mod zmq;

pub use capture::InterfaceInput;
pub use endpoint::{Endpoint, File, Format, Input, Output, Place, Way};
pub use filter::{ChainedFilter, Condition, Filters};
pub use kafka::KafkaTopic;
pub use labels::{ChannelFile, Label, Labels, MessageType, Names, Selection};
pub use socket::SocketOutput;
pub use statistics::Statistics;
pub use zmq::ZmqSocket;

use crate::endline;
use crate::failure::{Failure, FailureKind};
use crate::flags::{FlagId, FlagSet, spelling};
use crate::grammar::Given;
use crate::number;
use crate::spell::printable;
use capture::CaptureOptions;
use endpoint::Opened;
use nmsg_io::CaptureSettings;
use std::ffi::{OsStr, OsString};
use std::net::SocketAddr;
use std::num::{NonZeroU64, NonZeroUsize};
use std::path::PathBuf;

/// What becomes of the run when an input is damaged.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum OnDamage {
    /// Report it, go on with the next intact piece, and exit with 3.
    #[default]
    Report,
    /// Report it and go on; the exit status does not show it (`--keep-going`).
    KeepGoing,
    /// End the run at the first damage, skipped line or undecodable payload (`--strict`).
    Stop,
}

/// How messages on standard error look (`--log-format`).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum LogFormat {
    /// Lines.
    #[default]
    Text,
    /// JSON objects, one to a line.
    Json,
}

impl LogFormat {
    /// Looks at what was given without taking it.
    ///
    /// # Errors
    ///
    /// A usage failure for a format that there is not.
    pub fn of(given: &Given) -> Result<Self, Failure> {
        match given.value(FlagId::LogFormat).map(OsStr::to_str) {
            None | Some(Some("text")) => Ok(Self::Text),
            Some(Some("json")) => Ok(Self::Json),
            Some(_) => {
                let shown = given.value(FlagId::LogFormat).map(printable).unwrap_or_default();
                let message =
                    format!("argument to --log-format must be text or json, not '{shown}'");
                Err(Failure::usage(message))
            }
        }
    }
}

/// How file outputs start anew (`-k`).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Rotation {
    /// What is run on each finished file; `None` when files are only finished and named.
    pub command: Option<OsString>,
    /// Whether files to which nothing was written are left out.
    pub skip_empty: bool,
    /// Octets from which on a file is finished (`--rotate-size`).
    pub size_limit: Option<NonZeroU64>,
}

/// A command line that holds together: every name resolved, every number in
/// range, every combination checked. Nothing has been opened yet.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Level of detail on standard error, at least 1 (`-d`).
    pub debug: u32,
    /// How messages on standard error look (`--log-format`).
    pub log_format: LogFormat,
    /// Inputs and outputs in the order they are opened; at least one of each.
    ///
    /// The order of the outputs among each other is also the order in which
    /// messages are dealt out to them.
    pub endpoints: Vec<Endpoint>,
    /// Whether every message goes to every output instead of to one in turn.
    pub mirror: bool,
    /// Messages per output after which the run ends (`-c`).
    pub count: Option<NonZeroU64>,
    /// Bytes of container data per second read from each container file (`-B`).
    pub byte_rate: Option<NonZeroU64>,
    /// Line ending inside presentation records, decoded (`-e`).
    pub endline: Vec<u8>,
    /// Whether containers are compressed (`-z`).
    pub compress: bool,
    /// Whether every message is written at once.
    pub unbuffered: bool,
    /// Size of containers for UDP outputs in octets, before what fits into a datagram is known (`-m`).
    pub mtu: usize,
    /// Seconds that messages may wait in an output (`--flush-interval`).
    pub flush_interval: Option<NonZeroU64>,
    /// Seconds between ends of intervals (`-t`).
    pub interval: Option<NonZeroU64>,
    /// Whether intervals have a random phase (`-R`).
    pub randomize: bool,
    /// Whether limits start file outputs anew instead of ending the run (`-k`).
    pub rotation: Option<Rotation>,
    /// Whether the process goes on in the background (`-D`).
    pub daemon: bool,
    /// File for the process id (`-P`).
    pub pid_file: Option<PathBuf>,
    /// User to become (`-U`).
    pub user: Option<String>,
    /// Message field that keys of Kafka records are made of (`--kafkakey`).
    pub kafka_key: Option<String>,
    /// Whether containers are Kafka records of whatever size they have (`--whole-records`).
    pub whole_records: bool,
    /// Networks that datagrams to multicast groups may cross (`--ttl`).
    pub ttl: Option<u8>,
    /// Type of messages that do not name theirs, and the only type that passes
    /// from those that do (`-V`, `-T`); present where an input needs it.
    pub message_type: Option<MessageType>,
    /// Messages with other labels than these are left out (`--get…`).
    pub select: Selection,
    /// What must hold for messages that are selected (`--where`).
    pub condition: Option<Condition>,
    /// Filters that the messages go through that are left (`-F`, `--policy`).
    pub filters: Filters,
    /// Reports about the run (`-M`).
    pub statistics: Vec<Statistics>,
    /// Labels every message gets on its way out (`--set…`).
    pub set: Labels,
    /// What captured packets become; present where an input needs it (`-T`, `-b`, `DNSQR_…`).
    pub capture: Option<CaptureSettings>,
    /// What becomes of the run when an input is damaged.
    pub on_damage: OnDamage,
    /// Whether the ledger is printed when the run ends.
    pub stats: bool,
    /// Where live counters are shown (`--metrics`).
    pub metrics: Option<SocketAddr>,
    /// How many threads decode and render; `None` for one per processor.
    pub threads: Option<NonZeroUsize>,
    /// Channels that were looked up (`-C`).
    pub channels: Vec<String>,
    /// ZeroMQ channels that were looked up (`-Z`).
    pub zmq_channels: Vec<String>,
    /// Options that were given but have nothing to apply to, and other things
    /// that are passed over, one line each, without the program's name.
    pub warnings: Vec<String>,
}

/// What the meaning of a command line depends on besides its words.
#[derive(Clone, Copy)]
pub struct Surroundings<'a> {
    /// The options of this build.
    pub flags: FlagSet,
    /// Looks up an environment variable.
    pub env: &'a dyn Fn(&str) -> Option<OsString>,
    /// Looks up vendors, message types and aliases.
    pub names: &'a dyn Names,
}

impl Settings {
    /// Checks what was given and gives it meaning.
    ///
    /// Mistakes are found in a fixed order: endline, message type, numbers,
    /// labels, condition, missing type, addresses and channels, captures, filters, missing input,
    /// shared files.
    ///
    /// # Errors
    ///
    /// The first mistake, as a usage failure. Files are looked at to find out
    /// whether two are the same, but not opened: those that are missing are no
    /// mistake here.
    pub fn from_given(mut given: Given, around: Surroundings<'_>) -> Result<Self, Failure> {
        let (given, names) = (&mut given, around.names);
        let bpf_given = given.holds(FlagId::Bpf);
        let key_given = given.holds(FlagId::KafkaKey);
        supply_from_environment(given, around);

        let log_format = LogFormat::of(given)?;
        given.take_list(FlagId::LogFormat);
        let debug = take_debug_level(given)?;
        let endline_given = given.holds(FlagId::Endline);
        let endline = match given.take_value(FlagId::Endline) {
            Some(text) => endline::decode(&text)?,
            None => b"\n".to_vec(),
        };
        let message_type = MessageType::take(given, names)?;
        let count = take_limit(given, FlagId::Count)?;
        let interval = take_limit(given, FlagId::Interval)?;
        let flush_interval = take_limit(given, FlagId::FlushInterval)?;
        let randomize = given.take_switch(FlagId::Randomize);
        let byte_rate = take_limit(given, FlagId::ByteRate)?;
        let threads = take_threads(given)?;
        let set = Labels::take(given, names)?;
        let select = Selection::take(given, names)?;
        let condition = Condition::take(given, names)?;
        let on_damage = take_on_damage(given)?;
        let metrics = take_metrics(given)?;

        let mtu_given = given.holds(FlagId::Mtu);
        let mtu = socket::take_mtu(given)?;
        let ttl = socket::take_ttl(given)?;
        if message_type.is_none() && endpoint::NEED_MESSAGE_TYPE.iter().any(|id| given.holds(*id)) {
            let message = "reading presentation or pcap data requires -V, -T";
            let example = if given.holds(FlagId::ReadPres) { "ipconn" } else { "dnsqr" };
            return Err(Failure::usage(message).with_hint(format!(
                "for example -V base -T {example}; -V may be left out for base"
            )));
        }
        let has_captures = capture::CAPTURES.iter().any(|id| given.holds(*id));
        let capture = CaptureOptions::take(given, bpf_given);
        let mut opened = endpoint::take_all(given, names)?;
        let capture = capture.settle(has_captures, message_type.as_ref(), around, &mut opened)?;
        let kafka_key =
            kafka::take_key(given, key_given, message_type.as_ref(), names, &mut opened)?;
        let Opened { mut endpoints, channels, zmq_channels, mut warnings } = opened;
        warnings.extend(modules::missing_folder(around.env));
        let filters = Filters::take(given, &mut warnings)?;
        let statistics = Statistics::take(given)?;
        if inputs(&endpoints).next().is_none() {
            return Err(Failure::usage("no data sources specified (-h for more help)"));
        }
        if outputs(&endpoints).next().is_none() {
            endpoints.push(Endpoint::Output(Output::standard()));
        }
        let skip_empty = given.take_switch(FlagId::SkipEmpty);
        let size_limit = match given.take_value(FlagId::RotateSize) {
            Some(size) => number::size(FlagId::RotateSize, &size)?,
            None => None,
        };
        let rotation = given.take_value(FlagId::Kicker).map(|command| Rotation {
            command: (!command.is_empty()).then_some(command),
            skip_empty,
            size_limit,
        });
        if rotation.is_none() {
            // Files that are started anew have names of their own.
            same_file::refuse(&endpoints)?;
        }

        let mut settings = Self {
            debug,
            log_format,
            endpoints,
            mirror: given.take_switch(FlagId::Mirror),
            count,
            byte_rate,
            endline,
            compress: given.take_switch(FlagId::ZlibOut),
            unbuffered: given.take_switch(FlagId::Unbuffered),
            mtu,
            flush_interval,
            interval,
            randomize,
            rotation,
            daemon: given.take_switch(FlagId::Daemon),
            pid_file: given.take_value(FlagId::PidFile).map(PathBuf::from),
            user: given
                .take_value(FlagId::UserName)
                .map(|name| name.to_string_lossy().into_owned()),
            kafka_key,
            whole_records: given.take_switch(FlagId::WholeRecords),
            ttl,
            message_type,
            select,
            condition,
            filters,
            statistics,
            set,
            capture,
            on_damage,
            stats: given.take_switch(FlagId::Stats),
            metrics,
            threads,
            channels,
            zmq_channels,
            warnings,
        };
        if let Some(id) = given.rest().next() {
            let message = format!("option {} is accepted but nothing acts on it", spelling(id));
            return Err(Failure::new(FailureKind::Internal, message));
        }
        let rotation_options =
            [(skip_empty, FlagId::SkipEmpty), (size_limit.is_some(), FlagId::RotateSize)];
        settings.warn(endline_given, mtu_given, rotation_options);
        Ok(settings)
    }

    /// Visits the inputs in the order they are opened.
    pub fn inputs(&self) -> impl Iterator<Item = &Input> {
        inputs(&self.endpoints)
    }

    /// Visits the outputs in the order they are opened and dealt to.
    pub fn outputs(&self) -> impl Iterator<Item = &Output> {
        outputs(&self.endpoints)
    }

    /// Returns the lines about types and labels that level 2 prints before the
    /// endpoints' own, without the program's name.
    pub fn set_up_lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if let Some(message_type) = &self.message_type {
            let shown = |name: &str| printable(OsStr::new(name));
            lines.push(format!("input vendor = {}", shown(&message_type.vendor_name)));
            lines.push(format!("input msgtype = {}", shown(&message_type.name)));
        }
        self.set.describe(&mut lines);
        self.select.describe(&mut lines);
        for channel in &self.channels {
            lines.push(format!("looking up channel '{}'", printable(OsStr::new(channel))));
        }
        for channel in &self.zmq_channels {
            lines.push(format!("looking up zchannel '{}'", printable(OsStr::new(channel))));
        }
        lines
    }

    /// Notes the options that apply to nothing on this command line.
    fn warn(&mut self, endline_given: bool, mtu_given: bool, of_rotation: [(bool, FlagId); 2]) {
        let sends = self.outputs().any(|output| matches!(output, Output::Socket(_)));
        let writes = |format| {
            self.outputs()
                .any(|output| matches!(output, Output::File(file) if file.format == format))
        };
        let mut warnings = self.warnings.clone();
        if self.byte_rate.is_some() {
            if self.inputs().any(|input| matches!(input, Input::Socket(_))) {
                warnings.push("-B does not slow down sockets (-l, -C)".to_owned());
            }
            if self.inputs().any(|input| matches!(input, Input::Zmq(_))) {
                warnings.push("-B does not slow down ZeroMQ inputs (-L, -Z)".to_owned());
            }
            if self.inputs().any(|input| matches!(input, Input::Kafka(_))) {
                warnings.push("-B does not slow down Kafka inputs (--readkafka)".to_owned());
            }
            let reads = |format| {
                self.inputs()
                    .any(|input| matches!(input, Input::File(file) if file.format == format))
            };
            for (is_there, id) in [
                (
                    self.inputs().any(|input| matches!(input, Input::Interface(_))),
                    FlagId::ReadInterface,
                ),
                (self.inputs().any(|input| matches!(input, Input::Capture(_))), FlagId::ReadPcap),
            ] {
                if is_there {
                    warnings.push(format!("-B does not slow down {} inputs", spelling(id)));
                }
            }
            for (format, id) in
                [(Format::Presentation, FlagId::ReadPres), (Format::Json, FlagId::ReadJson)]
            {
                if reads(format) {
                    warnings.push(format!("-B does not slow down {} inputs", spelling(id)));
                }
            }
        }
        if endline_given && !writes(Format::Presentation) {
            warnings.push("-e has no effect: there is no presentation output (-o)".to_owned());
        }
        if self.randomize && self.interval.is_none() {
            warnings.push("-R has no effect: there is no interval (-t)".to_owned());
        }
        let has_files = self.outputs().any(|output| matches!(output, Output::File(_)));
        if self.rotation.is_some() && !has_files {
            warnings.push("-k has no effect: there is no file output".to_owned());
        }
        for (given, id) in of_rotation {
            if given && self.rotation.is_none() {
                let name = spelling(id);
                warnings.push(format!("{name} has no effect: there are no new files (-k)"));
            }
        }
        if mtu_given && !sends {
            warnings.push("-m has no effect: there is no UDP output (-s)".to_owned());
        }
        if self.ttl.is_some() && !sends {
            warnings.push("--ttl has no effect: there is no UDP output (-s)".to_owned());
        }
        let writes_containers = self.outputs().any(|output| match output {
            Output::File(file) => file.format == Format::Nmsg,
            Output::Kafka(topic) => topic.format == Format::Nmsg,
            Output::Socket(_) | Output::Zmq(_) => true,
        });
        if self.whole_records
            && !self.outputs().any(
                |output| matches!(output, Output::Kafka(topic) if topic.format == Format::Nmsg),
            )
        {
            let what = "there is no container output to Kafka (--writekafka nmsg:)";
            warnings.push(format!("--whole-records has no effect: {what}"));
        }
        if self.compress && !writes_containers {
            warnings.push("-z has no effect: there is no container output (-w)".to_owned());
        }
        self.warnings = warnings;
    }
}

fn inputs(endpoints: &[Endpoint]) -> impl Iterator<Item = &Input> {
    endpoints.iter().filter_map(|endpoint| match endpoint {
        Endpoint::Input(input) => Some(input),
        Endpoint::Output(_) => None,
    })
}

fn outputs(endpoints: &[Endpoint]) -> impl Iterator<Item = &Output> {
    endpoints.iter().filter_map(|endpoint| match endpoint {
        Endpoint::Output(output) => Some(output),
        Endpoint::Input(_) => None,
    })
}

/// Fills in options that were not given from the variables that stand for them.
fn supply_from_environment(given: &mut Given, around: Surroundings<'_>) {
    for flag in around.flags.iter() {
        if let Some(name) = flag.env
            && !given.holds(flag.id)
            && let Some(value) = (around.env)(name)
        {
            given.supply(flag.id, value);
        }
    }
}

fn take_debug_level(given: &mut Given) -> Result<u32, Failure> {
    let (set, more) = given.take_counter(FlagId::Debug);
    let base = match set {
        Some(value) => number::decimal(FlagId::Debug, &value, i64::MIN..=i64::from(u32::MAX))?,
        None => 0,
    };
    // One mention alone is what holds without any.
    Ok(u32::try_from(base.max(0)).unwrap_or(u32::MAX).saturating_add(more).max(1))
}

fn take_limit(given: &mut Given, id: FlagId) -> Result<Option<NonZeroU64>, Failure> {
    match given.take_value(id) {
        Some(value) => number::limit(id, &value),
        None => Ok(None),
    }
}

/// Most threads that make sense anywhere.
const MOST_THREADS: i64 = 1024;

fn take_threads(given: &mut Given) -> Result<Option<NonZeroUsize>, Failure> {
    let Some(value) = given.take_value(FlagId::Threads) else { return Ok(None) };
    let number = number::decimal(FlagId::Threads, &value, 1..=MOST_THREADS)?;
    Ok(usize::try_from(number).ok().and_then(NonZeroUsize::new))
}

fn take_metrics(given: &mut Given) -> Result<Option<SocketAddr>, Failure> {
    let Some(value) = given.take_value(FlagId::Metrics) else { return Ok(None) };
    let address = value.to_str().and_then(|text| text.parse().ok());
    let refused = || {
        let shown = printable(&value);
        Failure::usage(format!("argument to --metrics must be ADDR:PORT, not '{shown}'"))
            .with_hint("for example 127.0.0.1:9153 or [::1]:9153")
    };
    address.map(Some).ok_or_else(refused)
}

fn take_on_damage(given: &mut Given) -> Result<OnDamage, Failure> {
    let keep_going = given.take_switch(FlagId::KeepGoing);
    match (given.take_switch(FlagId::Strict), keep_going) {
        (true, true) => Err(Failure::usage("--strict and --keep-going exclude each other")),
        (true, false) => Ok(OnDamage::Stop),
        (false, true) => Ok(OnDamage::KeepGoing),
        (false, false) => Ok(OnDamage::Report),
    }
}

#[cfg(test)]
mod tests;
