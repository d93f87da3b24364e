//! Conditions and filters (`nmsgtool-cli` §6.6, `docs/where.md`).

use crate::tool::{Scratch, containers, ports, run, run_with_input};

/// A file with 15 payloads whose source ports count from 0.
fn input(scratch: &Scratch) -> String {
    scratch.write("in.nmsg", &containers(&[7, 8]).concat())
}

#[test]
fn mo_4_every_third_of_15_messages_in_either_output() {
    let scratch = Scratch::new();
    let input = input(&scratch);
    let [first, second] = ["F", "G"].map(|name| scratch.text(name));
    let lines = run(["-r", &input, "-J", "-"]).stdout;
    let json = scratch.write("in.json", &lines);
    for threads in ["1", "3"] {
        for (name, source) in [("containers", ["-r", &input]), ("row 35: JSON", ["-j", &json])] {
            let mut words = source.to_vec();
            let outputs = ["-J", &first, "-J", &second];
            words.extend(["--threads", threads, "-F", "sample,count=3"]);
            words.extend(outputs);
            let ran = run(&words);
            assert_eq!((ran.status, &*ran.stderr), (0, ""), "{name}");
            let (mut got, other) = (ports(&scratch.read("F")), ports(&scratch.read("G")));
            assert_eq!((got.len(), other.len()), (3, 2), "{name}: outputs take turns");
            got.extend(other);
            got.sort_unstable();
            assert!(got[0] < 3, "{name}: {got:?}");
            assert!(got.windows(2).all(|pair| pair[1] - pair[0] == 3), "{name}: {got:?}");
        }
    }
}

#[test]
fn mo_4_the_phase_differs_from_run_to_run() {
    let scratch = Scratch::new();
    let input = input(&scratch);
    let first = |_| ports(&run(["-r", &input, "-F", "sample,count=15", "-J", "-"]).stdout);
    let runs: Vec<Vec<u32>> = (0..12).map(first).collect();
    assert!(runs.iter().all(|ports| ports.len() == 1), "{runs:?}");
    assert!(runs.iter().any(|ports| *ports != runs[0]), "{runs:?}");
}

#[test]
fn en_5_the_ledger_counts_what_filters_drop() {
    let scratch = Scratch::new();
    let input = input(&scratch);
    for (name, words, out, parts) in [
        (
            "condition",
            &["--where", "srcport < 4"][..],
            4,
            ["4 passed on, 11 filtered; 2", "payloads_in 4 payloads_out 4 ", "payload_in=4\n"],
        ),
        (
            "filter",
            &["-F", "sample,count=3"],
            5,
            ["5 passed on, 10 filtered; 2", "payloads_in 15 payloads_out 5 ", "payload_in=15\n"],
        ),
        (
            "condition, then filter",
            &["--where", "srcport >= 3", "-F", "sample,count=3"],
            4,
            ["4 passed on, 11 filtered; 2", "payloads_in 12 payloads_out 4 ", "payload_in=12\n"],
        ),
        (
            "two filters",
            &["-F", "sample,random=1", "-F", "sample,count=5", "--policy", "accept"],
            3,
            ["3 passed on, 12 filtered; 2", "payloads_in 15 payloads_out 3 ", "payload_in=15\n"],
        ),
        (
            "policy",
            &["-F", "sample,count=3", "--policy", "DROP"],
            0,
            ["0 passed on, 15 filtered; 2", "payloads_in 15 payloads_out 0 ", "payload_in=15\n"],
        ),
        (
            "nothing is kept",
            &["-F", "sample,rate=0"],
            0,
            ["0 passed on, 15 filtered; 2", "payloads_in 15 payloads_out 0 ", "payload_in=15\n"],
        ),
    ] {
        let mut all = vec!["-dd", "--stats", "-r", &input, "-J", "-"];
        all.extend(words);
        let ran = run(&all);
        assert_eq!(ran.status, 0, "{name}: {}", ran.stderr);
        assert_eq!(ran.text().lines().count(), out, "{name}");
        for part in parts.into_iter().chain([&*format!(", {out} out, balanced\n")]) {
            assert!(ran.stderr.contains(part), "{name}: {part:?} in {}", ran.stderr);
        }
    }
}

