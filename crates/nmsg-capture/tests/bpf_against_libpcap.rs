//! Our interpreter against libpcap's own, and real expressions through real compilation.
//! Skipped where libpcap is not installed.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "says why a test is skipped; a test may panic"
)]

mod common;

use common::convert;
use nmsg_capture::bpf::{Filter, Instruction, Program, Wrapping};
use nmsg_capture::dnsqr::Config;
use nmsg_capture::savefile::{Next, Reader};
use nmsg_capture::{Converter, LinkType, ReassemblyLimits};
use nmsg_os::pcap::{Library, library};

const CAPTURE: &[u8] = include_bytes!("fixtures/dns-mix.pcap");

fn libpcap() -> Option<&'static Library> {
    match library() {
        Ok(library) => Some(library),
        Err(error) => {
            println!("skipped: {error}");
            None
        }
    }
}

fn compiler(
    library: &'static Library,
) -> impl Fn(&str, LinkType) -> Result<Vec<Instruction>, String> {
    move |expression, link| {
        let parts = library.compile(expression, link.0)?;
        Ok(parts.into_iter().map(instruction).collect())
    }
}

fn instruction((code, jump_true, jump_false, k): nmsg_os::pcap::Instruction) -> Instruction {
    Instruction { code, jump_true, jump_false, k }
}

/// xorshift64*; the seed is printed by the assertion that fails.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, bound: u64) -> u64 {
        (self.next() >> 16) % bound
    }
}

const CODES: [u16; 42] = [
    0x00, 0x20, 0x28, 0x30, 0x40, 0x48, 0x50, 0x60, 0x80, 0x01, 0x61, 0x81, 0xb1, 0x02, 0x03, 0x04,
    0x14, 0x24, 0x34, 0x44, 0x54, 0x64, 0x74, 0x94, 0xa4, 0x0c, 0x1c, 0x2c, 0x3c, 0x4c, 0x6c, 0x7c,
    0x84, 0x9c, 0x05, 0x15, 0x25, 0x35, 0x45, 0x1d, 0x07, 0x87,
];

fn random_program(random: &mut Random) -> Vec<nmsg_os::pcap::Instruction> {
    let len = 1 + random.below(12);
    // libpcap leaves scratch memory as it finds it: fill it first.
    let clear = (0..16).map(|word| (0x02, 0, 0, word));
    let body: Vec<_> = (0..len)
        .map(|at| {
            let code = match random.below(40) {
                0 => random.below(0x200) as u16,
                1 => [0x06, 0x16][random.below(2) as usize],
                _ => CODES[random.below(CODES.len() as u64) as usize],
            };
            let k = match random.below(6) {
                0 => random.next() as u32,
                1 => random.below(70) as u32,
                _ => random.below((len - at).min(16)) as u32,
            };
            let mut jump = || random.below(len - at + u64::from(at % 5 == 0)) as u8;
            (code, jump(), jump(), k)
        })
        .collect();
    let mut program: Vec<_> = clear.chain(body).collect();
    program.push(if random.below(2) == 0 { (0x16, 0, 0, 0) } else { (0x06, 0, 0, 7) });
    program
}

#[test]
fn random_programs_give_what_libpcap_gives() {
    let Some(library) = libpcap() else { return };
    let mut valid = 0;
    let mut nonzero = 0;
    for seed in 1..=100_000_u64 {
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let parts = random_program(&mut random);
        let packet: Vec<u8> = (0..random.below(64)).map(|_| random.next() as u8).collect();
        let wire_len = random.below(2000) as u32;
        let Ok(program) = Program::new(parts.iter().copied().map(instruction).collect()) else {
            // libpcap's check lets some operations pass on which its interpreter then aborts.
            continue;
        };
        let ours = program.run(&packet, wire_len);
        let theirs = library.run(&parts, &packet, wire_len);
        assert_eq!(Some(ours), theirs, "seed {seed}: {parts:x?}");
        valid += 1;
        nonzero += usize::from(ours != 0);
    }
    assert!(valid > 40_000 && nonzero > 10_000, "{valid} valid, {nonzero} not zero");
}

#[test]
fn compiled_expressions_give_what_libpcap_gives() {
    let Some(library) = libpcap() else { return };
    for expression in [
        "udp port 53",
        "tcp or icmp",
        "net 198.51.100.0/24 and not port 53",
        "ip6 and udp",
        "ip[6:2] & 0x3fff != 0",
        "udp[10:2] & 0x8000 != 0 or ether proto 0x88a8",
        "len > 200 and len <= 1000",
        "vlan and udp port 53",
        "ip6 protochain 17",
    ] {
        let parts = library.compile(expression, 1).unwrap();
        let program = Program::new(parts.iter().copied().map(instruction).collect()).unwrap();
        let mut wanted = 0;
        let mut reader = Reader::new(CAPTURE);
        while let Next::Item(frame) = reader.next_frame().unwrap() {
            for cut in [0, 20, 1] {
                let octets = &frame.octets[..frame.octets.len() - cut];
                let ours = program.run(octets, frame.original_len);
                assert_eq!(Some(ours), library.run(&parts, octets, frame.original_len));
                wanted += u32::from(ours != 0);
            }
        }
        assert!(wanted > 0, "{expression}");
    }
}

