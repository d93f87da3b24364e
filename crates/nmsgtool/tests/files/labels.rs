//! Source, operator and group (`nmsgtool-cli` §12, rows 1 to 14).

use crate::tool::{Scratch, command, feed, run_with_input};

const LINE: &str = r#"{"time":"2018-02-20 22:01:47.303896708","vname":"base","mname":"http","LABELS":0,"message":{"type":"unknown"}}"#;

fn line(labels: &str) -> String {
    LINE.replace("\"LABELS\":0,", labels) + "\n"
}

/// The three label fields of a presentation header.
fn header(text: &str) -> String {
    let first = text.lines().next().expect("a header");
    let (_, labels) = first.split_once("[1:4 base http] ").expect("the type");
    labels.to_owned()
}

/// What JSON says between type and message.
fn keys(text: &str) -> String {
    let (_, rest) = text.split_once("\"mname\":\"http\",").expect("the type");
    let (keys, _) = rest.split_once("\"message\"").expect("the message");
    keys.to_owned()
}

#[test]
fn labels_in_both_forms() {
    let scratch = Scratch::new();
    let aliases =
        scratch.write("aliases", b"101 QA\n102 ExampleOperator\n201 Test\n202 ExampleGroup\n");
    let numeric = line(r#""operator":101,"group":201,"#);
    let named = line(r#""operator":"ExampleOperator","group":"ExampleGroup","#);
    let unknown = line(r#""operator":"OperatorA","group":"GroupA","#);
    for (name, aliases, input, options, want_header, want_keys) in [
        ("1, 2: none", "/dev/null", line(""), &[][..], "[00000000] [] [] ", ""),
        ("3: empty name", "/dev/null", line(r#""operator":"","#), &[], "[00000000] [] [] ", ""),
        (
            "4: set source",
            "/dev/null",
            line(""),
            &["--setsource", "0xFEDCBA98"],
            "[fedcba98] [] [] ",
            r#""source":"fedcba98","#,
        ),
        (
            "7: numbers without aliases",
            "/dev/null",
            line(r#""operator":201,"group":101,"#),
            &[],
            "[00000000] [201] [101] ",
            r#""operator":201,"group":101,"#,
        ),
        ("8: names without aliases", "/dev/null", unknown.clone(), &[], "[00000000] [] [] ", ""),
        (
            "9: numbers with aliases",
            &aliases,
            numeric,
            &[],
            "[00000000] [QA] [Test] ",
            r#""operator":"QA","group":"Test","#,
        ),
        (
            "10: names with aliases",
            &aliases,
            named,
            &[],
            "[00000000] [ExampleOperator] [ExampleGroup] ",
            r#""operator":"ExampleOperator","group":"ExampleGroup","#,
        ),
        ("11: names that are no aliases", &aliases, unknown, &[], "[00000000] [] [] ", ""),
        (
            "12: set by number",
            &aliases,
            line(""),
            &["--setoperator", "101", "--setgroup", "201"],
            "[00000000] [QA] [Test] ",
            r#""operator":"QA","group":"Test","#,
        ),
        (
            "13: set by name",
            &aliases,
            line(""),
            &["--setoperator", "exampleoperator", "--setgroup", "ExampleGroup"],
            "[00000000] [ExampleOperator] [ExampleGroup] ",
            r#""operator":"ExampleOperator","group":"ExampleGroup","#,
        ),
        (
            "14: set to numbers without alias",
            &aliases,
            line(""),
            &["--setoperator", "1234", "--setgroup", "4321"],
            "[00000000] [1234] [4321] ",
            r#""operator":1234,"group":4321,"#,
        ),
    ] {
        let run = |output: &[&str]| {
            let mut command = command(["-j", "-"].iter().chain(options).chain(output));
            command.env("NMSG_OPALIAS_FILE", aliases).env("NMSG_GRALIAS_FILE", aliases);
            let ran = feed(command, input.as_bytes());
            assert_eq!(ran.status, 0, "{name}");
            ran
        };
        assert_eq!(header(run(&[]).text()), want_header, "{name}");
        assert_eq!(keys(run(&["-J", "-"]).text()), want_keys, "{name}");
    }
}

#[test]
fn row_5_a_source_that_is_set_later_replaces_the_first() {
    let packed = run_with_input(
        ["-j", "-", "--setsource", "0xfedcba98", "--writenmsg", "-"],
        line("").as_bytes(),
    );
    for (output, want) in
        [(&[][..], "[01010101] [] [] "), (&["-J", "-"], "\"source\":\"01010101\",")]
    {
        let options = ["-r", "-", "--setsource", "0x01010101"];
        let ran = run_with_input(options.iter().chain(output), &packed.stdout);
        let got = if output.is_empty() { header(ran.text()) } else { keys(ran.text()) };
        assert_eq!(got, want);
    }
}

#[test]
fn ji_10_an_unknown_name_is_said_once() {
    let input = line(r#""operator":"OperatorA","#).repeat(3) + &line(r#""group":"GroupA","#);
    let ran = run_with_input(["-j", "-"], input.as_bytes());
    assert_eq!(ran.status, 0);
    assert_eq!(
        ran.stderr,
        "nmsgtool: -: operator OperatorA has no number and was left out (at line 1)\n\
         nmsgtool: -: group GroupA has no number and was left out (at line 4)\n\
         nmsgtool: -: in total 4 values left out\n"
    );
}

#[test]
fn cl_7_a_bad_alias_line_is_reported_and_the_rest_used() {
    let scratch = Scratch::new();
    let aliases = scratch.write("aliases", b"# operators\nnonsense\n\n101 QA # note\n");
    let mut command = command(["-j", "-", "--setoperator", "qa"]);
    command.env("NMSG_OPALIAS_FILE", &aliases);
    let ran = feed(command, line("").as_bytes());
    assert_eq!(header(ran.text()), "[00000000] [QA] [] ");
    assert_eq!(ran.stderr, format!("nmsgtool: warning: {aliases}: line 2: expected NUMBER NAME\n"));
}

/// Passes on what has one of the labels that are asked for; once given, an option means what it means to
/// the C tool.
#[test]
fn cl_11_labels_given_several_times() {
    let scratch = Scratch::new();
    let input: String = (0..6)
        .map(|n| {
            line(&format!("\"source\":\"{n:08x}\",\"operator\":{},\"group\":{},", n % 3, n % 2))
        })
        .collect();
    let containers = scratch.text("in.nmsg");
    assert_eq!(run_with_input(["-j", "-", "-w", &containers], input.as_bytes()).status, 0);
    let file = std::fs::read(&containers).expect("containers");
    for (options, want) in [
        (&[][..], &[0, 1, 2, 3, 4, 5][..]),
        (&["--getsource", "4"], &[4]),
        (&["--getsource", "4", "--getsource", "1"], &[1, 4]),
        (&["--getsource", "4", "--getsource", "4"], &[4]),
        (&["--getsource", "4", "--getsource", "9"], &[4]),
        (&["--getoperator", "1", "--getoperator", "2"], &[1, 2, 4, 5]),
        (&["--getoperator", "1", "--getoperator", "2", "--getgroup", "1"], &[1, 5]),
        (&["--getgroup", "1", "--getgroup", "7"], &[1, 3, 5]),
        (&["--getgroup", "8", "--getgroup", "7"], &[]),
    ] {
        for (option, octets) in [("-j", input.as_bytes()), ("-r", &file)] {
            let ran = run_with_input([option, "-", "-J", "-"].iter().chain(options), octets);
            assert_eq!((ran.status, &*ran.stderr), (0, ""), "{option} {options:?}");
            let sources: Vec<u32> = ran
                .text()
                .lines()
                .map(|line| match line.split_once("\"source\":\"") {
                    Some((_, rest)) => u32::from_str_radix(&rest[..8], 16).expect("a source"),
                    None => 0,
                })
                .collect();
            assert_eq!(sources, want, "{option} {options:?}");
        }
    }
}
