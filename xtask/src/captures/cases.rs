//! What is compared: captures in which nothing is decided otherwise, and captures for each decision
//! with what the C suite has to be given, and its messages to undergo, to come to the same.

mod decided;
mod plain;

use super::file::{Format, PCAP, encode};
use super::messages::Message;
use super::scene::Scene;
use crate::peers::tool::Run;

pub(super) use decided::DECISIONS;
pub(super) use plain::plain;

/// A capture and how it is read.
#[derive(Clone, Default)]
pub(super) struct Input {
    pub(super) file: Vec<u8>,
    pub(super) expression: Option<&'static str>,
    pub(super) variables: Vec<(&'static str, &'static str)>,
}

/// What a program made of an input.
pub(super) struct Made {
    pub(super) run: Run,
    /// `None` when the output is damaged.
    pub(super) messages: Option<Vec<Message>>,
    /// The same as JSON, and in presentation form.
    pub(super) json: Vec<u8>,
    pub(super) text: Vec<u8>,
}

impl Made {
    pub(super) fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.run.stderr).into_owned()
    }

    pub(super) fn all(&self) -> &[Message] {
        self.messages.as_deref().unwrap_or_default()
    }
}

/// What a decision says about what we made of the input and what the C suite made of the twin.
type Check = Box<dyn Fn(&Made, &Made) -> bool>;

/// One comparison.
pub(super) struct Case {
    /// The decision that explains a difference.
    pub(super) decision: Option<&'static str>,
    pub(super) msgtype: &'static str,
    pub(super) input: Input,
    /// Options of our program alone.
    pub(super) more: &'static [&'static str],
    /// What the C suite is given; the input itself when nothing else.
    pub(super) twin: Option<Input>,
    pub(super) check: Check,
}

/// We say the same as the C suite, and both are content.
fn same(ours: &Made, theirs: &Made) -> bool {
    ours.run.status == Some(0)
        && theirs.run.status == Some(0)
        && ours.messages.is_some()
        && ours.messages == theirs.messages
        && ours.json == theirs.json
        && ours.text == theirs.text
}

impl Case {
    fn new(msgtype: &'static str, input: Input) -> Self {
        let check = Box::new(same);
        Self { decision: None, msgtype, input, more: &[], twin: None, check }
    }

    /// A capture about a decision, which the C suite takes as its twin.
    fn of(decision: &'static str, msgtype: &'static str, scene: &Scene) -> Self {
        let input = Input { file: encode(&scene.frames, scene.link, PCAP), ..Input::default() };
        let twin = Input { file: encode(&scene.twin, scene.link, PCAP), ..Input::default() };
        Self { decision: Some(decision), twin: Some(twin), ..Self::new(msgtype, input) }
    }

    fn checked(self, check: impl Fn(&Made, &Made) -> bool + 'static) -> Self {
        Self { check: Box::new(check), ..self }
    }

    fn with_variables(mut self, variables: &[(&'static str, &'static str)]) -> Self {
        self.input.variables = variables.to_vec();
        self
    }

    fn in_format(mut self, scene: &Scene, format: Format) -> Self {
        self.input.file = encode(&scene.frames, scene.link, format);
        self
    }
}
