use nmsg::{ErrorKind, MsgType, Unrenderable, VendorId};
use nmsg_capture::Skip;
use std::fmt;

/// Something wrong with an input that does not end it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Fault {
    /// Octets that are no container, or a container that does not decode.
    Damage(nmsg::Error),
    /// Fragmented containers of which pieces are missing at the end of the input.
    Incomplete {
        /// Number of such containers.
        containers: usize,
    },
    /// A message from the network that is no container, or one that does not decode; it costs itself.
    Malformed(nmsg::Error),
    /// Fragmented containers that were given up because pieces of them did not arrive in time.
    LostFragments {
        /// Number of such containers.
        containers: u64,
    },
    /// Datagrams that the system dropped before they could be read.
    Dropped {
        /// Number of datagrams.
        datagrams: u64,
        /// What can be done about it; `None` when there is nothing to set.
        advice: Option<String>,
    },
    /// A payload whose body does not fit its checksum; it is dropped.
    ChecksumMismatch {
        /// Checksum of the body, in natural order.
        calculated: u32,
        /// Checksum as stored, octets reversed.
        stored: u32,
    },
    /// A line of JSON that cannot be used; it is skipped.
    UnusableLine {
        /// Number of the line, from 1.
        line: u64,
        /// Why, in a few words.
        reason: String,
        /// The line, where asked for.
        text: Option<Vec<u8>>,
    },
    /// A record of a broker that should be JSON and cannot be used; it is skipped.
    UnusableRecord {
        /// Why, in a few words.
        reason: String,
        /// The record, where asked for.
        text: Option<Vec<u8>>,
    },
    /// Something wrong with a record of a broker.
    InRecord {
        /// Where the record is.
        position: RecordPosition,
        /// What is wrong with it.
        fault: Box<Fault>,
    },
    /// A presentation record that cannot be used; it is skipped up to the next blank line.
    BadRecord {
        /// Number of the line, from 1.
        line: u64,
        /// Why, in a few words.
        reason: String,
    },
    /// A payload that text outputs cannot show: JSON outputs write a fallback record, presentation
    /// outputs leave it out.
    Unrenderable {
        /// Vendor id.
        vendor: VendorId,
        /// Message type within the vendor.
        msgtype: MsgType,
        /// Why.
        reason: Unrenderable,
    },
    /// Octets of a capture that are no frames; nothing behind them is read.
    DamagedCapture {
        /// What is wrong, and where.
        reason: String,
    },
    /// Captured frames of which nothing could be made although there should be something in them.
    SkippedFrames {
        /// Why.
        reason: Skip,
        /// Number of the first of them, from 1.
        first: u64,
        /// Number of frames.
        frames: u64,
    },
    /// Fragments of packets that were given up because other pieces did not arrive in time, or too many
    /// packets were incomplete.
    LostPieces {
        /// Number of fragments.
        fragments: u64,
    },
    /// Frames that the system dropped before they could be captured.
    DroppedFrames {
        /// Number of frames.
        frames: u64,
    },
    /// Something in a line of text that was left out while the rest was used.
    LeftOut {
        /// Number of the line, from 1; 0 where there are no lines.
        line: u64,
        /// What, in a few words; empty when the same was said before.
        what: String,
    },
}

/// Where a broker has a record.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct RecordPosition {
    /// Number of the partition within the topic.
    pub partition: i32,
    /// Number of the record within the partition.
    pub offset: i64,
}

/// Prints both numbers.
impl fmt::Display for RecordPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "partition {}, offset {}", self.partition, self.offset)
    }
}