#[test]
fn mo_4_level_2_tells_of_filters() {
    let scratch = Scratch::new();
    let words = ["-dd", "-r", &input(&scratch), "-J", "/dev/null", "-F", "sample,count=3"];
    let ran = run(words.iter().chain(&["--policy", "drop"]));
    let lines = "nmsgtool: nmsg json output: /dev/null\n\
         nmsgtool: adding filter module sample,count=3\n\
         nmsgtool: setting default filter policy to DROP\n";
    assert!(ran.stderr.contains(lines), "{}", ran.stderr);
    let ran = run(words);
    assert!(!ran.stderr.contains("policy"), "{}", ran.stderr);
}

#[test]
fn mo_4_the_path_of_the_sample_module_means_the_built_in_filter() {
    let scratch = Scratch::new();
    let module = scratch.path("nmsg_flt1_sample.so");
    std::fs::write(&module, b"not looked at").expect("written");
    let filter = format!("{},count=1", module.display());
    let ran = run(["-r", &input(&scratch), "-J", "/dev/null", "-F", &filter]);
    assert_eq!((ran.status, &*ran.stderr), (0, ""));
}

#[test]
fn mo_4_filters_that_are_refused() {
    let scratch = Scratch::new();
    let input = input(&scratch);
    let refused = |argument: &str, reason: &str| {
        format!(
            "sample_module_init: {reason}\nnmsg_fltmod_init: WARNING: module \
             'nmsg_flt1_sample.so' init failed with res 1 (generic failure), not loading\n\
             nmsgtool: nmsg_io_add_filter_module() failed for {argument}: generic failure (1)\n"
        )
    };
    let missing = |argument: &str, path: &str| {
        format!(
            "nmsg_fltmod_init: ERROR: unable to open module file {path}\n\
             nmsgtool: nmsg_io_add_filter_module() failed for {argument}: generic failure (1)\n"
        )
    };
    for (argument, want) in [
        ("gone", missing("gone", "nmsg_flt1_gone.so")),
        ("gone,x=1,y", missing("gone,x=1,y", "nmsg_flt1_gone.so")),
        ("./x.so,1", missing("./x.so,1", "./x.so")),
        ("/x/nmsg_flt1_sample.so", missing("/x/nmsg_flt1_sample.so", "/x/nmsg_flt1_sample.so")),
        ("sample", refused("sample", "module parameter is required but missing")),
        ("sample,", refused("sample,", "module parameter is required but missing")),
        ("sample,foo", refused("sample,foo", "error parsing module parameter 'foo'")),
        ("sample,foo=1", refused("sample,foo=1", "unrecognized option 'foo'")),
        ("sample,count=x", refused("sample,count=x", "error converting string to integer: 'x'")),
        (
            "sample,count=0",
            refused("sample,count=0", "'count' value 0 is out of range [1, 18446744073709551615]"),
        ),
        (
            "sample,random=2",
            refused("sample,random=2", "'random' value 2 is out of range [0.0, 1.0]"),
        ),
        ("", "nmsgtool: usage error: -F without the name of a filter\n".to_owned()),
        (",", "nmsgtool: usage error: -F without the name of a filter\n".to_owned()),
    ] {
        let output = scratch.path("out");
        let words = ["-r", &input, "-J", &scratch.text("out"), "-F", argument];
        let ran = run(words);
        assert_eq!(ran.status, 2, "{argument:?}");
        let (lines, hint) = ran.stderr.split_once("hint: ").expect("a hint");
        assert_eq!(lines, want, "{argument:?}");
        assert_eq!(hint.lines().count(), 1, "{argument:?}");
        assert!(!output.exists(), "{argument:?}: nothing is opened");
    }
}

#[test]
fn cl_5_policy_without_filters() {
    let scratch = Scratch::new();
    let input = input(&scratch);
    for word in ["DROP", "xyz"] {
        let ran = run(["-r", &input, "--policy", word, "-J", "-"]);
        let want = "nmsgtool: warning: --policy has no effect: there is no filter (-F)\n";
        assert_eq!((ran.status, &*ran.stderr), (0, want), "{word}");
        assert_eq!(ran.text().lines().count(), 15, "{word}");
    }
    let ran = run(["-r", &input, "-F", "sample,count=1", "--policy", "xyz"]);
    assert_eq!(ran.status, 2);
    assert_eq!(ran.stderr, "nmsgtool: unknown filter policy 'xyz'\nhint: give ACCEPT or DROP\n");
}

