use std::borrow::Cow;
use std::fmt;

use crate::Payload;

/// What a filter says of one payload.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Verdict {
    /// The payload goes on; no further filter is asked.
    Accept,
    /// The payload ends here; no further filter is asked.
    Drop,
    /// The next filter decides.
    Declined,
}

/// What happens to a payload that every filter declined.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum Policy {
    /// It goes on.
    #[default]
    Accept,
    /// It ends here.
    Drop,
}

impl Policy {
    /// Reads `ACCEPT` or `DROP`, whatever the letter case (`nmsgtool-cli` §6.6).
    #[must_use]
    pub fn parse(word: &[u8]) -> Option<Self> {
        if word.eq_ignore_ascii_case(b"ACCEPT") {
            Some(Self::Accept)
        } else if word.eq_ignore_ascii_case(b"DROP") {
            Some(Self::Drop)
        } else {
            None
        }
    }
}

/// A payload on its way through a chain: as it was read, or as a filter replaced it.
#[derive(Clone, Debug)]
pub struct Candidate<'a> {
    /// Everything but the body.
    header: Payload<'static>,
    body: Option<Cow<'a, [u8]>>,
    replaced: bool,
}

impl<'a> Candidate<'a> {
    /// A payload as it was read.
    #[must_use]
    #[inline]
    pub fn new(payload: Payload<'a>) -> Self {
        let mut candidate = Self { header: Payload::default(), body: None, replaced: false };
        candidate.set_header(&payload);
        candidate.body = payload.body.map(Cow::Borrowed);
        candidate
    }

    /// The payload as it stands now.
    #[must_use]
    #[inline]
    pub fn payload(&self) -> Payload<'_> {
        Payload { body: self.body.as_deref(), ..self.header }
    }

    /// Puts another payload in its place; the body is copied.
    pub fn replace(&mut self, payload: &Payload<'_>) {
        self.set_header(payload);
        self.body = payload.body.map(|body| Cow::Owned(body.to_vec()));
        self.replaced = true;
    }

    /// What a filter put in its place: everything but the body, and the body; `None` when the
    /// payload is as it was read.
    #[must_use]
    #[inline]
    pub fn into_replacement(self) -> Option<(Payload<'static>, Option<Vec<u8>>)> {
        self.replaced.then(|| (self.header, self.body.map(Cow::into_owned)))
    }

    #[inline]
    fn set_header(&mut self, payload: &Payload<'_>) {
        let Payload { vendor, msgtype, time, source, operator, group, body: _ } = *payload;
        self.header = Payload { vendor, msgtype, time, source, operator, group, body: None };
    }
}

/// A filter that failed. It ends the work on the input whose payload it was, and only that
/// (`container-and-io` §4.5).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct FilterFailed {
    /// Result code that the filter returned, never 0.
    pub result: u32,
}

impl fmt::Display for FilterFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a filter failed with result {}", self.result)
    }
}

impl std::error::Error for FilterFailed {}

/// One link of a chain.
pub trait Filter: Send {
    /// Judges a payload, and may replace it.
    ///
    /// # Errors
    ///
    /// The filter cannot work any more; built-in filters never fail.
    fn filter(&mut self, candidate: &mut Candidate<'_>) -> Result<Verdict, FilterFailed>;
}

/// Filters in the order in which they are asked. Each input has its own chain, because filters
/// may count.
#[derive(Default)]
pub struct FilterChain {
    filters: Vec<Box<dyn Filter>>,
    policy: Policy,
}

impl FilterChain {
    /// A chain without filters.
    #[must_use]
    pub fn new(policy: Policy) -> Self {
        Self { filters: Vec::new(), policy }
    }

    /// Adds a filter behind those that are there.
    pub fn push(&mut self, filter: Box<dyn Filter>) {
        self.filters.push(filter);
    }

    /// True when there is no filter, so that only the policy speaks.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.filters.is_empty()
    }

    /// Asks the filters in order and tells whether the payload goes on.
    ///
    /// # Errors
    ///
    /// The first filter asked that fails.
    #[inline]
    pub fn accepts(&mut self, candidate: &mut Candidate<'_>) -> Result<bool, FilterFailed> {
        for filter in &mut self.filters {
            match filter.filter(candidate)? {
                Verdict::Accept => return Ok(true),
                Verdict::Drop => return Ok(false),
                Verdict::Declined => {}
            }
        }
        Ok(self.policy == Policy::Accept)
    }
}

