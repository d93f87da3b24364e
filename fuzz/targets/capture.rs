#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| nmsg_capture::fuzzing::check_capture(octets));
