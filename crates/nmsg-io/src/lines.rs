//! What readers of text have in common.

use memchr::memchr;
use nmsg::{LabelKey, Notices, Timestamp};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::batch::Batch;
use crate::fault::{Fault, Problem};

/// Visits each line, with its number and its newline.
#[inline]
pub(crate) fn each_line(octets: &[u8], first: u64, mut visit: impl FnMut(u64, &[u8])) {
    let (mut rest, mut number) = (octets, first);
    while !rest.is_empty() {
        let len = memchr(b'\n', rest).map_or(rest.len(), |newline| newline + 1);
        let (line, behind) = rest.split_at(len);
        visit(number, line);
        (rest, number) = (behind, number + 1);
    }
}

/// The time of records that have none.
pub(crate) fn now() -> Timestamp {
    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => Timestamp { sec: since.as_secs() as i64, nsec: since.subsec_nanos() },
        Err(_) => Timestamp::default(),
    }
}

/// A line longer than the limit.
#[cold]
pub(crate) fn too_long(line: u64, longest: usize) -> Fault {
    let reason = format!("longer than {longest} bytes");
    Fault::UnusableLine { line, reason, text: None }
}

/// What a reader left out of records so far, as far as it was told.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct LeftOut {
    names: u64,
    response_texts: u64,
}

impl LeftOut {
    /// Adds what is new to the problems of the batch.
    #[inline]
    pub(crate) fn tell(&mut self, notices: &mut Notices, line: u64, batch: &mut Batch) {
        let now = Self { names: notices.unknown_names(), response_texts: notices.response_texts() };
        if now != *self {
            now.tell_since(std::mem::replace(self, now), notices, line, batch);
        }
    }

    #[cold]
    fn tell_since(self, before: Self, notices: &mut Notices, line: u64, batch: &mut Batch) {
        let position = batch.len();
        let mut left_out = |what: String| {
            let fault = Fault::LeftOut { line, what };
            batch.problems.push(Problem { position, fault });
        };
        let fresh = notices.take_unknown_names();
        let said_before = (self.names - before.names).saturating_sub(fresh.len() as u64);
        for (label, name) in fresh {
            let label = match label {
                LabelKey::Operator => "operator",
                LabelKey::Group => "group",
            };
            left_out(format!("{label} {} has no number and was left out", name.escape_ascii()));
        }
        for _ in 0..said_before {
            left_out(String::new());
        }
        for _ in before.response_texts..self.response_texts {
            left_out("the text of a response cannot be read back and was left out".to_owned());
        }
    }
}
