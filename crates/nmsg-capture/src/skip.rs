//! Where every frame that comes to nothing is counted.

use nmsg::datagram::Malformed;

/// Why a frame came to nothing, or to nothing yet.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
#[repr(u8)]
pub enum Skip {
    /// Captured length differs from the original length: the snapshot length cut the frame.
    Snapped,
    /// Link header incomplete.
    LinkCut,
    /// Link type without decoder, on one of several interfaces of a capture.
    LinkType,
    /// Not an IP packet.
    NotIp,
    /// IP header incomplete.
    HeaderCut,
    /// IP version is not what the link layer announces, or neither 4 nor 6.
    Version,
    /// IPv4 header length or total length impossible.
    HeaderLength,
    /// IPv6 payload length zero or beyond the frame.
    PayloadLength,
    /// IPv6 extension header beyond the payload.
    Extension,
    /// UDP, TCP or ICMP header incomplete.
    TransportCut,
    /// Transport that the message type does not take.
    Transport,
    /// Refused by the capture filter.
    Filtered,
    /// Fragment kept until its datagram is whole.
    FragmentKept,
    /// Exact copy of a fragment that is kept.
    FragmentDuplicate,
    /// Fragment that contradicts others of its datagram, or belongs to such a datagram.
    FragmentInvalid,
    /// No DNS port.
    NotDnsPort,
    /// DNS header or question incomplete.
    NotDns,
    /// ICMP that quotes no DNS packet.
    IcmpWithoutDns,
    /// Query or response that `DNSQR_CAPTURE_QR` does not want.
    Direction,
    /// Query kept until its response comes.
    QueryKept,
    /// Dropped by `DNSQR_CAPTURE_RD`.
    RdFilter,
    /// Dropped by the name lists.
    NameFilter,
    /// Withheld because the resolver's address in it cannot be told from the other one.
    ZeroingUnclear,
}

impl Skip {
    /// Every reason, in the order of their numbers.
    pub const ALL: [Self; 23] = [
        Self::Snapped,
        Self::LinkCut,
        Self::LinkType,
        Self::NotIp,
        Self::HeaderCut,
        Self::Version,
        Self::HeaderLength,
        Self::PayloadLength,
        Self::Extension,
        Self::TransportCut,
        Self::Transport,
        Self::Filtered,
        Self::FragmentKept,
        Self::FragmentDuplicate,
        Self::FragmentInvalid,
        Self::NotDnsPort,
        Self::NotDns,
        Self::IcmpWithoutDns,
        Self::Direction,
        Self::QueryKept,
        Self::RdFilter,
        Self::NameFilter,
        Self::ZeroingUnclear,
    ];

    /// Returns the reason as a short phrase for counters and messages.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Snapped => "cut by the snapshot length",
            Self::LinkCut => "link header cut short",
            Self::LinkType => "unsupported link type",
            Self::NotIp => "not IP",
            Self::HeaderCut => "IP header cut short",
            Self::Version => "wrong IP version",
            Self::HeaderLength => "impossible IPv4 length",
            Self::PayloadLength => "impossible IPv6 payload length",
            Self::Extension => "IPv6 extension header cut short",
            Self::TransportCut => "transport header cut short",
            Self::Transport => "transport not taken by this message type",
            Self::Filtered => "refused by the capture filter",
            Self::FragmentKept => "fragment kept for reassembly",
            Self::FragmentDuplicate => "duplicate fragment",
            Self::FragmentInvalid => "fragment contradicts others",
            Self::NotDnsPort => "no DNS port",
            Self::NotDns => "DNS header or question cut short",
            Self::IcmpWithoutDns => "ICMP that quotes no DNS",
            Self::Direction => "direction not captured",
            Self::QueryKept => "query waiting for its response",
            Self::RdFilter => "dropped by the RD filter",
            Self::NameFilter => "dropped by the name filter",
            Self::ZeroingUnclear => "withheld, resolver address not told apart",
        }
    }

    /// Returns true for what a user would want to hear of once: data lost, not merely not wanted.
    #[must_use]
    pub const fn is_loss(self) -> bool {
        matches!(
            self,
            Self::Snapped
                | Self::LinkCut
                | Self::LinkType
                | Self::HeaderCut
                | Self::Version
                | Self::HeaderLength
                | Self::PayloadLength
                | Self::Extension
                | Self::TransportCut
                | Self::FragmentInvalid
                | Self::ZeroingUnclear
        )
    }
}

impl From<Malformed> for Skip {
    fn from(malformed: Malformed) -> Self {
        match malformed {
            Malformed::HeaderCut => Self::HeaderCut,
            Malformed::Version => Self::Version,
            Malformed::HeaderLength | Malformed::TotalLength => Self::HeaderLength,
            Malformed::PayloadLength => Self::PayloadLength,
            Malformed::Extension => Self::Extension,
            Malformed::TransportCut => Self::TransportCut,
            // The enum is open: a later reason counts with the nearest one until it has its own.
            _ => Self::Transport,
        }
    }
}

/// What became of the frames of one input.
///
/// `frames` is always the sum of `converted` and all [`Counters::skipped`].
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Counters {
    /// Frames taken in.
    pub frames: u64,
    /// Frames that completed a message.
    pub converted: u64,
    skipped: [u64; Skip::ALL.len()],
    /// Messages given out, those of expired queries included.
    pub messages: u64,
    /// Expired queries that a filter dropped.
    pub filtered_queries: u64,
    /// Queries discarded on request while they waited for their response.
    pub discarded_queries: u64,
    /// Fragments whose datagram never became whole in time.
    pub expired_fragments: u64,
    /// Fragments thrown out because reassembly reached its limits.
    pub evicted_fragments: u64,
}

impl Counters {
    pub(crate) fn skip(&mut self, reason: Skip) {
        self.skipped[reason as usize] += 1;
    }

    /// Counts one frame of which at most one message was made.
    pub(crate) fn take(&mut self, result: Result<(), Skip>) -> Option<Skip> {
        self.frames += 1;
        match result {
            Ok(()) => {
                self.converted += 1;
                self.messages += 1;
            }
            Err(reason) => self.skip(reason),
        }
        result.err()
    }

    /// Returns how many frames were skipped for one reason.
    #[must_use]
    pub fn skipped(&self, reason: Skip) -> u64 {
        self.skipped[reason as usize]
    }

    /// True when every frame is in exactly one column.
    #[must_use]
    pub fn balances(&self) -> bool {
        self.frames == self.converted + self.skipped.iter().sum::<u64>()
    }

    /// Returns the reasons that occurred, with their counts.
    pub fn reasons(&self) -> impl Iterator<Item = (Skip, u64)> {
        Skip::ALL.into_iter().zip(self.skipped).filter(|(_, count)| *count > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_reason_has_its_own_place_and_text() {
        let mut counters = Counters::default();
        let mut texts = HashSet::new();
        for (place, reason) in Skip::ALL.into_iter().enumerate() {
            assert_eq!(reason as usize, place);
            assert!(texts.insert(reason.reason()), "{reason:?}");
            for _ in 0..=place {
                counters.skip(reason);
            }
        }
        for (place, (reason, count)) in counters.reasons().enumerate() {
            assert_eq!((reason, count), (Skip::ALL[place], place as u64 + 1));
            assert_eq!(counters.skipped(reason), count);
        }
        assert!(Skip::Snapped.is_loss() && !Skip::NotIp.is_loss());
    }
}