impl fmt::Debug for FilterChain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FilterChain")
            .field("filters", &self.filters.len())
            .field("policy", &self.policy)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;
    use crate::{MsgType, VendorId};

    /// Says its number, then gives its verdict.
    struct Fixed(u32, Result<Verdict, FilterFailed>, mpsc::Sender<u32>);

    impl Filter for Fixed {
        fn filter(&mut self, _: &mut Candidate<'_>) -> Result<Verdict, FilterFailed> {
            self.2.send(self.0).unwrap();
            self.1
        }
    }

    #[test]
    fn mo_4_verdicts_end_the_chain_or_pass_on() {
        use Verdict::{Accept, Declined, Drop};
        let broken = Err(FilterFailed { result: 3 });
        for (name, verdicts, policy, want, asked) in [
            ("empty accepts", vec![], Policy::Accept, Ok(true), 0),
            ("empty drops", vec![], Policy::Drop, Ok(false), 0),
            ("all decline", vec![Ok(Declined), Ok(Declined)], Policy::Accept, Ok(true), 2),
            ("all decline, drop", vec![Ok(Declined), Ok(Declined)], Policy::Drop, Ok(false), 2),
            ("accept ends", vec![Ok(Declined), Ok(Accept), Ok(Drop)], Policy::Drop, Ok(true), 2),
            ("drop ends", vec![Ok(Drop), Ok(Accept)], Policy::Accept, Ok(false), 1),
            ("failure ends", vec![broken, Ok(Accept)], Policy::Accept, Err(3), 1),
        ] {
            let (sender, receiver) = mpsc::channel();
            let mut chain = FilterChain::new(policy);
            assert!(chain.is_empty());
            for (i, verdict) in verdicts.into_iter().enumerate() {
                chain.push(Box::new(Fixed(i as u32, verdict, sender.clone())));
                assert!(!chain.is_empty());
            }
            let mut candidate = Candidate::new(Payload::default());
            let got = chain.accepts(&mut candidate).map_err(|failed| failed.result);
            assert_eq!(got, want, "{name}");
            let order: Vec<u32> = receiver.try_iter().collect();
            assert_eq!(order, (0..asked).collect::<Vec<u32>>(), "{name}");
        }
    }

    /// Appends its octet to the body and counts the type up.
    struct Append(u8);

    impl Filter for Append {
        fn filter(&mut self, candidate: &mut Candidate<'_>) -> Result<Verdict, FilterFailed> {
            let payload = candidate.payload();
            let body = [payload.body.unwrap(), &[self.0]].concat();
            let msgtype = MsgType(payload.msgtype.0 + 1);
            let replaced = Payload { msgtype, body: Some(&body), ..payload };
            // The replacement must not live in the candidate while it is replaced.
            let (vendor, time) = (replaced.vendor, replaced.time);
            candidate.replace(&Payload {
                vendor,
                time,
                msgtype,
                body: Some(&body),
                ..Payload::default()
            });
            Ok(Verdict::Declined)
        }
    }

    #[test]
    fn later_filters_see_what_earlier_ones_replaced() {
        let mut chain = FilterChain::new(Policy::Accept);
        chain.push(Box::new(Append(b'b')));
        chain.push(Box::new(Append(b'c')));
        let read = Payload {
            vendor: VendorId(1),
            msgtype: MsgType(6),
            operator: Some(9),
            body: Some(b"a"),
            ..Payload::default()
        };
        let mut candidate = Candidate::new(read);
        assert_eq!(candidate.payload(), read);
        assert_eq!(chain.accepts(&mut candidate), Ok(true));
        let want = Payload { msgtype: MsgType(8), operator: None, body: Some(b"abc"), ..read };
        assert_eq!(candidate.payload(), want);
        let replacement = candidate.clone().into_replacement();
        assert_eq!(replacement, Some((Payload { body: None, ..want }, Some(b"abc".to_vec()))));
        assert_eq!(Candidate::new(read).into_replacement(), None);
        candidate.replace(&Payload { body: None, ..read });
        assert_eq!(candidate.payload().body, None);
    }

    #[test]
    fn mo_4_policy_words_have_no_case() {
        for (word, want) in [
            ("ACCEPT", Some(Policy::Accept)),
            ("accept", Some(Policy::Accept)),
            ("Drop", Some(Policy::Drop)),
            ("xyz", None),
            ("", None),
            ("DROP ", None),
        ] {
            assert_eq!(Policy::parse(word.as_bytes()), want, "{word}");
        }
    }
}
