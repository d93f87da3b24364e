//! Properties of the client, and topics that cannot be opened.

use super::documents;
use super::mock::{LONG, Mock, run, tool};
use crate::tool::{Scratch, end_of, ports, signal, start};
use std::io::{BufRead, BufReader};
use std::time::{Duration, Instant};

#[test]
fn properties_come_from_a_variable_or_a_file() {
    let (mock, scratch) = (Mock::new(1), Scratch::new());
    mock.produce("t#0", documents(3));
    let from = format!("json:t@{},oldest", mock.servers);
    let words = ["--readkafka", &from, "-J", "-", "-c", "3"];
    let with = |value: &str| {
        let mut command = tool(words);
        command.env("NMSG_KAFKA_CONFIG", value);
        end_of(start(command)).0
    };
    let file = |name: &str, text: String| scratch.write(name, text.as_bytes());
    let good = file(
        "good",
        format!(
            "# quick\n[default]\nfetch.wait.max.ms = 10\n\n[{}]\nfetch.min.bytes=1\n[other:1]\n\
             bogus=1\n",
            mock.servers
        ),
    );
    let bogus_for_us = file("bogus", format!("[{}]\nbogus=1\n", mock.servers));
    let no_section = file("none", "fetch.min.bytes=1\n".to_owned());
    let (failed, set) = ("nmsg_input_open_kafka_json() failed", "_kafka_config_set_option: failed");
    let cases = [
        ("fetch.wait.max.ms=10:fetch.min.bytes=1:", None),
        (&*good, None),
        (
            "bogus=1",
            Some(format!(
                "{set} to set Kafka option bogus = 1 (err -2: No such configuration property: \
                 \"bogus\")"
            )),
        ),
        (
            &bogus_for_us,
            Some(format!(
                "{set} to set Kafka option bogus = 1 (err -2: No such configuration property: \
                 \"bogus\")"
            )),
        ),
        ("bogus", Some("_kafka_process_config: failed to apply configuration \"bogus\"".into())),
        (
            &no_section,
            Some(format!(
                "_kafka_process_config: failed to load configuration file \"{no_section}\": \
                 setting before the first section (at line 1)"
            )),
        ),
        (
            "/nowhere/at/all",
            Some(
                "_kafka_process_config: failed to load configuration file \"/nowhere/at/all\": \
                 No such file or directory (os error 2)"
                    .into(),
            ),
        ),
    ];
    for (value, mistake) in cases {
        let ran = with(value);
        match mistake {
            None => assert_eq!((ran.status, ports(&ran.stdout)), (0, vec![0, 1, 2]), "{value}"),
            Some(mistake) => {
                assert_eq!(ran.stderr, format!("{mistake}\nnmsgtool: {failed}\n"), "{value}");
                assert_eq!(ran.status, 2, "{value}");
            }
        }
    }
}

#[test]
fn the_client_s_log_is_shown_from_a_level_on() {
    let mock = Mock::new(1);
    mock.produce("t#0", documents(1));
    let from = format!("json:t@{},oldest", mock.servers);
    for (level, variable, is_shown) in [
        ("-d", None, false),
        ("-dd", None, false),
        ("-ddd", None, true),
        ("-ddd", Some("4"), false),
        ("-dd", Some("2"), true),
        ("-d", Some("0"), true),
        ("-d", Some("many"), true),
    ] {
        let mut command = tool([level, "--readkafka", &from, "-J", "-", "-c", "1"]);
        command.env("NMSG_KAFKA_CONFIG", "debug=consumer");
        if let Some(variable) = variable {
            command.env("NMSG_KAFKA_LOG_LEVEL", variable);
        }
        let (ran, _) = end_of(start(command));
        assert_eq!(ran.status, 0, "{}", ran.stderr);
        let name = format!("{level} {variable:?}");
        assert_eq!(ran.stderr.contains(": 7: "), is_shown, "{name}: {}", ran.stderr);
        let warning = "warning: NMSG_KAFKA_LOG_LEVEL=many taken for 1";
        assert_eq!(ran.stderr.contains(warning), variable == Some("many"), "{name}");
    }
}

#[test]
fn ka_3_addresses_that_are_none_are_refused() {
    for (words, want) in [
        (
            ["--readkafka", "t@b"],
            "nmsgtool: Error: nmsg or json protocol must be set for Kafka topic\n",
        ),
        (
            ["--readkafka", "nmsg:t#one@b"],
            "_kafka_addr_init: invalid partition in Kafka endpoint: one\n\
             nmsgtool: nmsg_input_open_kafka_endpoint() failed\n",
        ),
        (
            ["--writekafka", "json:t%@b"],
            "_kafka_addr_init: group id cannot be empty: t%@b\n\
             nmsgtool: nmsg_output_open_kafka_json() failed\n",
        ),
    ] {
        let ran = run(["-r", "/dev/null"].into_iter().chain(words));
        assert_eq!(ran.status, 2, "{words:?}");
        assert!(ran.stderr.starts_with(want), "{words:?}: {}", ran.stderr);
    }
}

