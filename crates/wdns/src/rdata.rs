//! Record data: the layouts of all types, and everything that is driven by them (`wdns` §6, §7).

pub mod edns;

mod address;
mod bitmap;
mod fields;
mod layout;
mod strings;
mod svcb;
mod text_in;
mod text_out;
mod wire;

pub(crate) use fields::Fields;
pub use layout::{Atom, Layout, layout};
pub use text_in::parse;
pub(crate) use text_out::{ends_with_blank_when_empty, write_fields};
pub use text_out::{write, write_generic};
pub(crate) use wire::{append_uncompressed, check};
pub use wire::{decompress, downcase};
