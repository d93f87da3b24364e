mod capture;
#[cfg(feature = "kafka")]
mod kafka;

use super::*;
use crate::failure::ExitStatus;
use crate::grammar::{self, Command};
use nmsg::filter::{Policy, Sampling, Where, WhereError};
use std::fs;
use std::num::NonZeroU32;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// Two vendors, three types, and alias files with one tricky line each.
struct TestNames;

impl Names for TestNames {
    fn vendor(&self, name: &str) -> Option<u32> {
        let known = [("base", 1), ("isc", 1), ("sie", 2)];
        known.iter().find(|(known, _)| name.eq_ignore_ascii_case(known)).map(|(_, id)| *id)
    }

    fn message_type(&self, vendor: u32, name: &str) -> Option<u32> {
        let known = [(1, "ipconn", 5), (1, "dnsqr", 9), (1, "packet", 12), (2, "dnsdedupe", 1)];
        known
            .iter()
            .find(|(id, known, _)| *id == vendor && name.eq_ignore_ascii_case(known))
            .map(|(_, _, number)| *number)
    }

    fn has_field(&self, message_type: Option<&MessageType>, field: &str) -> bool {
        let known = [(1, 5, "srcport"), (1, 9, "qname"), (2, 1, "rrname")];
        known.iter().any(|(vendor, number, name)| {
            *name == field
                && message_type.is_none_or(|t| (t.vendor, t.number) == (*vendor, *number))
        })
    }

    fn operator(&self, alias: &str) -> Option<u32> {
        [("QA", 101), ("12", 5), ("nobody", 0)]
            .iter()
            .find(|(known, _)| alias.eq_ignore_ascii_case(known))
            .map(|(_, number)| *number)
    }

    fn group(&self, alias: &str) -> Option<u32> {
        alias.eq_ignore_ascii_case("lab").then_some(7)
    }

    fn condition(&self, expression: &str) -> Result<Where, WhereError> {
        let (registry, aliases) = (nmsg::Registry::builtin(), nmsg::Aliases::default());
        Where::compile(expression, &registry, &aliases, nmsg::Timestamp::default())
    }

    fn channel(&self, name: &str) -> ChannelFile {
        if name == "unknown" {
            return ChannelFile::Missing("nmsg_chalias_lookup() failed: here or there".to_owned());
        }
        let file = b"ch1 127.0.0.1/5000..5001 [::1]/5003,7 # note\nempty\nzch tcp://h:5\n\
            odd 127.0.0.1\nlarge 127.0.0.1/5000..5099\n";
        let targets = nmsg_io::address::look_up_channel(file, name);
        ChannelFile::Found { path: PathBuf::from("ch"), targets }
    }
}

fn settle(words: &[&str]) -> Result<Settings, Failure> {
    settle_in(words, FlagSet::available(), &|_| None)
}

fn settle_in(
    words: &[&str],
    flags: FlagSet,
    env: &dyn Fn(&str) -> Option<OsString>,
) -> Result<Settings, Failure> {
    let Command::Run(given) = grammar::parse(flags, words.iter().map(OsString::from))? else {
        panic!("{words:?} asks for help or version")
    };
    Settings::from_given(given, Surroundings { flags, env, names: &TestNames })
}

fn line(line: &str) -> Settings {
    let words: Vec<&str> = line.split_whitespace().collect();
    settle(&words).unwrap_or_else(|failure| panic!("{line}: {failure}"))
}

fn mistake(words: &[&str]) -> String {
    let failure = settle(words).unwrap_err();
    assert_eq!(failure.exit_status().code(), 2, "{words:?}");
    failure.to_string()
}

fn file(format: Format, name: &str) -> File {
    File { format, place: Place::from(OsString::from(name)) }
}

#[test]
fn nothing_but_an_input() {
    assert_eq!(
        line("-r in.nmsg"),
        Settings {
            debug: 1,
            log_format: LogFormat::Text,
            endpoints: vec![
                Endpoint::Input(Input::File(file(Format::Nmsg, "in.nmsg"))),
                Endpoint::Output(Output::File(file(Format::Presentation, "-"))),
            ],
            mirror: false,
            count: None,
            byte_rate: None,
            endline: b"\n".to_vec(),
            compress: false,
            unbuffered: false,
            mtu: 8192,
            flush_interval: None,
            interval: None,
            randomize: false,
            rotation: None,
            daemon: false,
            pid_file: None,
            user: None,
            kafka_key: None,
            whole_records: false,
            ttl: None,
            message_type: None,
            select: Selection::default(),
            condition: None,
            filters: Filters::default(),
            statistics: Vec::new(),
            set: Labels::default(),
            capture: None,
            on_damage: OnDamage::Report,
            stats: false,
            metrics: None,
            threads: None,
            channels: Vec::new(),
            zmq_channels: Vec::new(),
            warnings: Vec::new(),
        }
    );
}

