/// What a socket does with messages.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum SocketType {
    /// Sends every message to every peer that subscribed to it; nobody is waited for.
    Pub,
    /// Receives what it subscribed to.
    Sub,
    /// Sends every message to one peer, in turn; waits for one that takes it.
    Push,
    /// Receives from all peers.
    Pull,
}

impl SocketType {
    /// The name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pub => "PUB",
            Self::Sub => "SUB",
            Self::Push => "PUSH",
            Self::Pull => "PULL",
        }
    }

    /// True for those that receive messages.
    #[must_use]
    pub const fn receives(self) -> bool {
        matches!(self, Self::Sub | Self::Pull)
    }

    /// True when a peer that calls itself so may be connected with.
    pub(crate) fn goes_with(self, peer: &[u8]) -> bool {
        match self {
            Self::Pub => matches!(peer, b"SUB" | b"XSUB"),
            Self::Sub => matches!(peer, b"PUB" | b"XPUB"),
            Self::Push => peer == b"PULL",
            Self::Pull => peer == b"PUSH",
        }
    }
}
