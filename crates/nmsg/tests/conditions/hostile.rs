//! Whatever the octets: no panic, no contradiction.

use nmsg::filter::fuzzing::check_where;

const SEEDS: &[&[u8]] = &[
    b"type = dnsqr and qname under example.com\0\x01\x09\x08\x01",
    b"not (rdata in (10.0.0.0/8, ::/0) or all(rdata) ~ '^a\\.b$')\0\x02\x01\x0a\x03\x01a\x00",
    b"time in 2024-01-02..now-1h30m and len <= 0x10\0\x02\x04",
    b"rrtype != AAAA && response contains \"\\x00\\n\" || !exists(keys)\0\x02\x05\x4a\x01x",
    b"message.type in (EXPIRATION, 1..2) and delay >= -1.5e3\0\x02\x01\x68\x01",
    b"domain startswith a and source = 5 or group not in 5..6",
];

#[test]
fn damaged_expressions_are_survived() {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 33) as usize % below
    };
    for round in 0..4000 {
        let mut octets = SEEDS[round % SEEDS.len()].to_vec();
        for _ in 0..random(4) {
            let at = random(octets.len());
            match random(4) {
                0 => octets[at] = random(256) as u8,
                1 => drop(octets.remove(at)),
                2 => octets.insert(at, b"()'\"!=~.,\\\0 "[random(12)]),
                _ => {
                    // A piece of another seed.
                    let other = SEEDS[random(SEEDS.len())];
                    let start = random(other.len());
                    let end = start + random(other.len() - start + 1);
                    let tail = octets.split_off(at);
                    octets.extend_from_slice(&other[start..end]);
                    octets.extend(tail);
                }
            }
        }
        check_where(&octets);
    }
}

#[test]
fn every_truncation_is_survived() {
    for seed in SEEDS {
        for at in 0..=seed.len() {
            check_where(&seed[..at]);
            check_where(&seed[at..]);
        }
    }
}

#[test]
fn extremes_are_survived() {
    for expression in [
        "(".repeat(100_000),
        "not ".repeat(20_000),
        "!".repeat(60_000),
        "a=".repeat(30_000),
        format!("len in ({}1)", "1,".repeat(30_000)),
        format!("len = {}", "9".repeat(60_000)),
        format!("qname ~ '{}'", "(".repeat(10_000)),
        format!("qname ~ '{}'", "a{1000}".repeat(1000)),
        "time = now-9223372036854775807s or time = now+9223372036854775807w".to_owned(),
        "len in -18446744073709551615..18446744073709551615".to_owned(),
        "é".repeat(30_000),
    ] {
        check_where(expression.as_bytes());
    }
}