/// Kinds of faults, for saying only the first of each.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum FaultKind {
    /// [`Fault::Damage`], [`Fault::Incomplete`] and [`Fault::DamagedCapture`].
    Damage,
    /// [`Fault::Malformed`] in the first ten octets.
    MalformedHeader,
    /// [`Fault::Malformed`]: longer or shorter than its header says, or too large.
    MalformedLength,
    /// [`Fault::Malformed`] behind the header.
    MalformedBody,
    /// [`Fault::Malformed`]: a fragment that fits no container.
    RefusedFragment,
    /// [`Fault::LostFragments`].
    LostFragments,
    /// [`Fault::Dropped`].
    Dropped,
    /// [`Fault::ChecksumMismatch`].
    ChecksumMismatch,
    /// [`Fault::UnusableLine`].
    UnusableLine,
    /// [`Fault::UnusableRecord`].
    UnusableRecord,
    /// [`Fault::BadRecord`].
    BadRecord,
    /// [`Fault::Unrenderable`].
    Unrenderable,
    /// [`Fault::SkippedFrames`].
    SkippedFrames,
    /// [`Fault::LostPieces`].
    LostPieces,
    /// [`Fault::DroppedFrames`].
    DroppedFrames,
    /// [`Fault::LeftOut`].
    LeftOut,
}

impl FaultKind {
    /// All kinds.
    pub const ALL: [Self; 16] = [
        Self::Damage,
        Self::MalformedHeader,
        Self::MalformedLength,
        Self::MalformedBody,
        Self::RefusedFragment,
        Self::LostFragments,
        Self::Dropped,
        Self::ChecksumMismatch,
        Self::UnusableLine,
        Self::UnusableRecord,
        Self::BadRecord,
        Self::Unrenderable,
        Self::SkippedFrames,
        Self::LostPieces,
        Self::DroppedFrames,
        Self::LeftOut,
    ];

    /// Returns a name for machines, such as `checksum_mismatch`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Damage => "damage",
            Self::MalformedHeader => "malformed_header",
            Self::MalformedLength => "malformed_length",
            Self::MalformedBody => "malformed_body",
            Self::RefusedFragment => "refused_fragment",
            Self::LostFragments => "lost_fragments",
            Self::Dropped => "dropped_datagrams",
            Self::ChecksumMismatch => "checksum_mismatch",
            Self::UnusableLine => "unusable_line",
            Self::UnusableRecord => "unusable_record",
            Self::BadRecord => "bad_record",
            Self::Unrenderable => "unrenderable",
            Self::SkippedFrames => "skipped_frames",
            Self::LostPieces => "lost_packet_fragments",
            Self::DroppedFrames => "dropped_frames",
            Self::LeftOut => "left_out",
        }
    }

    /// True when an input with such a fault was not delivered whole, so that a run over files ends
    /// with a failure (`decisions` §1).
    #[must_use]
    pub const fn is_damage(self) -> bool {
        matches!(self, Self::Damage | Self::ChecksumMismatch | Self::BadRecord)
    }
}

impl Fault {
    /// The fault in a record of a broker, if it is in one.
    #[must_use]
    pub(crate) fn placed(self, position: Option<RecordPosition>) -> Self {
        match position {
            Some(position) => Self::InRecord { position, fault: Box::new(self) },
            None => self,
        }
    }

    /// What is wrong, without the place of the record that it is wrong with.
    #[must_use]
    pub fn without_place(&self) -> &Self {
        match self {
            Self::InRecord { fault, .. } => fault,
            fault => fault,
        }
    }

    /// Returns the kind.
    #[must_use]
    pub fn kind(&self) -> FaultKind {
        match self {
            Self::Damage(_) | Self::Incomplete { .. } | Self::DamagedCapture { .. } => {
                FaultKind::Damage
            }
            Self::Malformed(error) => malformed_kind(error),
            Self::LostFragments { .. } => FaultKind::LostFragments,
            Self::Dropped { .. } => FaultKind::Dropped,
            Self::ChecksumMismatch { .. } => FaultKind::ChecksumMismatch,
            Self::UnusableLine { .. } => FaultKind::UnusableLine,
            Self::UnusableRecord { .. } => FaultKind::UnusableRecord,
            Self::InRecord { fault, .. } => fault.kind(),
            Self::BadRecord { .. } => FaultKind::BadRecord,
            Self::Unrenderable { .. } => FaultKind::Unrenderable,
            Self::SkippedFrames { .. } => FaultKind::SkippedFrames,
            Self::LostPieces { .. } => FaultKind::LostPieces,
            Self::DroppedFrames { .. } => FaultKind::DroppedFrames,
            Self::LeftOut { .. } => FaultKind::LeftOut,
        }
    }

