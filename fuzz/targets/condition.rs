#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| nmsg::filter::fuzzing::check_where(octets));
