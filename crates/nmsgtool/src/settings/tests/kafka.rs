use super::*;
use nmsg_kafka::{Start, TopicPart};

fn topics(settings: &Settings) -> Vec<&KafkaTopic> {
    let topic = |endpoint| match endpoint {
        &Endpoint::Input(Input::Kafka(ref topic)) | &Endpoint::Output(Output::Kafka(ref topic)) => {
            Some(topic)
        }
        _ => None,
    };
    settings.endpoints.iter().filter_map(topic).collect()
}

#[test]
fn ka_3_topics_are_inputs_and_outputs() {
    let given = line(
        "-S tcp://s:1 -r in -w out -L tcp://h:1 --writekafka json:o1@b --readkafka \
         json:i1%g@b:1,OLDEST --readkafka nmsg:i2#3@[::1]:1,0x10 --writekafka nmsg:o2#0@b",
    );
    let shown: Vec<String> = given
        .endpoints
        .iter()
        .map(|endpoint| match endpoint {
            Endpoint::Input(input) => input.to_string(),
            Endpoint::Output(output) => output.to_string(),
        })
        .collect();
    let want = [
        "nmsg ZMQ input: tcp://h:1",
        "nmsg ZMQ output: tcp://s:1",
        "nmsg Kafka json input: i1%g@b:1,OLDEST",
        "nmsg Kafka input: i2#3@[::1]:1,0x10",
        "nmsg Kafka json output: o1@b",
        "nmsg Kafka output: o2#0@b",
        "nmsg file input: in",
        "nmsg file output: out",
    ];
    assert_eq!(shown, want);
    let topics = topics(&given);
    let formats: Vec<_> = topics.iter().map(|topic| topic.format).collect();
    assert_eq!(formats, [Format::Json, Format::Nmsg, Format::Json, Format::Nmsg]);
    let [first, second] = [0, 1].map(|n| &topics[n].address);
    assert_eq!((&*first.topic, &*first.broker, first.start), ("i1", "b:1", Start::Oldest));
    assert_eq!(first.part, TopicPart::Group("g".to_owned()));
    assert_eq!((&second.part, second.start), (&TopicPart::Partition(3), Start::At(16)));
    let odd = settle(&["--readkafka", "nmsg:t\x1b@b"]).unwrap();
    assert_eq!(odd.inputs().next().unwrap().to_string(), "nmsg Kafka input: t\\x1b@b");
}

#[test]
fn ka_3_addresses_that_are_none() {
    let protocol = "Error: nmsg or json protocol must be set for Kafka topic";
    for (option, value, above, want) in [
        ("--readkafka", "", "", protocol),
        ("--readkafka", "t@b", "", protocol),
        ("--readkafka", "JSON:t@b", "", protocol),
        ("--writekafka", "pres:t@b", "", protocol),
        (
            "--readkafka",
            "nmsg:t",
            "_kafka_addr_init: missing '@' in Kafka endpoint: t",
            "nmsg_input_open_kafka_endpoint() failed",
        ),
        (
            "--readkafka",
            "json:t#x@b",
            "_kafka_addr_init: invalid partition in Kafka endpoint: x",
            "nmsg_input_open_kafka_json() failed",
        ),
        (
            "--writekafka",
            "nmsg:t#1%g@b",
            "_kafka_addr_init: cannot use group and partition together: t#1%g@b",
            "nmsg_output_open_kafka_endpoint() failed",
        ),
        (
            "--writekafka",
            "json:t@b,soon",
            "_kafka_addr_init: invalid offset in Kafka endpoint: soon",
            "nmsg_output_open_kafka_json() failed",
        ),
    ] {
        let failure = settle(&["-r", "in", option, value]).unwrap_err();
        let mut report = Vec::new();
        failure.report("P", &mut report).unwrap();
        let report = String::from_utf8(report).unwrap();
        assert_eq!(failure.exit_status().code(), 2, "{value}");
        let mut lines = report.lines();
        if above.is_empty() {
            assert!(failure.hint().is_some_and(|hint| hint.contains("nmsg:TOPIC@BROKER")));
        } else {
            assert_eq!(lines.next(), Some(above), "{value}");
        }
        assert_eq!(lines.next(), Some(&*format!("P: {want}")), "{value}");
    }
}

#[test]
fn ka_5_the_key_is_a_field_of_the_type() {
    let to = "--writekafka json:t@b";
    for (words, want) in [
        (format!("-r in {to} --kafkakey qname"), Some("qname")),
        (format!("-r in {to} --kafkakey qname -T dnsqr"), Some("qname")),
        (format!("-r in {to} -T dnsqr"), None),
    ] {
        let given = line(&words);
        assert_eq!(given.kafka_key.as_deref(), want, "{words}");
        assert_eq!(given.warnings, [""; 0], "{words}");
    }
    let words = ["-r", "in", "--writekafka", "json:t@b", "--kafkakey", "qname", "-T", "ipconn"];
    let want = "usage error: --kafkakey: message type base ipconn has no field qname";
    assert_eq!(mistake(&words), want);
    // Types of a mixed stream may be unknown here.
    let given = line(&format!("-r in {to} --kafkakey qnam"));
    assert_eq!(given.kafka_key.as_deref(), Some("qnam"));
    assert_eq!(given.warnings, ["--kafkakey: no message type has a field qnam"]);
}

#[test]
fn ka_5_a_variable_stands_for_the_key() {
    let env = |name: &str| (name == "NMSG_KAFKA_KEY").then(|| OsString::from("qname"));
    for (words, key, warnings) in [
        (&["-r", "in", "--writekafka", "json:t@b"][..], Some("qname"), &[][..]),
        (&["-r", "in", "--writekafka", "json:t@b", "--kafkakey", "srcport"], Some("srcport"), &[]),
        (&["-r", "in", "--writekafka", "nmsg:t@b"], None, &[]),
        (&["-r", "in", "-T", "ipconn"], None, &[]),
        (
            &["-r", "in", "--kafkakey", "srcport"],
            None,
            &["--kafkakey has no effect: there is no JSON output to Kafka (--writekafka json:)"],
        ),
    ] {
        let given = settle_in(words, FlagSet::available(), &env).unwrap();
        assert_eq!(given.kafka_key.as_deref(), key, "{words:?}");
        assert_eq!(given.warnings, warnings, "{words:?}");
    }
}

#[test]
fn cl_5_options_without_a_topic_to_apply_to_are_warned_about() {
    let whole = "--whole-records has no effect: \
        there is no container output to Kafka (--writekafka nmsg:)";
    let slow = "-B does not slow down Kafka inputs (--readkafka)";
    for (words, want) in [
        ("-r in --writekafka nmsg:t@b -z --whole-records", &[][..]),
        ("-r in --whole-records", &[whole]),
        ("-r in --writekafka json:t@b --whole-records", &[whole]),
        ("--readkafka nmsg:t@b -B 5", &[slow]),
        (
            "-r in --writekafka json:t@b -z",
            &["-z has no effect: there is no container output (-w)"],
        ),
        ("-r in --writekafka json:t@b -k gzip", &["-k has no effect: there is no file output"]),
    ] {
        let given = line(words);
        assert_eq!(given.warnings, want, "{words}");
        assert_eq!(given.whole_records, words.contains("--whole"), "{words}");
    }
}