#[test]
fn every_option_reaches_its_setting() {
    let given = line(
        "-r in.nmsg -w out.nmsg -o - --mirror -c 7 -B 5000 -e ; -z --unbuffered -ddd --stats \
         --strict -V sie -T DNSdedupe --setsource 0xa1ba02cf --setoperator qa --setgroup 0x10 \
         --getsource 017 --getoperator 12 --getgroup LAB",
    );
    let label = |text: &str, number: u32| {
        Some(Label { text: text.to_owned(), number: number.try_into().unwrap() })
    };
    assert!(given.mirror && given.compress && given.unbuffered && given.stats);
    assert_eq!(given.count.map(NonZeroU64::get), Some(7));
    assert_eq!(given.byte_rate.map(NonZeroU64::get), Some(5000));
    assert_eq!(given.endline, b";");
    assert_eq!(given.debug, 3);
    assert_eq!(given.on_damage, OnDamage::Stop);
    let message_type = given.message_type.clone().unwrap();
    assert_eq!((message_type.vendor, message_type.number), (2, 1));
    assert_eq!(
        (message_type.vendor_name.as_str(), message_type.name.as_str()),
        ("sie", "DNSdedupe")
    );
    assert_eq!(given.set.source.map(u32::from), Some(0xa1ba_02cf));
    assert_eq!(given.set.operator, label("qa", 101));
    assert_eq!(given.set.group, label("0x10", 16));
    assert_eq!(given.select.sources, [NonZeroU32::new(15).unwrap()]);
    let operators: Vec<Label> = label("12", 5).into_iter().collect();
    assert_eq!(given.select.operators, operators, "an alias wins over a number");
    assert_eq!(given.select.groups, Vec::from_iter(label("LAB", 7)));
    assert_eq!(given.warnings, [""; 0]);
}

/// An option that is parsed must be acted on: this finds one that is not.
#[test]
fn no_available_option_is_ignored() {
    for flag in FlagSet::available().iter() {
        let value = match flag.id {
            FlagId::MessageType => "dnsqr",
            FlagId::ReadSocket | FlagId::WriteSocket => "127.0.0.1/1",
            FlagId::ReadChannel => "ch1",
            FlagId::ReadZmqSocket | FlagId::WriteZmqSocket => "tcp://127.0.0.1:1",
            FlagId::ReadZmqChannel => "zch",
            FlagId::ReadKafka | FlagId::WriteKafka => "json:t@b",
            FlagId::Filter => "sample,count=1",
            FlagId::StatsModule => "sample",
            FlagId::Where => "type = dnsqr",
            FlagId::Metrics => "127.0.0.1:0",
            FlagId::LogFormat => "json",
            FlagId::Help | FlagId::Version => continue,
            _ => "1",
        };
        let mut words = vec![format!("--{}", flag.long)];
        if flag.takes_value() {
            words.push(value.to_owned());
        }
        words.extend(["-r", "in", "-V", "base", "-T", "dnsqr"].map(str::to_owned));
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        assert!(settle(&words).is_ok(), "--{}: {:?}", flag.long, settle(&words));
    }
}

#[test]
fn an_accepted_option_nobody_acts_on_is_a_bug_not_a_silence() {
    let words = ["-r", "in"].map(OsString::from);
    let flags = FlagSet::available();
    let Ok(Command::Run(mut given)) = grammar::parse(flags, words) else { panic!("it is a run") };
    given.supply(FlagId::Help, OsString::new());
    let around = Surroundings { flags, env: &|_| None, names: &TestNames };
    let failure = Settings::from_given(given, around).unwrap_err();
    assert_eq!(failure.kind(), FailureKind::Internal);
    assert!(failure.to_string().contains("-h"), "{failure}");
}

#[test]
fn variables_stand_in_for_available_options_only() {
    let env = |name: &str| match name {
        "NMSG_KICKER" => Some(OsString::from("gzip")),
        "NMSG_KAFKA_KEY" => Some(OsString::from("qname")),
        _ => None,
    };
    let command = |words: &[&str]| {
        let settings = settle_in(words, FlagSet::available(), &env).unwrap();
        settings.rotation.unwrap().command
    };
    assert_eq!(command(&["-r", "in"]), Some(OsString::from("gzip")));
    assert_eq!(command(&["-r", "in", "-k", "xz"]), Some(OsString::from("xz")));
    assert_eq!(command(&["-r", "in", "-k="]), None);
}

