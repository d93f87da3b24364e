use rdkafka::error::KafkaError;
use std::fmt;

/// Why a client cannot be opened or is of no use any more.
#[derive(Debug)]
pub enum Error {
    /// A setting that the client library does not take.
    Setting {
        /// Its name.
        key: String,
        /// Its value.
        value: String,
        /// The library's number and reason.
        reason: String,
    },
    /// The topic has no partitions, or nobody could be asked.
    NoPartitions {
        /// Its name.
        topic: String,
        /// What the last attempt came to.
        reason: String,
    },
    /// The wait for the broker was ended.
    Interrupted,
    /// Anything else, in the library's words.
    Client(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Setting { key, value, reason } => {
                write!(f, "failed to set Kafka option {key} = {value} ({reason})")
            }
            Self::NoPartitions { topic, reason } => {
                write!(f, "no partitions of topic {topic} found: {reason}")
            }
            Self::Interrupted => f.write_str("interrupted"),
            Self::Client(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for Error {}

impl From<KafkaError> for Error {
    #[cold]
    fn from(error: KafkaError) -> Self {
        match error {
            KafkaError::ClientConfig(result, reason, key, value) => {
                let reason = format!("err {}: {reason}", result as i32);
                Self::Setting { key, value, reason }
            }
            error => Self::Client(match error.rdkafka_error_code() {
                Some(code) => format!("Kafka error {}: {code}", code as i32),
                None => error.to_string(),
            }),
        }
    }
}
