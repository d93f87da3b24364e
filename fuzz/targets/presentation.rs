#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| nmsg::fuzzing::check_presentation(octets));