#[test]
fn cl_10_endpoints_open_in_a_fixed_order() {
    let given = line(
        "-V base -T ipconn -J J1 -j j1 -o o1 -f f1 -C ch1 -w w1 -r r1 -J J2 -r r2 -o o2 -w w2 -j j2 \
         -f f2 -Z zch -S tcp://s:1,accept -L ipc://l -s 127.0.0.1/1..2,5,7 -l ::/3 \
         -l 127.0.0.1/4..5",
    );
    let order: Vec<String> = given
        .endpoints
        .iter()
        .map(|endpoint| match endpoint {
            Endpoint::Input(input) => input.to_string(),
            Endpoint::Output(output) => output.to_string(),
        })
        .collect();
    assert_eq!(
        order,
        [
            "nmsg socket input: ::/3",
            "nmsg socket input: 127.0.0.1/4",
            "nmsg socket input: 127.0.0.1/5",
            "nmsg socket output: 127.0.0.1/1,5,7",
            "nmsg socket output: 127.0.0.1/2,5,7",
            "nmsg ZMQ input: ipc://l",
            "nmsg ZMQ output: tcp://s:1,accept",
            "nmsg file input: r1",
            "nmsg file input: r2",
            "nmsg file output: w1",
            "nmsg file output: w2",
            "nmsg socket input: 127.0.0.1/5000",
            "nmsg socket input: 127.0.0.1/5001",
            "nmsg socket input: ::1/5003",
            "nmsg ZMQ input: tcp://h:5",
            "nmsg pres input: f1",
            "nmsg pres input: f2",
            "nmsg pres output: o1",
            "nmsg pres output: o2",
            "nmsg json input: j1",
            "nmsg json input: j2",
            "nmsg json output: J1",
            "nmsg json output: J2",
        ]
    );
    assert_eq!(given.inputs().count(), 14);
    let striped: Vec<String> = given.outputs().map(ToString::to_string).collect();
    assert_eq!(striped.len(), 9);
    assert!(striped[3].ends_with("w1") && striped[8].ends_with("J2"), "{striped:?}");
}

#[test]
fn implicit_output_only_without_any_other() {
    for (words, want) in [("-r in", 1), ("-r in -w out", 1), ("-r in -o - -J -", 2)] {
        assert_eq!(line(words).outputs().count(), want, "{words}");
    }
    let implicit = line("-j in");
    assert_eq!(implicit.outputs().next(), Some(&Output::standard()));
}

#[test]
fn cl_6_usage_errors() {
    for (name, words, want) in [
        ("nothing at all", &[][..], "no data sources specified (-h for more help)"),
        ("only outputs", &["-w", "-"], "no data sources specified (-h for more help)"),
        ("vendor alone", &["-V", "base"], "-V requires -T"),
        ("vendor nobody has", &["-V", "nope", "-T", "dnsqr"], "invalid vendor ID"),
        ("vendor by number", &["-V", "1", "-T", "dnsqr"], "invalid vendor ID"),
        ("type nobody has", &["-V", "base", "-T", "nope"], "invalid message type"),
        ("type of another vendor", &["-T", "dnsdedupe"], "invalid message type"),
        (
            "presentation input without type",
            &["-f", "in"],
            "reading presentation or pcap data requires -V, -T",
        ),
        ("source zero", &["--setsource", "0"], "invalid source ID"),
        ("source too large", &["--setsource", "4294967296"], "invalid source ID"),
        ("source with more", &["--setsource", "1x"], "invalid source ID"),
        ("filter source", &["--getsource", "word"], "invalid filter source ID"),
        ("operator", &["--setoperator", "word"], "unknown operator name"),
        ("operator alias of zero", &["--setoperator", "nobody"], "unknown operator name"),
        ("operator zero", &["--setoperator", "0"], "unknown operator name"),
        ("group", &["--setgroup", "word"], "unknown group name"),
        ("filter operator", &["--getoperator", "word"], "unknown filter operator name"),
        ("filter group", &["--getgroup", ""], "unknown filter group name"),
        (
            "contradiction",
            &["--strict", "--keep-going"],
            "--strict and --keep-going exclude each other",
        ),
        ("endline escape", &["-e", "\\q"], "argument to -e has the unknown escape '\\q'"),
    ] {
        assert_eq!(mistake(words), format!("usage error: {want}"), "{name}");
    }
}

#[test]
fn cl_6_the_first_mistake_is_reported() {
    let everything = [
        "-e",
        "\\q",
        "-T",
        "nope",
        "-c",
        "x",
        "--setsource",
        "0",
        "--getgroup",
        "nope",
        "-f",
        "in",
    ];
    for (from, want) in [
        (0, "argument to -e has the unknown escape '\\q'"),
        (2, "invalid message type"),
        (4, "argument to -c must be a whole number up to 9223372036854775807, not 'x'"),
        (6, "invalid source ID"),
        (8, "unknown filter group name"),
        (10, "reading presentation or pcap data requires -V, -T"),
        (12, "no data sources specified (-h for more help)"),
    ] {
        assert_eq!(mistake(&everything[from..]), format!("usage error: {want}"));
    }
}

#[test]
fn cl_2_numbers_of_options() {
    for (words, want) in [
        (["-c", "0"], None),
        (["-c", "-1"], None),
        (["-c", "5"], Some(5)),
        (["-c", "4294967297"], Some(4_294_967_297)),
    ] {
        let given = settle(&["-r", "in", words[0], words[1]]).unwrap();
        assert_eq!(given.count.map(NonZeroU64::get), want, "{words:?}");
    }
    for words in [["-c", "1abc"], ["-c", "0x1"], ["-c", ""], ["-B", "fast"], ["-B", "1e9"]] {
        let want = format!("argument to {} must be a whole number", words[0]);
        assert!(mistake(&["-r", "in", words[0], words[1]]).contains(&want), "{words:?}");
    }
    assert!(mistake(&["-r", "in", "-d=x"]).contains("argument to -d must be a whole number"));
}

