//! Frames as a capture file, in all the forms that such files have.

use super::scene::{Frame, SECOND};

/// Order of octets and kind of file.
#[derive(Clone, Copy)]
pub(super) struct Format {
    pub(super) is_big_endian: bool,
    pub(super) kind: Kind,
}

#[derive(Clone, Copy)]
pub(super) enum Kind {
    Pcap,
    PcapNanoseconds,
    /// Times in powers of ten; microseconds when not said.
    PcapNg {
        resolution: Option<u8>,
    },
}

/// The usual form.
pub(super) const PCAP: Format = Format { is_big_endian: false, kind: Kind::Pcap };

struct Out {
    octets: Vec<u8>,
    is_big_endian: bool,
}

impl Out {
    fn word(&mut self, word: u32) {
        let octets = if self.is_big_endian { word.to_be_bytes() } else { word.to_le_bytes() };
        self.octets.extend(octets);
    }

    fn half(&mut self, half: u16) {
        let octets = if self.is_big_endian { half.to_be_bytes() } else { half.to_le_bytes() };
        self.octets.extend(octets);
    }

    /// A block of pcapng with what `fill` puts into it.
    fn block(&mut self, kind: u32, fill: impl FnOnce(&mut Self)) {
        let start = self.octets.len();
        self.word(kind);
        self.word(0);
        fill(self);
        self.octets.resize(self.octets.len().next_multiple_of(4), 0);
        let len = (self.octets.len() - start + 4) as u32;
        self.word(len);
        let end = self.octets.len();
        self.octets.copy_within(end - 4..end, start + 4);
    }
}

pub(super) fn encode(frames: &[Frame], link: u16, format: Format) -> Vec<u8> {
    let mut out = Out { octets: Vec::new(), is_big_endian: format.is_big_endian };
    match format.kind {
        Kind::Pcap => pcap(&mut out, frames, link, 0xa1b2_c3d4, 1000),
        Kind::PcapNanoseconds => pcap(&mut out, frames, link, 0xa1b2_3c4d, 1),
        Kind::PcapNg { resolution } => pcapng(&mut out, frames, link, resolution),
    }
    out.octets
}

fn pcap(out: &mut Out, frames: &[Frame], link: u16, magic: u32, unit: u64) {
    out.word(magic);
    out.half(2);
    out.half(4);
    for word in [0, 0, 65_535, u32::from(link)] {
        out.word(word);
    }
    for Frame { time, head, packet, missing } in frames {
        let len = (head.len() + packet.len()) as u32;
        for word in [(time / SECOND) as u32, (time % SECOND / unit) as u32, len, len + missing] {
            out.word(word);
        }
        out.octets.extend(head);
        out.octets.extend(packet);
    }
}

fn pcapng(out: &mut Out, frames: &[Frame], link: u16, resolution: Option<u8>) {
    out.block(0x0a0d_0d0a, |out| {
        out.word(0x1a2b_3c4d);
        out.half(1);
        out.half(0);
        out.word(u32::MAX);
        out.word(u32::MAX);
    });
    out.block(1, |out| {
        out.half(link);
        out.half(0);
        out.word(262_144);
        if let Some(resolution) = resolution {
            out.half(9);
            out.half(1);
            out.octets.extend([resolution, 0, 0, 0]);
            out.word(0);
        }
    });
    let unit = 10_u64.pow(9 - u32::from(resolution.unwrap_or(6)));
    for Frame { time, head, packet, missing } in frames {
        let len = (head.len() + packet.len()) as u32;
        out.block(6, |out| {
            let ticks = time / unit;
            for word in [0, (ticks >> 32) as u32, ticks as u32, len, len + missing] {
                out.word(word);
            }
            out.octets.extend(head);
            out.octets.extend(packet);
        });
        if len.is_multiple_of(7) {
            // Statistics, which readers pass over.
            out.block(5, |out| out.octets.extend([0; 12]));
        }
    }
}
