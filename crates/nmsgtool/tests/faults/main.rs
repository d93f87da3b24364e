//! What goes wrong around the program: outputs that fail, peers that go, input that is hostile. Whatever
//! it is, every payload is accounted for.

mod datagrams;
mod disk;
mod hostile;
mod kicker;
mod ledger;
mod memory;
mod outputs;
mod peers;
#[path = "../files/tool.rs"]
#[expect(dead_code, reason = "other tests share it")]
mod tool;