#[test]
fn sk_5_sockets_are_checked_before_anything_is_opened() {
    for (words, want) in [
        (["-l", "127.0.0.1"], "argument to -l needs a /"),
        (["-s", "127.0.0.1"], "argument to -s needs a /"),
        (["-l", "127.0.0.1/x"], "need a port number or range after /"),
        (["-l", "127.0.0.1/5000,10"], "need a port number or range after /"),
        (["-l", "127.0.0.1/5000..5021"], "bad port range in -l argument"),
        (["-s", "127.0.0.1/5..3,1"], "bad port range in -s argument"),
        (["-l", "127.0.0.1/0"], "bad -l socket"),
        (["-l", "127.1/5000"], "bad -l socket"),
        (["-s", "127.0.0.1/5000,abc"], "bad -s socket"),
        (["-C", "nope"], "channel alias lookup failed"),
        (["-C", "unknown"], "channel alias lookup failed"),
        (["-C", "empty"], "channel alias lookup failed"),
        (["-C", "zch"], "channel alias appears to be a ZeroMQ endpoint"),
        (["-C", "odd"], "argument to -l needs a /"),
    ] {
        assert_eq!(mistake(&words), format!("usage error: {want}"), "{words:?}");
    }
}

#[test]
fn cl_6_the_c_library_has_a_line_of_its_own() {
    for (words, want) in [
        (["-l", "127.0.0.1/0"], "getsock: invalid port number\n"),
        (["-l", "h o/5"], "getsock: addr is not valid inet or inet6\n"),
        (["-s", "::/5,\x1b"], "getsock: invalid packet rate (::/5,\\x1b)\n"),
        (["-s", "::/5,5,x"], "getsock: bad frequency (::/5,5,x)\n"),
        (["-C", "unknown"], "nmsg_chalias_lookup() failed: here or there\n"),
        (["-l", "::"], ""),
    ] {
        let mut text = Vec::new();
        settle(&words).unwrap_err().report("prog", &mut text).unwrap();
        let text = String::from_utf8(text).unwrap();
        let above = text.split("prog: usage error: ").next().unwrap();
        assert_eq!(above, want, "{words:?}");
    }
}

#[test]
fn sk_5_channels_have_any_number_of_ports() {
    let given = line("-C large -C ch1 -C ch1");
    assert_eq!(given.inputs().count(), 100 + 3 + 3);
    assert_eq!(given.channels, ["large", "ch1", "ch1"]);
    assert!(given.set_up_lines().contains(&"looking up channel 'large'".to_owned()));
}

#[test]
fn cl_7_cl_8_what_is_passed_over_in_channel_files_is_said() {
    assert_eq!(
        line("-C ch1 -C large").warnings,
        [
            "ch: line 2 skipped: a channel without endpoints",
            "',7' ignored in channel endpoint [::1]/5003,7",
        ]
    );
}

#[test]
fn sk_4_the_ports_of_one_option_share_a_rate() {
    let given = line("-r in -s 127.0.0.1/1..2,5,7 -s ::1/9");
    let sockets: Vec<_> = given
        .outputs()
        .filter_map(|output| match output {
            Output::Socket(socket) => Some((socket.option, socket.rate.map_or(0, u32::from))),
            Output::File(_) | Output::Zmq(_) | Output::Kafka(_) => None,
        })
        .collect();
    assert_eq!(sockets, [(0, 5), (0, 5), (1, 0)]);
}

#[test]
fn cl_2_the_container_size_is_clamped() {
    for (words, want) in [
        ("", 8192),
        ("-m 0", 8192),
        ("-m 1", 512),
        ("-m -1", 512),
        ("-m 512", 512),
        ("-m 1280", 1280),
        ("-m 1048577", 1 << 20),
        ("-m 9223372036854775807", 1 << 20),
    ] {
        assert_eq!(line(&format!("-r in -s ::1/9 {words}")).mtu, want, "{words}");
    }
    assert!(mistake(&["-r", "in", "-m", "x"]).contains("argument to -m must be a whole number"));
}