#[test]
fn expressions_are_wrapped_by_what_libpcap_accepts() {
    let Some(library) = libpcap() else { return };
    let compiler = compiler(library);
    let tagged =
        |inner: &str| format!("({inner}) or (vlan and (({inner}) or (vlan and ({inner}))))");
    for (expression, link, inner) in [
        (
            "udp port 53",
            LinkType::ETHERNET,
            "(((ip) and (udp port 53)) or (ip[6:2] & 0x3fff != 0) or (ip6))",
        ),
        ("host 10.0.0.2", LinkType::ETHERNET, {
            "(((ip) and (host 10.0.0.2)) or (ip[6:2] & 0x3fff != 0))"
        }),
        ("host 2001:db8::1", LinkType::ETHERNET, "(((host 2001:db8::1)) or (ip6))"),
        ("udp port 53", LinkType::RAW, {
            "(((ip) and (udp port 53)) or (ip[6:2] & 0x3fff != 0) or (ip6))"
        }),
    ] {
        let filter = Filter::new(&compiler, expression, link, Wrapping::User).unwrap();
        let want = if link == LinkType::RAW { inner.to_owned() } else { tagged(inner) };
        assert_eq!(filter.text(), want);
    }
}

#[test]
fn cp_4_refused_expressions_show_the_reason() {
    let Some(library) = libpcap() else { return };
    let compiler = compiler(library);
    for (expression, parts) in [
        ("arp", &["filter expression 'arp': "][..]),
        ("ether host 1:2:3:4:5:6", &["supported only on ethernet"]),
        ("vlan", &["no VLAN support"]),
        ("", &["can't parse filter expression", "syntax error"]),
        ("net 10.0.0.1/24", &["non-network bits set"]),
        ("udp 53", &["syntax error", "(did you mean 'udp port 53'?)"]),
    ] {
        let error = Filter::new(&compiler, expression, LinkType::ETHERNET, Wrapping::User);
        let Err(error) = error else {
            assert_eq!(expression, "", "only the empty expression may compile");
            continue;
        };
        let error = error.to_string();
        for part in parts {
            assert!(error.contains(part), "{error}");
        }
    }
}

fn user_filter(library: &'static Library, expression: &str) -> Option<Filter> {
    Some(Filter::new(&compiler(library), expression, LinkType::ETHERNET, Wrapping::User).unwrap())
}

#[test]
fn cp_3_filtered_captures_hold_only_what_was_asked_for() {
    let Some(library) = libpcap() else { return };
    let limits = ReassemblyLimits::default();
    let (all, _) = convert(CAPTURE, &mut Converter::ncap(limits, None));
    for expression in ["udp port 53", "ip6", "ip", "src net 198.51.100.0/24"] {
        let program = library.compile(expression, 101).unwrap();
        // A datagram's payload field follows the type field and its own tag and length.
        let datagram = |octets: &[u8]| octets[octets.len().min(5)..].to_vec();
        let want: Vec<_> = all
            .iter()
            .filter(|(_, octets)| {
                let payload = match octets[3] {
                    0..=127 => octets[4..].to_vec(),
                    _ => datagram(octets),
                };
                library.run(&program, &payload, payload.len() as u32) != Some(0)
            })
            .cloned()
            .collect();
        let mut converter = Converter::ncap(limits, user_filter(library, expression));
        let (got, _) = convert(CAPTURE, &mut converter);
        assert_eq!(got, want, "{expression}");
        assert!(!want.is_empty() && want.len() < all.len() || expression == "udp port 53");
    }
}

#[test]
fn cp_11_address_lists_become_filters() {
    let Some(library) = libpcap() else { return };
    let compiler = compiler(library);
    let variables = |name: &str| match name {
        "DNSQR_AUTH_ADDRS" => Some(b"198.51.100.9, 2001:db8::/32".to_vec()),
        _ => None,
    };
    let (config, warnings) = Config::from_variables(variables).unwrap();
    assert!(warnings.is_empty());
    let expression = config.capture_expression().unwrap();
    let filter = Filter::new(&compiler, &expression, LinkType::ETHERNET, Wrapping::Generated);
    let mut converter = Converter::dnsqr(config, Some(filter.unwrap()));
    let (messages, _) = convert(CAPTURE, &mut converter);
    let addresses: Vec<_> = messages
        .iter()
        .map(|(_, octets)| {
            let mut reader = nmsg::wire::Reader::new(octets);
            std::iter::from_fn(|| reader.field().unwrap())
                .find(|field| field.number == 3)
                .map(|field| field.value.octets().unwrap().to_vec())
                .unwrap()
        })
        .collect();
    assert!(addresses.contains(&vec![198, 51, 100, 9]));
    for address in addresses {
        // IPv6 lets TCP through as well, whose messages have no address.
        let listed = address == [198, 51, 100, 9] || address.len() != 4;
        assert!(listed, "{address:?}");
    }
}