    /// Returns how many occurrences this one stands for.
    #[must_use]
    pub fn occurrences(&self) -> u64 {
        match self {
            Self::LostFragments { containers } => *containers,
            Self::Dropped { datagrams, .. } => *datagrams,
            Self::LostPieces { fragments: count }
            | Self::SkippedFrames { frames: count, .. }
            | Self::DroppedFrames { frames: count } => *count,
            Self::InRecord { fault, .. } => fault.occurrences(),
            _ => 1,
        }
    }
}

fn malformed_kind(error: &nmsg::Error) -> FaultKind {
    match error.kind() {
        ErrorKind::LengthMismatch { .. } | ErrorKind::TooLarge { .. } => FaultKind::MalformedLength,
        ErrorKind::Inflate(_) | ErrorKind::Protobuf(_) => FaultKind::MalformedBody,
        ErrorKind::Fragment(_) => FaultKind::RefusedFragment,
        _ => FaultKind::MalformedHeader,
    }
}

/// Prints what is wrong, without the input's name.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Damage(error) => error.fmt(f),
            Self::Malformed(error) => write!(f, "message dropped: {error}"),
            Self::LostFragments { containers: 1 } => {
                f.write_str("a fragmented container was given up, pieces of it are missing")
            }
            Self::LostFragments { containers } => {
                write!(f, "{containers} fragmented containers were given up, pieces are missing")
            }
            Self::Dropped { datagrams, advice } => {
                write!(f, "the system dropped {datagrams} datagrams that came too fast")?;
                advice.as_ref().map_or(Ok(()), |advice| write!(f, "; {advice}"))
            }
            Self::Incomplete { containers } => {
                write!(f, "fragments of {containers} containers are missing")
            }
            Self::ChecksumMismatch { calculated, stored } => {
                let mut text = String::new();
                nmsg::container::crc_mismatch_text(*calculated, *stored, &mut text);
                f.write_str(&text)
            }
            Self::UnusableLine { line, reason, .. } => write!(f, "line {line} skipped: {reason}"),
            Self::UnusableRecord { reason, .. } => write!(f, "record skipped: {reason}"),
            Self::InRecord { position, fault } => write!(f, "{fault} ({position})"),
            Self::BadRecord { line, reason } => {
                write!(f, "record skipped: {reason} (at line {line})")
            }
            Self::Unrenderable { vendor, msgtype, reason } => {
                write!(f, "payload of type {vendor}:{msgtype} cannot be shown: {reason}")
            }
            Self::DamagedCapture { reason } => f.write_str(reason),
            Self::SkippedFrames { reason, first, .. } => {
                write!(f, "frame skipped: {} (frame {first})", reason.reason())
            }
            Self::LostPieces { fragments: 1 } => {
                f.write_str("a fragment of a packet was given up, other pieces are missing")
            }
            Self::LostPieces { fragments } => {
                write!(
                    f,
                    "{fragments} fragments of packets were given up, other pieces are missing"
                )
            }
            Self::DroppedFrames { frames } => {
                write!(f, "the system dropped {frames} frames that came too fast")
            }
            Self::LeftOut { line: 0, what } => f.write_str(what),
            Self::LeftOut { line, what } => write!(f, "{what} (at line {line})"),
        }
    }
}

/// A fault and its place among the payloads of a batch.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Problem {
    /// Number of payloads in front of it.
    pub position: usize,
    /// What it is.
    pub fault: Fault,
}
