use std::fmt;

/// Why a connection to a peer was given up. Nothing a peer sends can do more than that.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum PeerFault {
    /// It does not speak ZMTP, or a version before 3.0 (libzmq before 4.0).
    NotZmtp,
    /// It asks for another security mechanism than NULL.
    Mechanism,
    /// Its socket type does not go with ours.
    SocketType,
    /// It broke the rules of the protocol.
    Protocol,
    /// It refused us with an ERROR command.
    Refused,
    /// It announced a message larger than the limit.
    TooLarge,
    /// It asked for more subscriptions, or more answers, than are granted.
    TooMuch,
    /// It did not finish its handshake in time.
    TooSlow,
}

impl fmt::Display for PeerFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotZmtp => "peer does not speak ZMTP 3",
            Self::Mechanism => "peer asks for another security mechanism than NULL",
            Self::SocketType => "peer has a socket type that does not go with ours",
            Self::Protocol => "peer broke the protocol",
            Self::Refused => "peer refused the connection",
            Self::TooLarge => "peer announced a message larger than the limit",
            Self::TooMuch => "peer asked for more than is granted",
            Self::TooSlow => "peer did not finish its handshake in time",
        })
    }
}

impl std::error::Error for PeerFault {}