#[test]
fn cl_11_selected_labels_add_up_and_labels_to_set_do_not() {
    let given = line(
        "-r in --getsource 1 --getsource 0x10 --getoperator qa --getgroup lab --getoperator 9 \
         --setsource 1 --setsource 2",
    );
    let sources: Vec<u32> = given.select.sources.iter().map(|number| number.get()).collect();
    assert_eq!(sources, [1, 16]);
    let numbers =
        |labels: &[Label]| -> Vec<u32> { labels.iter().map(|label| label.number.get()).collect() };
    assert_eq!(numbers(&given.select.operators), [101, 9]);
    assert_eq!(numbers(&given.select.groups), [7]);
    assert_eq!(given.set.source.map(u32::from), Some(2), "the last one decides");
    assert_eq!(
        given.set_up_lines(),
        [
            "nmsg source set to 0x00000002",
            "nmsg source filter set to 0x00000001",
            "nmsg source filter set to 0x00000010",
            "nmsg filter operator set to 'qa' (101)",
            "nmsg filter operator set to '9' (9)",
            "nmsg filter group set to 'lab' (7)",
        ]
    );
    for (option, want) in [
        ("--getsource", "invalid filter source ID"),
        ("--getoperator", "unknown filter operator name"),
        ("--getgroup", "unknown filter group name"),
    ] {
        for words in [["1", "x"], ["x", "1"]] {
            let message = mistake(&["-r", "in", option, words[0], option, words[1]]);
            assert_eq!(message, format!("usage error: {want}"), "{option} {words:?}");
        }
    }
    assert!(mistake(&["-r", "in", "--getsource", "0"]).contains("invalid filter source ID"));
}

#[test]
fn messages_are_text_or_json() {
    for (words, want) in [
        ("--log-format text", LogFormat::Text),
        ("--log-format json", LogFormat::Json),
        ("--log-format json --log-format text", LogFormat::Text),
    ] {
        assert_eq!(line(&format!("-r in {words}")).log_format, want, "{words}");
    }
    for word in ["", "xml", "JSON"] {
        assert_eq!(
            mistake(&["-r", "in", "--log-format", word]),
            format!("usage error: argument to --log-format must be text or json, not '{word}'")
        );
    }
}

#[test]
fn the_address_of_the_metrics_is_numeric() {
    for text in ["127.0.0.1:9153", "[::1]:9153", "0.0.0.0:0", "[::]:65535"] {
        let given = line(&format!("-r in --metrics {text}"));
        assert_eq!(given.metrics.map(|address| address.to_string()).as_deref(), Some(text));
    }
    for text in
        ["", "9153", ":9153", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "::1:9153", "x:1"]
    {
        let message = mistake(&["-r", "in", "--metrics", text]);
        assert!(message.contains("--metrics must be ADDR:PORT, not"), "{text}: {message}");
    }
}

#[test]
fn options_of_rotation_and_process() {
    let given = line("-r in -w out --flush-interval 5");
    assert_eq!(given.flush_interval.map(NonZeroU64::get), Some(5));
    let given = line("-r in -w out -t 3600 -R -k gzip --skip-empty -D -P pid -U nobody");
    assert_eq!(given.interval.map(NonZeroU64::get), Some(3600));
    assert!(given.randomize && given.daemon);
    let command = Some(OsString::from("gzip"));
    assert_eq!(given.rotation, Some(Rotation { command, skip_empty: true, size_limit: None }));
    assert_eq!(given.pid_file, Some(PathBuf::from("pid")));
    assert_eq!(given.user.as_deref(), Some("nobody"));
    let named_only = settle(&["-r", "in", "-k", ""]).unwrap();
    assert_eq!(
        named_only.rotation,
        Some(Rotation { command: None, skip_empty: false, size_limit: None })
    );
    for (words, want) in [("0", None), ("1000", Some(1000)), ("16k", Some(16_384))] {
        let given = line(&format!("-r in -w out -k x --rotate-size {words}"));
        let size_limit = given.rotation.and_then(|rotation| rotation.size_limit);
        assert_eq!(size_limit.map(NonZeroU64::get), want, "{words}");
    }
    assert!(mistake(&["-r", "in", "-k", "", "--rotate-size", "all"]).contains("--rotate-size"));
    for (words, want) in [("-t 0", None), ("-t -5", None), ("-t 5", Some(5))] {
        let given = line(&format!("-r in {words}"));
        assert_eq!(given.interval.map(NonZeroU64::get), want, "{words}");
    }
    assert!(mistake(&["-r", "in", "-t", "1h"]).contains("argument to -t must be a whole number"));
}

#[test]
fn cw_12_files_that_start_anew_have_other_names() {
    let scratch = Scratch::new();
    let path = scratch.at("X");
    fs::write(&path, b"").unwrap();
    assert!(settle(&["-r", &path, "-w", &path]).is_err());
    assert!(settle(&["-r", &path, "-w", &path, "-o", &path, "-k", ""]).is_ok());
}

#[test]
fn sk_6_the_time_to_live() {
    assert_eq!(line("-r in -s ff02::1%lo/9 --ttl 0").ttl, Some(0));
    assert_eq!(line("-r in -s ff02::1%lo/9 --ttl 255").ttl, Some(255));
    for words in [["--ttl", "256"], ["--ttl=-1", "-z"], ["--ttl", "x"]] {
        let want = "argument to --ttl must be a whole number from 0 to 255";
        assert!(mistake(&["-r", "in", words[0], words[1]]).contains(want), "{words:?}");
    }
}

