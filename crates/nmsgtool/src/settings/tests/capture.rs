use super::*;
use nmsg_capture::PacketType;
use nmsg_os::pcap::Interface;

fn settle_with(words: &[&str], variables: &[(&str, &str)]) -> Result<Settings, Failure> {
    settle_in(words, FlagSet::available(), &|name| {
        let found = variables.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| OsString::from(value))
    })
}

#[test]
fn captures_are_inputs() {
    let given = line("-T dnsqr -p one.pcap -i lo+,0x40 -p - -b udp -i eth0");
    let interface = |name: &str, promiscuous, snaplen| Interface {
        name: name.to_owned(),
        promiscuous,
        snaplen,
    };
    let interfaces = given.inputs().filter_map(|input| match input {
        Input::Interface(input) => Some(input.interface.clone()),
        _ => None,
    });
    assert_eq!(
        interfaces.collect::<Vec<_>>(),
        [interface("lo", true, 64), interface("eth0", false, 1522)]
    );
    let shown: Vec<String> = given.inputs().map(ToString::to_string).collect();
    let want = [
        "pcap interface input: lo+,0x40",
        "pcap interface input: eth0",
        "pcap file input: one.pcap",
        "pcap file input: -",
    ];
    assert_eq!(shown, want);
    let capture = given.capture.unwrap();
    assert_eq!((capture.packet_type, capture.filter), (PacketType::DnsQr, Some("udp".to_owned())));
    assert!(!capture.to_microseconds && capture.matching.icmp);
    assert!(line("-r in -T dnsqr").capture.is_none());
}

#[test]
fn cl_6_mistakes_about_captures() {
    for (name, words, want) in [
        (
            "file without type",
            &["-p", "in"][..],
            "usage error: reading presentation or pcap data requires -V, -T",
        ),
        (
            "interface without type",
            &["-i", "lo"],
            "usage error: reading presentation or pcap data requires -V, -T",
        ),
        ("cl_4: no name", &["-T", "dnsqr", "-i", ""], {
            "usage error: argument to -i needs an interface name"
        }),
        ("cl_4: only a plus", &["-T", "dnsqr", "-i", "+,5"], {
            "usage error: argument to -i needs an interface name"
        }),
        ("snaplen", &["-T", "dnsqr", "-i", "lo,abc"], {
            "parse error: 'abc' is not a valid snaplen"
        }),
        ("negative snaplen", &["-T", "dnsqr", "-i=lo,-1"], {
            "parse error: '-1' is not a valid snaplen"
        }),
        ("type not made of packets", &["-T", "ipconn", "-p", "in"], {
            "nmsg_input_open_pcap() failed"
        }),
        ("type of another vendor", &["-V", "sie", "-T", "dnsdedupe", "-p", "in"], {
            "nmsg_input_open_pcap() failed"
        }),
    ] {
        assert_eq!(mistake(words), want, "{name}");
    }
}

#[test]
fn dq_4_variables_are_read_for_dnsqr_alone() {
    let empty = [("DNSQR_RES_ADDRS", "")];
    let failure = settle_with(&["-T", "dnsqr", "-p", "in"], &empty).unwrap_err();
    assert_eq!(failure.to_string(), "nmsg_input_open_pcap() failed");
    assert_eq!(failure.exit_status().code(), 2);
    for words in [&["-T", "packet", "-p", "in"][..], &["-T", "dnsqr", "-r", "in"]] {
        assert!(settle_with(words, &empty).is_ok(), "{words:?}");
    }
    let variables = [("DNSQR_QUERY_TIMEOUT", "7"), ("DNSQR_CAPTURE_RD", "x")];
    let given = settle_with(&["-T", "dnsqr", "-p", "in"], &variables).unwrap();
    assert_eq!(given.capture.unwrap().matching.timeout_seconds, 7);
    assert_eq!(given.warnings, ["DNSQR_CAPTURE_RD: 'x' ignored, not 0 or 1"]);
}

#[test]
fn cp_11_a_filter_that_replaces_the_address_lists_is_told() {
    let addresses = ("DNSQR_AUTH_ADDRS", "10.0.0.1");
    let rest = "replaces the filter of DNSQR_RES_ADDRS and DNSQR_AUTH_ADDRS";
    for (name, words, variables, want) in [
        ("option", &["-T", "dnsqr", "-p", "in", "-b", "udp"][..], &[addresses][..], {
            vec![format!("-b {rest}")]
        }),
        ("variable", &["-T", "dnsqr", "-p", "in"], &[addresses, ("NMSG_BPF", "udp")], {
            vec![format!("NMSG_BPF {rest}")]
        }),
        ("no list", &["-T", "dnsqr", "-p", "in", "-b", "udp"], &[], vec![]),
        ("no filter", &["-T", "dnsqr", "-p", "in"], &[addresses], vec![]),
    ] {
        assert_eq!(settle_with(words, variables).unwrap().warnings, want, "{name}");
    }
}

#[test]
fn the_filter_may_stand_in_the_environment() {
    let variables = [("NMSG_BPF", "tcp")];
    let filter = |words: &[&str]| {
        let settings = settle_with(words, &variables).unwrap();
        assert_eq!(settings.warnings, [""; 0], "{words:?}");
        settings.capture.and_then(|capture| capture.filter)
    };
    assert_eq!(filter(&["-T", "packet", "-p", "in"]).as_deref(), Some("tcp"));
    assert_eq!(filter(&["-T", "packet", "-p", "in", "-b", "udp"]).as_deref(), Some("udp"));
    assert_eq!(filter(&["-T", "packet", "-p", "in", "-b="]).as_deref(), Some(""));
    assert_eq!(filter(&["-r", "in"]), None, "nobody is told about a variable");
}

#[test]
fn cl_5_options_about_captures_need_one() {
    for (words, want) in [
        ("-r in -b udp", "-b has no effect: there is no capture input (-p, -i)"),
        ("-r in --classic-capture", {
            "--classic-capture has no effect: there is no capture input (-p, -i)"
        }),
        ("-T packet -p in -B 5", "-B does not slow down -p inputs"),
        ("-T packet -i lo -B 5", "-B does not slow down -i inputs"),
    ] {
        assert_eq!(line(words).warnings, [want], "{words}");
    }
}

#[test]
fn classic_captures_give_what_the_c_tool_gives() {
    let of = |words: &str| line(words).capture.unwrap();
    let dnsqr = of("-T dnsqr -p in --classic-capture");
    assert!(dnsqr.to_microseconds && !dnsqr.matching.icmp, "cp_7, dq_2");
    assert_eq!(dnsqr.matching.reassembly.lifetime_seconds, 0, "dq_1");
    let packet = of("-T packet -p in --classic-capture");
    assert!(packet.to_microseconds);
    assert_eq!(packet.matching.reassembly.lifetime_seconds, 60, "only dnsqr had the rule");
}

#[test]
fn cw_12_a_capture_is_not_written_over() {
    let scratch = Scratch::new();
    let capture = scratch.at("in.pcap");
    fs::write(&capture, b"data").unwrap();
    let failure = settle(&["-T", "packet", "-p", &capture, "-w", &capture]).unwrap_err();
    let want = format!("usage error: -p {capture} and -w {capture} are the same file");
    assert_eq!(failure.to_string(), want);
    assert!(settle(&["-T", "packet", "-p", &capture, "-p", &capture]).is_ok());
}
