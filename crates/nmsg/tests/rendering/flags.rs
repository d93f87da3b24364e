//! Flags of fields as the C library reports them.

use nmsg::schema::FieldFlags;
use nmsg::{OwnedMessage, Registry, Timestamp};

#[test]
fn my_6_flags_are_reported_as_they_always_were() {
    const REPEATED: u8 = FieldFlags::REPEATED.0;
    const REQUIRED: u8 = FieldFlags::REQUIRED.0;
    const HIDDEN: u8 = FieldFlags::HIDDEN.0;
    const UNSEEN: u8 = FieldFlags::NO_PRINT.0;
    const JSON: u8 = FieldFlags::NO_PRINT.0 | FieldFlags::FORMAT_RAW.0;
    type Row = (&'static str, &'static [(&'static str, u8)]);
    let rows: [Row; 20] = [
        (
            "ncap",
            &[
                ("type", REQUIRED),
                ("ltype", HIDDEN),
                ("lint0", HIDDEN),
                ("lint1", HIDDEN),
                ("payload", REQUIRED),
                ("dns", UNSEEN),
            ],
        ),
        ("email", &[("rcpt", REPEATED), ("bodyurl", REPEATED)]),
        ("linkpair", &[("type", REQUIRED), ("src", REQUIRED), ("dst", REQUIRED)]),
        ("http", &[("type", REQUIRED)]),
        ("ipconn", &[]),
        ("logline", &[]),
        ("dns", &[("rdata", REPEATED)]),
        ("pkt", &[]),
        (
            "dnsqr",
            &[
                ("query_packet", REPEATED | UNSEEN),
                ("query_time_sec", REPEATED | UNSEEN),
                ("query_time_nsec", REPEATED | UNSEEN),
                ("response_packet", REPEATED | UNSEEN),
                ("response_time_sec", REPEATED | UNSEEN),
                ("response_time_nsec", REPEATED | UNSEEN),
                ("query_json", JSON),
                ("response_json", JSON),
                ("dns", UNSEEN),
                ("tcp", UNSEEN),
                ("icmp", UNSEEN),
            ],
        ),
        ("xml", &[("xmltype", REQUIRED), ("xmlpayload", REQUIRED)]),
        ("encode", &[("type", REQUIRED), ("payload", REQUIRED | FieldFlags::FORMAT_RAW.0)]),
        ("packet", &[]),
        ("dnstap", &[("type", REQUIRED), ("query_json", JSON), ("response_json", JSON)]),
        (
            "dnsobs",
            &[
                ("time", REQUIRED),
                ("response_ip", REQUIRED),
                ("qname", REQUIRED),
                ("qtype", REQUIRED),
                ("qclass", REQUIRED),
                ("rcode", REQUIRED),
                ("response_json", JSON),
            ],
        ),
        ("dnsdedupe", &[("rdata", REPEATED)]),
        ("reputation", &[]),
        ("qr", &[]),
        ("delay", &[]),
        ("newdomain", &[("rdata", REPEATED), ("keys", REPEATED), ("new_rr", REPEATED)]),
        ("dnsnx", &[("response_time_sec", UNSEEN), ("response_time_nsec", UNSEEN)]),
    ];
    let registry = Registry::builtin();
    let schemas: Vec<_> = registry.vendors().flat_map(|vendor| vendor.schemas()).collect();
    assert_eq!(schemas.len(), rows.len());
    for (schema, (name, want)) in schemas.into_iter().zip(rows) {
        assert_eq!(schema.message_type().name.to_str(), Ok(name));
        let message = OwnedMessage::new(schema.clone(), Timestamp::default());
        let flags: Vec<(&str, u8)> = (0..message.field_count().unwrap())
            .map(|field| {
                let name = std::str::from_utf8(message.field_name(field).unwrap()).unwrap();
                (name, message.field_flags(field).unwrap().0)
            })
            .filter(|(_, flags)| *flags != 0)
            .collect();
        assert_eq!(flags, want, "{name}");
    }
}
