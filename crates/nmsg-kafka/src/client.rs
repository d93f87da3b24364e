//! What consumers and producers have in common.

use rdkafka::ClientConfig;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use std::collections::HashSet;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use crate::address::Address;
use crate::configuration::Configuration;
use crate::remark::{Listener, Remark};

/// A signal that nobody uses, for ending the library's threads quickly: SIGIO.
const TERMINATION_SIGNAL: &str = "29";

/// Settings of the library that are its own and not the client's.
const LOG_LEVEL: &str = "log_level";

/// The settings that every client has, before and after those of the user.
pub(crate) fn settings(
    address: &Address,
    first: &[(&str, &str)],
    configuration: &Configuration,
    last: &[(&str, &str)],
) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set_log_level(RDKafkaLogLevel::Info);
    config.set("bootstrap.servers", &address.broker);
    config.set("broker.address.family", address.address_family());
    config.set("internal.termination.signal", TERMINATION_SIGNAL);
    let user = configuration.settings(&address.broker);
    for (key, value) in first.iter().copied().chain(user).chain(last.iter().copied()) {
        match (key, log_level(value)) {
            (LOG_LEVEL, Some(level)) => config.set_log_level(level),
            _ => config.set(key, value),
        };
    }
    config
}

fn log_level(text: &str) -> Option<RDKafkaLogLevel> {
    Some(match text {
        "0" => RDKafkaLogLevel::Emerg,
        "1" => RDKafkaLogLevel::Alert,
        "2" => RDKafkaLogLevel::Critical,
        "3" => RDKafkaLogLevel::Error,
        "4" => RDKafkaLogLevel::Warning,
        "5" => RDKafkaLogLevel::Notice,
        "6" => RDKafkaLogLevel::Info,
        "7" => RDKafkaLogLevel::Debug,
        _ => return None,
    })
}

/// Passes on what the library says, troubles of each kind once.
pub(crate) struct Ears {
    listener: Listener,
    heard: Mutex<HashSet<i32>>,
}

impl Ears {
    pub(crate) fn new(listener: Listener) -> Self {
        Self { listener, heard: Mutex::new(HashSet::new()) }
    }

    /// Something of this kind does not work.
    pub(crate) fn trouble(&self, kind: i32, text: impl FnOnce() -> String) {
        let is_new = self.heard.lock().unwrap_or_else(PoisonError::into_inner).insert(kind);
        if is_new {
            (self.listener)(Remark::Trouble(text()));
        }
    }
}

impl ClientContext for Ears {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, text: &str) {
        (self.listener)(Remark::Log(format!("{}: {facility} - {text}", level as i32)));
    }

    fn error(&self, error: KafkaError, reason: &str) {
        // The end of a partition is nothing unusual.
        let code = match error.rdkafka_error_code() {
            Some(RDKafkaErrorCode::PartitionEOF) => return,
            code => code.map_or(0, |code| code as i32),
        };
        self.trouble(code, || format!("Kafka error {code}: {reason}"));
    }
}

impl fmt::Debug for Ears {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ears")
    }
}
