use nmsg_capture::bpf::FilterError;
use nmsg_capture::{OpenError, savefile};
use nmsg_os::pcap::Unavailable;
use std::fmt;
use std::io;

/// Why a capture cannot be opened.
#[derive(Debug)]
#[non_exhaustive]
pub enum CaptureError {
    /// The file cannot be opened or read.
    Io(io::Error),
    /// The file is no capture, or damaged before the first frame.
    Savefile(savefile::Error),
    /// The file ends before it names an interface.
    NoInterface,
    /// The interface cannot be captured on.
    Interface(nmsg_os::pcap::CaptureError),
    /// The message type cannot be made from frames of this kind.
    Link(OpenError),
    /// The expression is no filter.
    Filter(FilterError),
    /// There is no libpcap, which compiles expressions and captures.
    Libpcap(Unavailable),
}

impl fmt::Display for CaptureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => error.fmt(f),
            Self::Savefile(error) => error.fmt(f),
            Self::NoInterface => f.write_str("the capture has no interface"),
            Self::Interface(error) => error.fmt(f),
            Self::Link(error) => error.fmt(f),
            Self::Filter(error) => error.fmt(f),
            Self::Libpcap(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for CaptureError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io(error) => Some(error),
            Self::Savefile(error) => Some(error),
            Self::NoInterface => None,
            Self::Interface(error) => Some(error),
            Self::Link(error) => Some(error),
            Self::Filter(error) => Some(error),
            Self::Libpcap(error) => Some(error),
        }
    }
}

impl From<io::Error> for CaptureError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}
