//! Kafka topics, in builds that have the client.

use super::names::CONFIGURATION_DIRECTORY;
use super::report::Reporter;
use crate::failure::Failure;
use crate::settings::{Format, KafkaTopic, Settings, Way};
use nmsg::Limits;
use nmsg_io::{
    Framing, KafkaFormat, KafkaPieces, KafkaSink, KafkaSource, KafkaVoice, Output, OutputFormat,
};
use nmsg_kafka::{Configuration, Error};
use nmsg_os::Latch;
use std::path::Path;

/// Holds or names the settings of the Kafka client.
const CONFIGURATION_VARIABLE: &str = "NMSG_KAFKA_CONFIG";
/// The file that holds them when the variable is not set.
const CONFIGURATION_FILE: &str = "nmsg.kafkacfg";
/// Names the level of detail from which on the client's own log is shown.
const LOG_LEVEL_VARIABLE: &str = "NMSG_KAFKA_LOG_LEVEL";
/// That level when the variable is not set.
const DEFAULT_LOG_LEVEL: u32 = 3;

/// Opens a Kafka input.
pub(super) fn read(
    topic: &KafkaTopic,
    interrupt: &Latch,
    reporter: &Reporter,
) -> Result<KafkaSource, Failure> {
    let format = match topic.format {
        Format::Json => KafkaFormat::Json,
        Format::Nmsg | Format::Presentation => KafkaFormat::Nmsg,
    };
    let configuration = configuration(topic, Way::In)?;
    let opened = KafkaSource::open(
        &topic.to_string(),
        &topic.address,
        format,
        &configuration,
        &Limits::default(),
        voice(topic, reporter),
        &|| interrupt.is_raised(),
    );
    opened.map_err(|error| refusal(topic, Way::In, &error))
}

/// Opens a Kafka output.
pub(super) fn write(
    topic: &KafkaTopic,
    settings: &Settings,
    reporter: &Reporter,
) -> Result<Output, Failure> {
    let key = settings.kafka_key.as_deref();
    let (format, pieces) = match (topic.format, key) {
        (Format::Json, None) => (OutputFormat::Json, KafkaPieces::Lines),
        (Format::Json, Some(field)) => {
            (OutputFormat::KeyedJson { field: field.to_owned() }, KafkaPieces::KeyedLines)
        }
        (Format::Nmsg | Format::Presentation, _) => {
            (OutputFormat::Nmsg { zlib: settings.compress }, KafkaPieces::Containers)
        }
    };
    let configuration = configuration(topic, Way::Out)?;
    let voice = voice(topic, reporter);
    let opened =
        KafkaSink::open(&topic.address, pieces, key.unwrap_or_default(), &configuration, voice);
    let sink = opened.map_err(|error| refusal(topic, Way::Out, &error))?;
    let output = Output::new(topic.to_string(), format, Box::new(sink));
    Ok(output.framing(Framing { fragmenting: !settings.whole_records, ..Framing::KAFKA }))
}

fn configuration(topic: &KafkaTopic, way: Way) -> Result<Configuration, Failure> {
    let variable = std::env::var_os(CONFIGURATION_VARIABLE);
    let variable = variable.as_ref().map(|value| value.to_string_lossy());
    let fallback = Path::new(CONFIGURATION_DIRECTORY).join(CONFIGURATION_FILE);
    Configuration::find(variable.as_deref(), &fallback)
        .map_err(|error| topic.not_opened(way, Some(format!("_kafka_process_config: {error}"))))
}

fn voice(topic: &KafkaTopic, reporter: &Reporter) -> KafkaVoice {
    let level = match std::env::var(LOG_LEVEL_VARIABLE) {
        Err(_) => DEFAULT_LOG_LEVEL,
        Ok(text) => text.trim().parse::<i64>().map_or_else(
            |_| {
                let text = text.escape_debug();
                reporter.line(1, format_args!("warning: {LOG_LEVEL_VARIABLE}={text} taken for 1"));
                1
            },
            |level| u32::try_from(level.max(1)).unwrap_or(u32::MAX),
        ),
    };
    KafkaVoice { voice: reporter.voice(&topic.to_string()), with_log: reporter.shows(level) }
}

/// What the client does not take is a mistake of whoever configured it; the rest is up to the broker.
#[cold]
fn refusal(topic: &KafkaTopic, way: Way, error: &Error) -> Failure {
    let failure = match error {
        Error::Setting { .. } => {
            topic.not_opened(way, Some(format!("_kafka_config_set_option: {error}")))
        }
        Error::NoPartitions { .. } | Error::Interrupted => topic.not_readable(&error.to_string()),
        Error::Client(text) => topic.not_opened(way, Some(text.clone())),
    };
    match missing_feature(&error.to_string()) {
        Some((what, feature)) => failure.with_hint(format!(
            "this program was built without {what} for Kafka: build it with \
             `cargo build --release -p nmsgtool --features {feature}` (docs/kafka.md)"
        )),
        None => failure,
    }
}

/// What the client lacks according to its own words, and the feature that brings it.
fn missing_feature(reason: &str) -> Option<(&'static str, &'static str)> {
    let has = |words: &str| reason.contains(words);
    if has("libzstd not available at build time") {
        Some(("Zstandard", "kafka-zstd"))
    } else if has("No provider for SASL mechanism GSSAPI") || has("libsasl2 not available") {
        Some(("Kerberos", "kafka-sasl"))
    } else if has("No provider for SASL mechanism") || has("OpenSSL not available at build time") {
        Some(("TLS and SASL", "kafka-ssl"))
    } else {
        None
    }
}
