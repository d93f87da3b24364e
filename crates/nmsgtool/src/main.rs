//! `nmsgtool`: reads, converts, filters and writes NMSG streams.
fn main() {}
