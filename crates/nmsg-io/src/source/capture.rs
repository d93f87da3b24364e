//! Packets as inputs: savefiles and interfaces.

mod conversion;
mod error;
mod file;
mod interface;

pub use error::CaptureError;
pub use file::CaptureFileSource;
pub use interface::CaptureInterfaceSource;

use nmsg_capture::bpf::{Filter, Instruction, Wrapping};
use nmsg_capture::dnsqr::Config;
use nmsg_capture::{Converter, LinkType, PacketType};
use nmsg_os::pcap::{Library, library};

/// Octets of messages after which a batch is full; several times what files have, as messages come one by one.
const FULL: usize = 384 << 10;

/// Frames after which a batch ends even if little came of them, so that signals are noticed.
const MOST_FRAMES: u32 = 8192;

/// What becomes of captured packets.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CaptureSettings {
    /// Type of the messages.
    pub packet_type: PacketType,
    /// Expression that packets must satisfy, in libpcap's syntax; `None` for all.
    pub filter: Option<String>,
    /// How `base:dnsqr` works; its limits of reassembly hold for the other types too.
    pub matching: Config,
    /// Whether times are cut to microseconds (decision CP-7).
    pub to_microseconds: bool,
}

impl CaptureSettings {
    /// Settings that hold unless asked otherwise: all packets, all defaults.
    #[must_use]
    pub fn new(packet_type: PacketType) -> Self {
        Self { packet_type, filter: None, matching: Config::default(), to_microseconds: false }
    }

    /// Makes the filter for a link type. A user's expression replaces the one that the address lists of
    /// `base:dnsqr` ask for (decision CP-11).
    fn filter(&self, link: LinkType) -> Result<Option<Filter>, CaptureError> {
        let (expression, wrapping) = match (&self.filter, self.packet_type) {
            (Some(user), _) => (Some(user.clone()), Wrapping::User),
            (None, PacketType::DnsQr) => (self.matching.capture_expression(), Wrapping::Generated),
            (None, _) => (None, Wrapping::User),
        };
        let Some(expression) = expression else { return Ok(None) };
        let library = library().map_err(CaptureError::Libpcap)?;
        let filter = Filter::new(&compiler(library), &expression, link, wrapping);
        filter.map(Some).map_err(CaptureError::Filter)
    }

    /// Makes the converter for frames of a link type; also returns the expression of its filter in full.
    fn converter(&self, link: LinkType) -> Result<(Converter, Option<String>), CaptureError> {
        self.packet_type.check_link(link).map_err(CaptureError::Link)?;
        let filter = self.filter(link)?;
        let text = filter.as_ref().map(|filter| filter.text().to_owned());
        let converter = match self.packet_type {
            PacketType::DnsQr => Converter::dnsqr(self.matching.clone(), filter),
            PacketType::Ncap => Converter::ncap(self.matching.reassembly, filter),
            PacketType::Packet => Converter::packet(filter),
            PacketType::Pkt => Converter::pkt(filter),
        };
        Ok((converter, text))
    }
}

fn compiler(
    library: &'static Library,
) -> impl Fn(&str, LinkType) -> Result<Vec<Instruction>, String> {
    move |expression, link| {
        let instructions = library.compile(expression, link.0)?;
        let instruction =
            |(code, jump_true, jump_false, k)| Instruction { code, jump_true, jump_false, k };
        Ok(instructions.into_iter().map(instruction).collect())
    }
}
