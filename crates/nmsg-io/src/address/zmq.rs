/// Which side of a ZeroMQ connection waits for the other.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum ZmqDirection {
    /// Waits for connections (`accept`).
    Accept,
    /// Makes them (`connect`).
    Connect,
}

/// How ZeroMQ spreads messages.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum ZmqPattern {
    /// Every reader gets every message it is there for (`pubsub`).
    PubSub,
    /// Every message goes to one reader (`pushpull`).
    PushPull,
}

/// A ZeroMQ endpoint with its suffixes: `TRANSPORT://ADDRESS[,accept|,connect][,pubsub|,pushpull]`
/// (`nmsgtool-cli` §5.3).
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct ZmqEndpoint {
    /// Transport and address, as they were written.
    pub address: String,
    /// Direction; `None` when the default of the option holds: inputs accept, outputs connect.
    pub direction: Option<ZmqDirection>,
    /// Pattern, publishing and subscribing unless something else is asked for.
    pub pattern: ZmqPattern,
    /// Words that mean nothing, to be told about.
    pub ignored: Vec<String>,
}

/// What is wrong with the text of a [`ZmqEndpoint`].
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum ZmqEndpointError {
    /// Nothing in front of the first comma.
    NoAddress,
    /// Two words about the direction.
    RepeatedDirection,
    /// Two words about the pattern.
    RepeatedPattern,
}

impl ZmqEndpoint {
    /// Parses an endpoint; the address itself is not looked at (`decisions` ZM-5).
    ///
    /// # Errors
    ///
    /// Without an address, and when a word of one class is followed by another of it.
    pub fn parse(text: &str) -> Result<Self, ZmqEndpointError> {
        let mut words = text.split(',');
        let address = words.next().unwrap_or_default().to_owned();
        if address.is_empty() {
            return Err(ZmqEndpointError::NoAddress);
        }
        let (mut direction, mut pattern, mut ignored) = (None, None, Vec::new());
        for word in words {
            let is = |known: &str| word.eq_ignore_ascii_case(known);
            if is("accept") || is("connect") {
                let given = if is("accept") { ZmqDirection::Accept } else { ZmqDirection::Connect };
                if direction.replace(given).is_some() {
                    return Err(ZmqEndpointError::RepeatedDirection);
                }
            } else if is("pubsub") || is("pushpull") {
                let given = if is("pubsub") { ZmqPattern::PubSub } else { ZmqPattern::PushPull };
                if pattern.replace(given).is_some() {
                    return Err(ZmqEndpointError::RepeatedPattern);
                }
            } else if !word.is_empty() {
                ignored.push(word.to_owned());
            }
        }
        let pattern = pattern.unwrap_or(ZmqPattern::PubSub);
        Ok(Self { address, direction, pattern, ignored })
    }
}

#[cfg(test)]
mod tests {
    use super::ZmqDirection::{Accept, Connect};
    use super::ZmqEndpointError::{NoAddress, RepeatedDirection, RepeatedPattern};
    use super::ZmqPattern::{PubSub, PushPull};
    use super::*;

    #[test]
    fn zm_5_suffixes() {
        for (text, want) in [
            ("tcp://h:5", Ok((None, PubSub, 0))),
            ("tcp://h:5,", Ok((None, PubSub, 0))),
            ("tcp://h:5,accept", Ok((Some(Accept), PubSub, 0))),
            ("tcp://h:5,CONNECT,PushPull", Ok((Some(Connect), PushPull, 0))),
            ("tcp://h:5,pubsub,connect", Ok((Some(Connect), PubSub, 0))),
            ("tcp://h:5,bogus,,accept,more", Ok((Some(Accept), PubSub, 2))),
            ("tcp://h:5,accept,accept", Err(RepeatedDirection)),
            ("tcp://h:5,accept,connect", Err(RepeatedDirection)),
            ("tcp://h:5,pubsub,pushpull", Err(RepeatedPattern)),
            ("", Err(NoAddress)),
            (",accept", Err(NoAddress)),
        ] {
            let have = ZmqEndpoint::parse(text);
            let have = have.map(|end| {
                assert_eq!(end.address, "tcp://h:5", "{text}");
                (end.direction, end.pattern, end.ignored.len())
            });
            assert_eq!(have, want, "{text}");
        }
        let odd = ZmqEndpoint::parse("inproc://x,Bogus").unwrap();
        assert_eq!((odd.address.as_str(), odd.ignored), ("inproc://x", vec!["Bogus".to_owned()]));
    }
}
