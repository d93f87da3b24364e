#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| nmsg_io::fuzzing::check_request(octets));