#[test]
fn debug_levels() {
    for (words, want) in [
        ("", 1),
        ("-d", 1),
        ("-dd", 2),
        ("-d -d -d", 3),
        ("-d=3", 3),
        ("-d=2 -d", 3),
        ("-d=0", 1),
        ("-d=-7", 1),
        ("-d=4294967295 -d", u32::MAX),
    ] {
        assert_eq!(line(&format!("-r in {words}")).debug, want, "'{words}'");
    }
}

#[test]
fn message_types_by_name() {
    for (words, want) in [
        ("-T dnsqr", (1, 9)),
        ("-V base -T DNSQR", (1, 9)),
        ("-V ISC -T dnsqr", (1, 9)),
        ("-T dnsdedupe -V SIE", (2, 1)),
    ] {
        let message_type = line(&format!("-f in {words}")).message_type.unwrap();
        assert_eq!((message_type.vendor, message_type.number), want, "{words}");
    }
}

#[test]
fn cl_5_options_that_apply_to_nothing_are_warned_about() {
    let brake = |id| format!("-B does not slow down {id} inputs");
    for (words, want) in [
        ("-r in -B 5", vec![]),
        ("-r in -B 0 -j in2", vec![]),
        ("-r in -j in2 -B 5", vec![brake("-j")]),
        ("-j in -f in2 -T ipconn -B 5", vec![brake("-f"), brake("-j")]),
        ("-r in -z -o -", vec!["-z has no effect: there is no container output (-w)".to_owned()]),
        ("-r in -z -o - -w out", vec![]),
        (
            "-r in -e x -J -",
            vec!["-e has no effect: there is no presentation output (-o)".to_owned()],
        ),
        ("-r in -e x", vec![]),
        ("-r in -w out", vec![]),
        ("-r in -s ::1/9 -z -m 600 --ttl 2", vec![]),
        ("-r in -m 600", vec!["-m has no effect: there is no UDP output (-s)".to_owned()]),
        ("-r in --ttl 2", vec!["--ttl has no effect: there is no UDP output (-s)".to_owned()]),
        ("-r in -t 5 -R", vec![]),
        ("-r in -R", vec!["-R has no effect: there is no interval (-t)".to_owned()]),
        ("-r in -k x -t 5 --skip-empty", vec![]),
        ("-r in -k x -s ::1/9", vec!["-k has no effect: there is no file output".to_owned()]),
        (
            "-r in --rotate-size 5k",
            vec!["--rotate-size has no effect: there are no new files (-k)".to_owned()],
        ),
        (
            "-r in --skip-empty",
            vec!["--skip-empty has no effect: there are no new files (-k)".to_owned()],
        ),
        ("-r in -l ::/9 -B 5", vec!["-B does not slow down sockets (-l, -C)".to_owned()]),
    ] {
        assert_eq!(line(words).warnings, want, "{words}");
    }
}

#[test]
fn set_up_lines_of_level_two() {
    let given = line(
        "-r in -T dnsqr --setsource 1 --setoperator 5 --setgroup lab --getsource 7 --getoperator QA \
         --getgroup 9",
    );
    assert_eq!(
        given.set_up_lines(),
        [
            "input vendor = base",
            "input msgtype = dnsqr",
            "nmsg source set to 0x00000001",
            "nmsg operator set to '5' (5)",
            "nmsg group set to 'lab' (7)",
            "nmsg source filter set to 0x00000007",
            "nmsg filter operator set to 'QA' (101)",
            "nmsg filter group set to '9' (9)",
        ]
    );
    assert_eq!(line("-r in").set_up_lines(), [""; 0]);
}

