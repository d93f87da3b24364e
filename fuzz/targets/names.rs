#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| wdns::fuzzing::check_name(octets));
