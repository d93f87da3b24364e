//! Kafka topics as the command line names them.

use super::endpoint::{Endpoint, Format, Input, Opened, Output, Way};
use super::labels::{MessageType, Names};
use crate::failure::{Failure, FailureKind};
use crate::flags::FlagId;
use crate::grammar::Given;
use crate::spell::printable;
use nmsg_kafka::Address;
use std::ffi::{OsStr, OsString};
use std::fmt;

/// A Kafka topic that messages are read from or written to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct KafkaTopic {
    /// How messages stand in its records: containers or JSON.
    pub format: Format,
    /// Topic, partition or group, broker, and where reading starts.
    pub address: Address,
    /// The text as it was given, without the protocol.
    given: String,
}

/// Prints the topic as it was given, safe for a terminal.
impl fmt::Display for KafkaTopic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&printable(OsStr::new(&self.given)))
    }
}

impl KafkaTopic {
    /// Returns what level 2 calls it.
    pub(super) const fn words(&self) -> &'static str {
        match self.format {
            Format::Json => "Kafka json",
            Format::Nmsg | Format::Presentation => "Kafka",
        }
    }

    /// Returns the failure of a topic that cannot be opened; `line` says why in the C tool's words.
    #[cold]
    pub fn not_opened(&self, way: Way, line: Option<String>) -> Failure {
        not_opened(self.format, way).with_line_above(line)
    }

    /// Returns the failure of a topic that cannot be read because of what is there or not.
    #[cold]
    pub fn not_readable(&self, why: &str) -> Failure {
        let message = format!("unable to read {self}: {why}");
        Failure::new(FailureKind::Input, message)
    }
}

/// The failure of an endpoint that cannot be opened, as the C tool's function is called.
#[cold]
fn not_opened(format: Format, way: Way) -> Failure {
    let way = match way {
        Way::In => "input",
        Way::Out => "output",
    };
    let what = if format == Format::Json { "json" } else { "endpoint" };
    Failure::new(FailureKind::SetUp, format!("nmsg_{way}_open_kafka_{what}() failed"))
}

/// Adds the topic of one `--readkafka` or `--writekafka`.
pub(super) fn add(way: Way, value: OsString, opened: &mut Opened) -> Result<(), Failure> {
    let text = value.to_string_lossy();
    let (format, given) = match text.split_once(':') {
        Some(("nmsg", given)) => (Format::Nmsg, given),
        Some(("json", given)) => (Format::Json, given),
        _ => {
            let message = "Error: nmsg or json protocol must be set for Kafka topic";
            return Err(Failure::new(FailureKind::SetUp, message)
                .with_hint("for example nmsg:TOPIC@BROKER or json:TOPIC@BROKER"));
        }
    };
    let address = Address::parse(given).map_err(|error| {
        not_opened(format, way).with_line_above(Some(format!("_kafka_addr_init: {error}")))
    })?;
    let topic = KafkaTopic { format, address, given: given.to_owned() };
    opened.endpoints.push(match way {
        Way::In => Endpoint::Input(Input::Kafka(topic)),
        Way::Out => Endpoint::Output(Output::Kafka(topic)),
    });
    Ok(())
}

/// Takes `--kafkakey` or what stands for it, and looks whether there can be such keys
/// (`decisions` KA-5).
pub(super) fn take_key(
    given: &mut Given,
    was_given: bool,
    message_type: Option<&MessageType>,
    names: &dyn Names,
    opened: &mut Opened,
) -> Result<Option<String>, Failure> {
    let Some(field) = given.take_value(FlagId::KafkaKey) else { return Ok(None) };
    let field = field.to_string_lossy().into_owned();
    let writes_json = opened.endpoints.iter().any(|endpoint| {
        matches!(endpoint, Endpoint::Output(Output::Kafka(topic)) if topic.format == Format::Json)
    });
    if !writes_json {
        // The variable that stands for the option may have been set for other runs.
        if was_given {
            let what = "there is no JSON output to Kafka (--writekafka json:)";
            opened.warnings.push(format!("--kafkakey has no effect: {what}"));
        }
        return Ok(None);
    }
    if names.has_field(message_type, &field) {
        return Ok(Some(field));
    }
    let shown = printable(OsStr::new(&field));
    match message_type {
        Some(MessageType { vendor_name, name, .. }) => {
            let message =
                format!("--kafkakey: message type {vendor_name} {name} has no field {shown}");
            Err(Failure::usage(message))
        }
        None => {
            opened.warnings.push(format!("--kafkakey: no message type has a field {shown}"));
            Ok(Some(field))
        }
    }
}