/// A directory of its own for one test, removed at its end.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let unique = format!(
            "nmsgtool-settings-{}-{}",
            std::process::id(),
            NEXT.fetch_add(1, Ordering::Relaxed)
        );
        let path = std::env::temp_dir().join(unique);
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn at(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What stays behind stays in the temporary directory.
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn cw_12_one_file_is_not_written_over() {
    let scratch = Scratch::new();
    let at = |name| scratch.at(name);
    fs::write(at("file"), b"data").unwrap();
    fs::write(at("other"), b"data").unwrap();
    fs::hard_link(at("file"), at("hard")).unwrap();
    fs::create_dir(at("dir")).unwrap();
    for (target, link) in [("file", "soft"), ("planned", "dangling"), ("dangling", "chain")] {
        std::os::unix::fs::symlink(target, at(link)).unwrap();
    }
    std::os::unix::fs::symlink("loop", at("loop")).unwrap();
    for (name, words, refused) in [
        ("read and written", ["-r", "file", "-w", "file"], true),
        ("by another spelling", ["-r", "file", "-w", "./dir/../file"], true),
        ("by a hard link", ["-r", "hard", "-o", "file"], true),
        ("by a symbolic link", ["-j", "file", "-J", "soft"], true),
        ("two outputs", ["-w", "file", "-o", "file"], true),
        ("two outputs to come", ["-w", "new", "-w", "dir/../new"], true),
        ("two outputs through a dangling link", ["-w", "planned", "-o", "dangling"], true),
        ("two outputs through a chain of links", ["-o", "planned", "-J", "chain"], true),
        ("two inputs", ["-r", "file", "-r", "hard"], false),
        ("two files", ["-r", "file", "-w", "other"], false),
        ("two names to come", ["-w", "new", "-w", "dir/new"], false),
        ("missing input", ["-r", "missing", "-w", "missing"], true),
        ("a directory is not written", ["-r", "dir", "-w", "dir"], false),
        ("a loop of links is not followed for ever", ["-r", "file", "-w", "loop"], false),
    ] {
        let (one, two) = (at(words[1]), at(words[3]));
        let line = [words[0], &one, words[2], &two, "-r", "-"];
        match settle(&line) {
            Ok(_) => assert!(!refused, "{name}"),
            Err(failure) => {
                assert!(refused, "{name}: {failure}");
                assert!(failure.to_string().ends_with("are the same file"), "{name}: {failure}");
                assert_eq!(failure.exit_status().code(), 2, "{name}");
            }
        }
    }
    assert_eq!(fs::read(at("file")).unwrap(), b"data", "looking does not change it");
    assert!(!Path::new(&at("new")).exists(), "looking does not create it");
}

#[test]
fn cw_12_devices_and_standard_streams_may_repeat() {
    for words in [
        "-r - -w -",
        "-r - -r -",
        "-r in -w - -o - -J -",
        "-r /dev/null -w /dev/null -o /dev/null",
        "-j /dev/zero -J /dev/null",
    ] {
        line(words);
    }
}

#[test]
fn cw_12_the_message_names_both_options() {
    let scratch = Scratch::new();
    fs::write(scratch.at("X"), b"").unwrap();
    let path = scratch.at("X");
    assert_eq!(
        mistake(&["-w", &path, "-r", &path]),
        format!("usage error: -r {path} and -w {path} are the same file")
    );
}

#[test]
fn places_keep_their_bytes() {
    let odd = OsString::from_vec(b"\xff\x1b".to_vec());
    let place = Place::from(odd.clone());
    assert_eq!(place, Place::Path(PathBuf::from(odd)));
    assert_eq!(place.to_string(), "\u{fffd}\\x1b");
    assert_eq!(Place::from(OsString::from("-")), Place::Standard);
    assert_eq!(Place::from(OsString::from("./-")), Place::Path(PathBuf::from("./-")));
}

#[test]
fn cl_6_files_that_do_not_open() {
    let missing = std::io::Error::from_raw_os_error(2);
    for (name, read, write) in [
        (
            "x.nmsg",
            "unable to open x.nmsg for reading: No such file or directory",
            "unable to open x.nmsg for writing: No such file or directory",
        ),
        (
            "",
            "unable to open  for reading: No such file or directory",
            "unable to open  for writing: No such file or directory",
        ),
    ] {
        let file = file(Format::Nmsg, name);
        let (reading, writing) = (file.not_readable(&missing), file.not_writable(&missing));
        assert_eq!((reading.to_string().as_str(), reading.exit_status().code()), (read, 3));
        assert_eq!((writing.to_string().as_str(), writing.exit_status().code()), (write, 4));
    }
}

#[test]
fn cl_5_filters_and_their_policy() {
    for (words, chain, policy, warnings) in [
        ("-F sample,count=3", &[Sampling::Count(3)][..], None, &[][..]),
        (
            "-F sample,count=3 --filter=sample,rate=0.5 --policy drop",
            &[Sampling::Count(3), Sampling::Random(0.5)],
            Some(Policy::Drop),
            &[],
        ),
        ("-F sample,random=1 --policy Accept", &[Sampling::Random(1.0)], Some(Policy::Accept), &[]),
        ("--policy DROP", &[], None, &["--policy has no effect: there is no filter (-F)"]),
        ("--policy xyz", &[], None, &["--policy has no effect: there is no filter (-F)"]),
    ] {
        let given = line(&format!("-r in.nmsg {words}"));
        let got: Vec<Sampling> = given.filters.chain.iter().map(|link| link.sampling).collect();
        assert_eq!(got, chain, "{words}");
        assert_eq!(given.filters.policy, policy, "{words}");
        assert_eq!(given.warnings, warnings, "{words}");
    }
}

#[test]
fn mo_4_filters_are_told_at_level_2() {
    let given = line("-r in.nmsg -F sample,count=3 -F sample,rate=1 --policy drop");
    let want = [
        "adding filter module sample,count=3",
        "adding filter module sample,rate=1",
        "setting default filter policy to DROP",
    ];
    assert_eq!(given.filters.lines(), want);
    assert!(line("-r in.nmsg").filters.lines().is_empty());
}

#[test]
fn mo_4_filters_that_are_refused() {
    let failed = "nmsg_io_add_filter_module() failed for";
    for (words, want) in [
        (&["-F", ""][..], "usage error: -F without the name of a filter".to_owned()),
        (&["-F", ","], "usage error: -F without the name of a filter".to_owned()),
        (&["-F", ",count=3"], "usage error: -F without the name of a filter".to_owned()),
        (&["-F", "gone,x=1"], format!("{failed} gone,x=1: generic failure (1)")),
        (&["-F", "sample"], format!("{failed} sample: generic failure (1)")),
        (&["-F", "sample,count=0"], format!("{failed} sample,count=0: generic failure (1)")),
        (&["-F", "sample,count=1", "--policy", "xyz"], "unknown filter policy 'xyz'".to_owned()),
        (&["-F", "gone", "--policy", "xyz"], format!("{failed} gone: generic failure (1)")),
    ] {
        let words: Vec<&str> = ["-r", "in.nmsg"].into_iter().chain(words.iter().copied()).collect();
        assert_eq!(mistake(&words), want, "{words:?}");
    }
    // Filters come behind endpoints, and before it is noticed that there is no input.
    assert_eq!(mistake(&["-F", "gone"]), format!("{failed} gone: generic failure (1)"));
}

#[test]
fn conditions_are_compiled() {
    let given = settle(&["-r", "in.nmsg", "--where", "type = ipconn", "--where", "len > 3"]);
    let condition = given.expect("a condition").condition.expect("the last one counts");
    assert_eq!(condition.text, "len > 3");
    let want = "usage error: --where: no field is called 'qnam', perhaps 'qname' (column 1)";
    assert_eq!(mistake(&["-r", "in.nmsg", "--where", "qnam = x"]), want);
    let broken = OsString::from_vec(b"len > \xff".to_vec());
    let words = ["-r", "in.nmsg", "--where"].map(OsString::from).into_iter().chain([broken]);
    let flags = FlagSet::available();
    let Ok(Command::Run(given)) = grammar::parse(flags, words) else { panic!("words") };
    let around = Surroundings { flags, env: &|_| None, names: &TestNames };
    let failure = Settings::from_given(given, around).unwrap_err();
    assert_eq!(failure.to_string(), "usage error: --where: not text in UTF-8");
}

#[test]
fn cl_4_empty_names_are_refused() {
    for words in [
        ["-T", "dnsqr", "-i", ""],
        ["-T", "dnsqr", "-i", ","],
        ["-r", "in", "-F", ""],
        ["-r", "in", "-F", ","],
        ["-r", "in", "-F", ",count=1"],
    ] {
        assert_eq!(settle(&words).unwrap_err().exit_status(), ExitStatus::Usage, "{words:?}");
    }
}

#[test]
fn mo_1_a_folder_of_modules_that_is_not_there_is_told() {
    let scratch = Scratch::new();
    fs::write(scratch.at("file"), b"").unwrap();
    let settle_with = |folder: Option<&str>| {
        let folder = folder.map(|name| scratch.at(name));
        let env = |name: &str| match name {
            "NMSG_MSGMOD_DIR" => folder.clone().map(OsString::from),
            _ => None,
        };
        settle_in(&["-r", "in"], FlagSet::available(), &env).unwrap().warnings
    };
    assert_eq!(settle_with(None), [""; 0]);
    assert_eq!(settle_with(Some("")), [""; 0]);
    for (name, reason) in [("missing", "No such file or directory"), ("file", "Not a directory")] {
        let want = format!(
            "NMSG_MSGMOD_DIR: unable to read {}: {reason}; the built-in message types do not need it",
            scratch.at(name)
        );
        assert_eq!(settle_with(Some(name)), [want]);
    }
}

#[test]
fn en_8_reports_and_their_parameters() {
    let given = line("-r in -M sample -M sample,secs=10,out=a.stats");
    let seconds: Vec<u64> = given.statistics.iter().map(|report| report.interval.get()).collect();
    assert_eq!(seconds, [1, 10]);
    assert_eq!(given.statistics[0].out, None);
    assert_eq!(given.statistics[1].out, Some(PathBuf::from("a.stats")));
    assert_eq!(given.statistics[1].to_string(), "adding stats module sample,secs=10,out=a.stats");
    for (text, above) in [
        ("nosuch", "nmsg_statsmod_init: ERROR: unable to open module file nmsg_stats1_nosuch.so"),
        ("./x.so", "nmsg_statsmod_init: ERROR: unable to open module file ./x.so"),
        ("sample,foo=1", "parse_args: invalid module parameter \"foo\""),
        ("sample,out=", "parse_args: invalid module parameter \"out\""),
        (
            "sample,secs=0",
            "parse_args: invalid update frequency value \"0\" (must be a number greater than 0)",
        ),
        (
            "sample,secs=",
            "parse_args: invalid update frequency value \"\" (must be a number greater than 0)",
        ),
    ] {
        let failure = settle(&["-r", "in", "-M", text]).unwrap_err();
        assert_eq!((failure.exit_status().code(), failure.details()), (2, vec![above.to_owned()]));
        let want = format!("nmsg_io_add_stats_module() failed for {text}: generic failure (1)");
        assert_eq!(failure.to_string(), want);
    }
    assert!(mistake(&["-r", "in", "-M", ""]).contains("-M without the name of a module"));
}
