#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| zmtp::fuzzing::check_connection(octets));
