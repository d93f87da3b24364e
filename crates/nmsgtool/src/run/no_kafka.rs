//! Kafka topics, in builds without the client: the options do not exist, so nobody comes here.

use super::report::Reporter;
use crate::failure::{Failure, FailureKind};
use crate::settings::{KafkaTopic, Settings};
use nmsg_io::{Output, ZmqSource};
use nmsg_os::Latch;

pub(super) fn read(
    topic: &KafkaTopic,
    _interrupt: &Latch,
    _reporter: &Reporter,
) -> Result<ZmqSource, Failure> {
    Err(missing(topic))
}

pub(super) fn write(
    topic: &KafkaTopic,
    _settings: &Settings,
    _reporter: &Reporter,
) -> Result<Output, Failure> {
    Err(missing(topic))
}

#[cold]
fn missing(topic: &KafkaTopic) -> Failure {
    let message = format!("unable to open {topic}: this program was built without Kafka");
    Failure::new(FailureKind::SetUp, message)
}
