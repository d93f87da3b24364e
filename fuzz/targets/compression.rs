#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| nmsg::container::fuzzing::check_compression(octets));
