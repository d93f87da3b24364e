use crate::Value::{Number, Octets};
use crate::{body, lines, message, payload};

#[test]
fn a_name_without_octets_was_shown_as_the_root() {
    for (name, octets, json, line) in [
        ("no octets", &b""[..], "", ""),
        ("the root", b"\0", ".", "qname: .\n"),
        ("256 octets", &[1; 256], "", ""),
    ] {
        let dns = body(&[(7, Octets(octets)), (8, Number(1))]);
        let dns = payload(1, 7, &dns);
        let want = format!("{{\"qname\":\"{json}\",\"qtype\":\"A\",\"rdata\":[]}}");
        assert_eq!(message(&dns), want, "{name}");
        assert_eq!(lines(&dns), format!("{line}qtype: A (1)\n\n"), "{name}");
    }
}