#[test]
fn conditions_select_from_every_kind_of_input() {
    let scratch = Scratch::new();
    let octets = containers(&[7, 8]).concat();
    let json = run_with_input(["-r", "-", "-J", "-"], &octets).stdout;
    let text = run_with_input(["-r", "-", "-o", "-"], &octets).stdout;
    for threads in ["1", "3"] {
        for (name, source, input) in [
            ("containers", &["-r", "-"][..], &octets),
            ("JSON", &["-j", "-"], &json),
            ("presentation", &["-f", "-", "-V", "base", "-T", "ipconn"], &text),
        ] {
            let mut words = source.to_vec();
            words.extend(["--threads", threads, "--where", "srcport in (3, 12..99)", "-J", "-"]);
            let ran = run_with_input(&words, input);
            assert_eq!((ran.status, &*ran.stderr), (0, ""), "{name}");
            assert_eq!(ports(&ran.stdout), [3, 12, 13, 14], "{name}");
        }
    }
    drop(scratch);
}

#[test]
fn conditions_know_labels_by_alias() {
    let scratch = Scratch::new();
    let aliases = scratch.write("aliases", b"101 QA\n");
    let input = input(&scratch);
    for (operator, lines) in [("QA", 15), ("7", 0)] {
        let labelled = scratch.text("labelled");
        let ran = run(["-r", &input, "--setoperator", operator, "-w", &labelled]);
        // The alias file of the tests is empty: the name is unknown there.
        assert_eq!(ran.status, if operator == "QA" { 2 } else { 0 }, "{}", ran.stderr);
        let mut command = crate::tool::command(["-r", &input, "--setoperator", operator]);
        command.args(["-w", &labelled]).env("NMSG_OPALIAS_FILE", &aliases);
        assert!(command.status().expect("the program starts").success());
        let mut command = crate::tool::command(["-r", &labelled, "--where", "operator = QA"]);
        command.args(["-J", "-"]).env("NMSG_OPALIAS_FILE", &aliases);
        let output = command.output().expect("the program starts");
        let text = String::from_utf8(output.stdout).expect("text");
        assert_eq!(text.lines().count(), lines, "{operator}");
    }
}

#[test]
fn conditions_that_are_refused_are_shown_with_the_place() {
    for (expression, want) in [
        (
            "not qnam under example.com",
            "no field is called 'qnam', perhaps 'qname' (column 5)\n\
             not qnam under example.com\n    ^\n",
        ),
        ("len >", "expected a value after '>' (column 6)\nlen >\n     ^\n"),
    ] {
        let ran = run(["-r", "/nowhere", "--where", expression]);
        assert_eq!(ran.status, 2, "{expression}");
        assert_eq!(ran.stderr, format!("nmsgtool: usage error: --where: {want}"), "{expression}");
    }
}

#[test]
fn conditions_choose_between_several_labels() {
    let scratch = Scratch::new();
    let octets = containers(&[2]).concat();
    let mut labelled = Vec::new();
    for number in ["5", "6", "7"] {
        let mut words = vec!["-r", "-", "-w", "-"];
        for option in ["--setsource", "--setoperator", "--setgroup"] {
            words.extend([option, number]);
        }
        labelled.extend(run_with_input(&words, &octets).stdout);
    }
    let input = scratch.write("in.nmsg", &labelled);
    for (name, words, want) in [
        ("cl_11: any of them", &["--getgroup", "5", "--getgroup", "7"][..], &[5, 7][..]),
        ("source", &["--where", "source in (5, 0x7)"], &[5, 7]),
        ("operator", &["--where", "operator in (5, 6)"], &[5, 6]),
        ("group", &["--where", "group in (6..7)"], &[6, 7]),
        ("both must hold", &["--getsource", "6", "--where", "group in (6, 7)"], &[6]),
    ] {
        let mut all = vec!["-r", &input, "-J", "-"];
        all.extend(words);
        let ran = run(&all);
        assert_eq!((ran.status, &*ran.stderr), (0, ""), "{name}");
        let group = |line: &str| {
            let (_, rest) = line.split_once("\"group\":").expect("a group");
            rest[..1].parse::<u32>().expect("a digit")
        };
        let mut groups: Vec<u32> = ran.text().lines().map(group).collect();
        assert_eq!(groups.len(), 2 * want.len(), "{name}");
        groups.dedup();
        assert_eq!(groups, want, "{name}");
    }
}
