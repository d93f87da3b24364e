//! Filters without a compiler, for the tests of this crate.

use crate::LinkType;
use crate::bpf::{Compiler, Filter, Instruction, Wrapping};

/// A filter whose program for frames takes everything and for packets answers `packet`.
pub(crate) fn constant_filter(packet: u32) -> Filter {
    filter_of(1, packet)
}

/// A filter with one answer for all frames and one for all packets.
pub(crate) fn filter_of(frame: u32, packet: u32) -> Filter {
    let compiler = move |text: &str, link: LinkType| {
        let k = if link == LinkType::RAW && text == "U" { packet } else { frame };
        Ok(vec![Instruction { code: 6, jump_true: 0, jump_false: 0, k }])
    };
    let compiler: &dyn Compiler = &compiler;
    Filter::new(compiler, "U", LinkType::ETHERNET, Wrapping::User).unwrap()
}