#[test]
fn a_topic_that_is_not_there_is_given_up_after_a_while() {
    let mock = Mock::new(1);
    let began = Instant::now();
    let from = format!("nmsg:nothing@{},oldest", mock.servers);
    let ran = run(["--readkafka", &from, "-J", "-"]);
    assert!(began.elapsed() >= Duration::from_secs(4), "ten attempts of half a second");
    let want =
        format!("nmsgtool: unable to read {}: no partitions of topic nothing found: ", &from[5..]);
    assert!(ran.stderr.contains(&want), "{}", ran.stderr);
    assert_eq!(ran.status, 3);
    // A signal ends the attempts.
    let child = start(tool(["--readkafka", &from, "-J", "-"]));
    std::thread::sleep(Duration::from_secs(1));
    signal(&child, "TERM");
    let (ran, took) = end_of(child);
    assert_eq!(ran.status, 1, "{}", ran.stderr);
    assert!(took < Duration::from_secs(2), "{took:?}");
}

#[test]
fn a_broker_that_is_not_there_is_waited_for() {
    // Nobody listens on this port.
    for (part, words) in [("#0", ["-J", "-"]), ("%g", ["-o", "-"])] {
        let from = format!("nmsg:t{part}@127.0.0.1:1");
        let mut child = start(tool(["--readkafka", &from].into_iter().chain(words)));
        let mut stderr = BufReader::new(child.stderr.take().expect("a pipe")).lines();
        let began = Instant::now();
        let first = stderr.next().expect("a line").expect("text");
        assert!(began.elapsed() < LONG);
        let want = format!("nmsgtool: t{part}@127.0.0.1:1: Kafka error -195: ");
        assert!(first.starts_with(&want), "{first}");
        assert!(child.try_wait().expect("ours").is_none(), "it goes on");
        signal(&child, "TERM");
        let (ran, took) = end_of(child);
        assert_eq!(ran.status, 1);
        assert!(took < Duration::from_secs(7), "{took:?}");
    }
}

#[test]
fn a_daemon_reads_a_topic() {
    let (mock, scratch) = (Mock::new(1), Scratch::new());
    mock.produce("t#0", documents(3));
    let from = format!("json:t@{},oldest", mock.servers);
    let out = scratch.text("out.json");
    let ran = run(["-D", "--readkafka", &from, "-J", &out, "-c", "3"]);
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    let until = Instant::now() + LONG;
    while std::fs::read(&out).map_or(0, |text| ports(&text).len()) < 3 {
        assert!(Instant::now() < until, "nothing is written");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// What the client's own properties need that only a feature of this build brings.
#[test]
fn a_missing_feature_is_named() {
    let hint = |what: &str, feature: &str| {
        format!(
            "this program was built without {what} for Kafka: build it with \
             `cargo build --release -p nmsgtool --features {feature}` (docs/kafka.md)"
        )
    };
    let has_tls = cfg!(feature = "kafka-ssl") || cfg!(feature = "kafka-sasl");
    let sasl = "security.protocol=SASL_PLAINTEXT:sasl.username=u:sasl.password=p:sasl.mechanism";
    for (properties, what, feature, is_there) in [
        ("security.protocol=SSL".to_owned(), "TLS and SASL", "kafka-ssl", has_tls),
        ("security.protocol=sasl_ssl".to_owned(), "TLS and SASL", "kafka-ssl", has_tls),
        ("ssl.ca.location=/".to_owned(), "TLS and SASL", "kafka-ssl", has_tls),
        (format!("{sasl}=SCRAM-SHA-256"), "TLS and SASL", "kafka-ssl", has_tls),
        (format!("{sasl}=GSSAPI"), "Kerberos", "kafka-sasl", cfg!(feature = "kafka-sasl")),
        (
            "compression.codec=zstd".to_owned(),
            "Zstandard",
            "kafka-zstd",
            cfg!(feature = "kafka-zstd"),
        ),
    ] {
        if is_there {
            continue;
        }
        for (option, failed) in [
            ("--readkafka", "nmsg_input_open_kafka_json() failed"),
            ("--writekafka", "nmsg_output_open_kafka_json() failed"),
        ] {
            let mut command = tool(["-r", "/dev/null", option, "json:t@127.0.0.1:1"]);
            command.env("NMSG_KAFKA_CONFIG", &properties);
            let (ran, _) = end_of(start(command));
            assert_eq!(ran.status, 2, "{properties}: {}", ran.stderr);
            let lines: Vec<&str> = ran.stderr.lines().collect();
            assert_eq!(lines[1], format!("nmsgtool: {failed}"), "{properties}");
            assert!(lines[2].ends_with(&hint(what, feature)), "{properties}: {}", ran.stderr);
        }
    }
}
