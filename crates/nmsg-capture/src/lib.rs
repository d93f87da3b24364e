//! Packets to NMSG messages.
//!
//! Takes frames and time as arguments and knows nothing of interfaces, threads, clocks or command
//! lines.
//!
//! ```
//! use nmsg_capture::savefile::{Next, Reader};
//! use nmsg_capture::{Converter, PacketType, dnsqr::Config};
//!
//! # let capture = {
//! #     use nmsg_capture::savefile::{Precision, Writer};
//! #     Writer::new(Vec::new(), nmsg_capture::LinkType::RAW, 0, Precision::Microseconds)?.into_inner()
//! # };
//! let mut reader = Reader::new(capture.as_slice());
//! if let Next::Item(link) = reader.first_link()? {
//!     PacketType::DnsQr.check_link(link)?;
//! }
//! let mut converter = Converter::dnsqr(Config::default(), None);
//! let mut encoded = Vec::new();
//! while let Next::Item(frame) = reader.next_frame()? {
//!     converter.frame(&frame, &mut |message| message.encode(&mut encoded));
//! }
//! converter.finish(&mut |message| message.encode(&mut encoded));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! From the outside in:
//!
//! | module or type | what it is |
//! |---|---|
//! | [`savefile`] | pcap and pcapng, read from files and pipes; a pcap writer |
//! | [`Frame`], [`LinkType`] | one captured frame and how it starts |
//! | [`Converter`], [`Message`] | frames to messages of one type |
//! | [`dnsqr`] | DNS queries and the responses that answer them |
//! | [`bpf`] | capture filters |
//! | [`Reassembler`] | fragments to datagrams |
//! | [`Counters`], [`Skip`] | what became of every frame |

pub mod bpf;
mod converter;
pub mod dnsqr;
mod encode;
mod frame;
pub mod fuzzing;
pub mod link;
mod list;
mod message;
mod reassembly;
pub mod savefile;
mod skip;
#[cfg(test)]
mod test_filters;
#[cfg(test)]
mod test_packets;

pub use converter::{Converter, OpenError, PacketType};
pub use frame::Frame;
pub use link::LinkType;
pub use message::{Message, Ncap, Packet, Pkt, Sink, VENDOR_BASE};
pub use reassembly::{Pushed, Reassembler, ReassemblyLimits};
pub use skip::{Counters, Skip};
