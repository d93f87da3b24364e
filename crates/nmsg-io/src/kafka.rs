//! What Kafka inputs and outputs have in common.

use nmsg_kafka::{Listener, Remark};
use std::sync::Arc;

use crate::Voice;

/// What the records of a topic are.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum KafkaFormat {
    /// Each is one container, or a fragment of one.
    Nmsg,
    /// Each is one JSON document.
    Json,
}

/// Who is told what the Kafka client has to say.
#[derive(Clone, Debug)]
pub struct KafkaVoice {
    /// Speaks for the input or output.
    pub voice: Voice,
    /// Whether the client's own log is passed on, whole; else only troubles are.
    pub with_log: bool,
}

pub(crate) fn listener(KafkaVoice { voice, with_log }: KafkaVoice) -> Listener {
    Arc::new(move |remark| match remark {
        Remark::Trouble(text) => voice.say(text),
        Remark::Log(text) if with_log => voice.say(text),
        Remark::Log(_) => {}
    })
}
