//! Captures: which messages packets become, and which packets count.

use super::labels::MessageType;
use super::{Surroundings, endpoint::Opened};
use crate::failure::{Failure, FailureKind};
use crate::flags::{FlagId, spelling};
use crate::grammar::Given;
use nmsg::MsgType;
use nmsg_capture::dnsqr::Config;
use nmsg_capture::{PacketType, VENDOR_BASE};
use nmsg_io::CaptureSettings;
use nmsg_os::pcap::{Interface, InterfaceError};
use std::ffi::OsString;
use std::fmt;

/// Options that read captures.
pub(super) const CAPTURES: [FlagId; 2] = [FlagId::ReadInterface, FlagId::ReadPcap];

/// What was given about captures, before it is known where.
pub(super) struct CaptureOptions {
    filter: Option<OsString>,
    /// False when the filter stands in the environment.
    is_option: bool,
    classic: bool,
}

impl CaptureOptions {
    /// Takes `-b` and `--classic-capture`; `bpf_given` tells whether the former was on the command line.
    pub(super) fn take(given: &mut Given, bpf_given: bool) -> Self {
        Self {
            filter: given.take_value(FlagId::Bpf),
            is_option: bpf_given,
            classic: given.take_switch(FlagId::ClassicCapture),
        }
    }

    /// Gives them meaning, where there are captures.
    ///
    /// # Errors
    ///
    /// A message type that is not made of packets, and address lists without address.
    pub(super) fn settle(
        self,
        has_captures: bool,
        message_type: Option<&MessageType>,
        around: Surroundings<'_>,
        opened: &mut Opened,
    ) -> Result<Option<CaptureSettings>, Failure> {
        let Some(message_type) = message_type.filter(|_| has_captures) else {
            let options = [(FlagId::Bpf, self.is_option), (FlagId::ClassicCapture, self.classic)];
            for (id, _) in options.into_iter().filter(|(_, given)| *given) {
                let id = spelling(id);
                opened
                    .warnings
                    .push(format!("{id} has no effect: there is no capture input (-p, -i)"));
            }
            return Ok(None);
        };
        let packet_type = PacketType::from_msgtype(MsgType(message_type.number))
            .filter(|_| message_type.vendor == VENDOR_BASE.0)
            .ok_or_else(|| {
                refused(None).with_hint(
                    "packets can be made into base:ncap, base:pkt, base:dnsqr and base:packet",
                )
            })?;
        let mut settings = CaptureSettings::new(packet_type);
        settings.to_microseconds = self.classic;
        settings.filter = self.filter.map(|text| text.to_string_lossy().into_owned());
        if packet_type == PacketType::DnsQr {
            // Names may have any octets.
            let lookup = |name: &str| (around.env)(name).map(OsString::into_encoded_bytes);
            let (matching, warnings) =
                Config::from_variables(lookup).map_err(|error| refused(Some(error.to_string())))?;
            opened.warnings.extend(warnings.iter().map(ToString::to_string));
            if settings.filter.is_some() && matching.capture_expression().is_some() {
                let source = if self.is_option { "-b" } else { "NMSG_BPF" };
                opened.warnings.push(format!(
                    "{source} replaces the filter of DNSQR_RES_ADDRS and DNSQR_AUTH_ADDRS"
                ));
            }
            settings.matching = matching;
        }
        if self.classic {
            settings.matching.icmp = false;
            if packet_type == PacketType::DnsQr {
                let limits = settings.matching.reassembly;
                settings.matching.reassembly = limits.same_second();
            }
        }
        Ok(Some(settings))
    }
}

/// The failure of a message type that cannot be made of packets as asked for.
#[cold]
fn refused(why: Option<String>) -> Failure {
    Failure::new(FailureKind::SetUp, "nmsg_input_open_pcap() failed").with_line_above(why)
}

/// An interface that is captured on.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct InterfaceInput {
    /// Name, and how it is captured on.
    pub interface: Interface,
    text: String,
}

/// Prints the interface as it was given.
impl fmt::Display for InterfaceInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl InterfaceInput {
    /// Reads the value of `-i`.
    pub(super) fn parse(value: &OsString) -> Result<Self, Failure> {
        let text = value.to_string_lossy().into_owned();
        let interface = Interface::parse(&text).map_err(|error| match error {
            InterfaceError::NoName => Failure::usage("argument to -i needs an interface name"),
            error @ InterfaceError::Snaplen(_) => {
                Failure::new(FailureKind::SetUp, error.to_string())
            }
        })?;
        Ok(Self { interface, text })
    }
}
