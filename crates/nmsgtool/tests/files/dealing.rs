//! Striping, mirroring and counting (`nmsgtool-cli` §6.1, §6.2).

use crate::tool::{Scratch, containers, ports, run};

#[test]
fn striping_mirroring_and_counting() {
    let scratch = Scratch::new();
    let input = scratch.write("in.nmsg", &containers(&[7, 8]).concat());
    let outputs = ["a", "b", "c"].map(|name| scratch.text(name));
    let [a, b, c] = outputs.each_ref().map(|path| path.as_str());
    let all = || (0..15).collect::<Vec<u32>>();
    let every = |step, start| (start..15).step_by(step).collect::<Vec<u32>>();
    for (name, more, outputs, want) in [
        ("stripe", &[][..], &[a, b, c][..], vec![every(3, 0), every(3, 1), every(3, 2)]),
        ("mirror", &["--mirror"], &[a, b, c], vec![all(), all(), all()]),
        ("stripe, two each", &["-c", "2"], &[a, b, c], vec![vec![0, 3], vec![1, 4], vec![2, 5]]),
        (
            "mirror, two each",
            &["-c", "2", "--mirror"],
            &[a, b, c],
            vec![vec![0, 1], vec![0, 1], vec![0, 1]],
        ),
        ("one output, cut in the second container", &["-c", "9"], &[a], vec![(0..9).collect()]),
        ("as many as there are", &["-c", "15"], &[a], vec![all()]),
        ("more than there are", &["-c", "100"], &[a], vec![all()]),
        ("cl_2 0 is no limit", &["-c", "0"], &[a], vec![all()]),
        ("cl_2 negative is no limit", &["-c", "-1"], &[a], vec![all()]),
    ] {
        let mut arguments = vec!["-r", &input];
        arguments.extend(more);
        outputs.iter().for_each(|path| arguments.extend(["-J", path]));
        let ran = run(&arguments);
        assert_eq!((ran.status, &*ran.stderr), (0, ""), "{name}");
        for (path, want) in outputs.iter().zip(want) {
            let got = ports(&std::fs::read(path).expect("the output is there"));
            assert_eq!(got, want, "{name}: {path}");
        }
    }
}

#[test]
fn cl_10_outputs_are_filled_in_the_order_of_opening() {
    let scratch = Scratch::new();
    let input = scratch.write("in.nmsg", &containers(&[15]).concat());
    let [json, text, copy] = ["json", "text", "copy"].map(|name| scratch.text(name));
    let ran = run(["-c", "1", "-J", &json, "-o", &text, "-w", &copy, "-r", &input]);
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    let shown = run(["-r", &copy, "-J", "-"]);
    assert_eq!(ports(&shown.stdout), [0], "containers first");
    let text = String::from_utf8(scratch.read("text")).expect("text");
    assert!(text.contains("srcport: 1\n") && !text.contains("srcport: 2\n"), "then presentation");
    assert_eq!(ports(&scratch.read("json")), [2], "then JSON");
}

#[test]
fn en_1_counts_in_what_was_not_read() {
    let scratch = Scratch::new();
    let input = scratch.write("in.nmsg", &containers(&[5]).concat());
    let ran = run(["-dd", "-r", &input, "-c", "4", "-J", "/dev/null"]);
    assert_eq!(ran.status, 0);
    let totals = "totals: payloads_in 4 payloads_out 4 container_recvs 1 container_drops 0\n";
    assert!(ran.stderr.contains(totals), "{}", ran.stderr);
    assert!(ran.stderr.contains("count_nmsg_payload_in=4\n"), "{}", ran.stderr);
    assert!(ran.stderr.contains("count_nmsg_payload_out=4\n"), "{}", ran.stderr);
}

#[test]
fn en_5_the_ledger_has_a_column_for_every_payload() {
    let scratch = Scratch::new();
    let mut octets = containers(&[5, 5, 5]);
    // The second container's first checksum is wrong.
    let crc = octets[1].len() - 1;
    octets[1][crc] ^= 1;
    let input = scratch.write("in.nmsg", &octets.concat());
    let ran = run(["--stats", "-r", &input, "-c", "12", "-J", "/dev/null", "-T", "ipconn"]);
    assert_eq!(ran.status, 3);
    for part in [
        "15 payloads in, 12 passed on, 1 with wrong checksum, 2 over count; 3 containers",
        "output /dev/null: 12 payloads written",
        "total: 12 payloads in, 12 out, balanced\n",
    ] {
        assert!(ran.stderr.contains(part), "{part}: {}", ran.stderr);
    }
}

#[test]
fn several_inputs_are_read_side_by_side() {
    let scratch = Scratch::new();
    let file = containers(&[5, 4]);
    let one = scratch.write("one.nmsg", &file[0]);
    let other = scratch.write("other.nmsg", &file[1]);
    let missing = scratch.write("empty.nmsg", b"");
    let ran = run(["-r", &one, "-r", &other, "-r", &missing, "-J", "-"]);
    assert_eq!((ran.status, &*ran.stderr), (0, ""));
    let got = ports(&ran.stdout);
    let from = |range: std::ops::Range<u32>| {
        got.iter().copied().filter(|port| range.contains(port)).collect::<Vec<_>>()
    };
    assert_eq!(from(0..5), [0, 1, 2, 3, 4], "order is kept within an input");
    assert_eq!(from(5..9), [5, 6, 7, 8]);
    assert_eq!(got.len(), 9);
    let counted = run(["-r", &one, "-r", &other, "-c", "6", "-J", "-"]);
    assert_eq!((counted.status, ports(&counted.stdout).len()), (0, 6));
}

#[test]
fn en_4_a_failing_input_does_not_stop_the_others() {
    let scratch = Scratch::new();
    let good = scratch.write("good.nmsg", &containers(&[5]).concat());
    let bad = scratch.write("bad.nmsg", b"this is plain text\n");
    let ran = run(["-r", &bad, "-r", &good, "-J", "-"]);
    assert_eq!(ran.status, 3);
    assert_eq!(ports(&ran.stdout), [0, 1, 2, 3, 4]);
}

#[test]
fn cr_13_selection_works_on_json_inputs() {
    let line = |port, label| {
        format!(
            "{{\"vname\":\"base\",\"mname\":\"ipconn\",{label}\"message\":{{\"srcport\":{port}}}}}\n"
        )
    };
    let other = "{\"vname\":\"base\",\"mname\":\"http\",\"message\":{}}\n";
    let text = [
        line(1, "\"source\":\"00000007\","),
        line(2, "\"operator\":8,"),
        line(3, "\"group\":9,"),
        other.to_owned(),
    ]
    .concat();
    let scratch = Scratch::new();
    let json = scratch.write("in.json", text.as_bytes());
    let copy = scratch.text("in.nmsg");
    assert_eq!(run(["-j", &json, "-w", &copy]).status, 0);
    for input in [["-j", &json], ["-r", &copy]] {
        for (option, value, want) in [
            ("--getsource", "7", &[1][..]),
            ("--getoperator", "8", &[2]),
            ("--getgroup", "9", &[3]),
            ("--getgroup", "5", &[]),
            ("-T", "ipconn", &[1, 2, 3]),
        ] {
            let ran = run([input[0], input[1], option, value, "-J", "-"]);
            assert_eq!((ran.status, &*ran.stderr), (0, ""));
            assert_eq!(ports(&ran.stdout), want, "{} {option} {value}", input[0]);
        }
    }
}

#[test]
fn any_number_of_threads_writes_the_same() {
    let scratch = Scratch::new();
    let mut pieces = containers(&[50, 1, 200, 7]);
    let mut bad = pieces[2].clone();
    let last = bad.len() - 1;
    bad[last] ^= 1;
    pieces.extend([bad, b"garbage".to_vec(), pieces[0].clone()]);
    let names = ["base-dnsqr", "sie-dnsdedupe", "base-http", "garbage-ipconn", "base-dns"];
    let golden: Vec<u8> = names
        .iter()
        .flat_map(|name| {
            std::fs::read(crate::tool::golden(&format!("{name}.nmsg"))).expect("there")
        })
        .collect();
    let input = scratch.write("in.nmsg", &[golden, pieces.concat()].concat().repeat(20));
    let json = scratch.text("in.json");
    assert_eq!(run(["-r", &input, "-J", &json]).status, 3);
    let outputs = ["a.nmsg", "b.pres", "c.json", "d.json"];
    let paths = outputs.map(|name| scratch.text(name));
    for (name, more) in [
        ("stripe", &["-r", &input][..]),
        ("mirror", &["-r", &input, "--mirror"]),
        ("count", &["-r", &input, "-c", "701"]),
        ("selection and labels", &["-r", &input, "-T", "ipconn", "--setgroup", "7"]),
        ("compressed", &["-r", &input, "-z"]),
        ("JSON", &["-j", &json, "--mirror"]),
    ] {
        let results = ["1", "2", "5"].map(|threads| {
            let mut arguments = vec!["--threads", threads, "-w", &paths[0], "-o", &paths[1]];
            arguments.extend(["-J", &paths[2], "-J", &paths[3], "--stats"]);
            arguments.extend(more);
            let ran = run(arguments);
            assert!(ran.stderr.contains("balanced\n"), "{name}: {}", ran.stderr);
            // How far inputs were read ahead, and which output says first what, differs.
            let is_result = |line: &&str| line.starts_with("output ") || line.starts_with("total:");
            let said: Vec<String> =
                ran.stderr.lines().filter(is_result).map(str::to_owned).collect();
            (ran.status, said, outputs.map(|name| scratch.read(name)))
        });
        for (threads, result) in ["2", "5"].iter().zip(&results[1..]) {
            assert_eq!(result.0, results[0].0, "{name}, {threads} threads: status");
            assert_eq!(result.1, results[0].1, "{name}, {threads} threads: what was said");
            for (output, (one, other)) in outputs.iter().zip(results[0].2.iter().zip(&result.2)) {
                assert!(one == other, "{name}, {threads} threads: {output}");
                assert!(!one.is_empty(), "{name}: {output}");
            }
        }
    }
}

#[test]
fn cw_8_workers_report_failing_outputs() {
    if !std::path::Path::new("/dev/full").exists() {
        return;
    }
    let scratch = Scratch::new();
    let input = scratch.write("in.nmsg", &containers(&[200]).concat().repeat(200));
    for option in ["-w", "-o", "-J"] {
        let other = scratch.text("other.json");
        let ran =
            run(["--threads", "3", "--stats", "-r", &input, option, "/dev/full", "-J", &other]);
        assert_eq!(ran.status, 4, "{option}: {}", ran.stderr);
        let said = "nmsgtool: unable to write to /dev/full: No space left on device\n";
        assert_eq!(ran.stderr.matches(said).count(), 1, "{option}: {}", ran.stderr);
        assert!(ran.stderr.contains(" balanced\n"), "{option}: {}", ran.stderr);
        assert!(!scratch.read("other.json").is_empty(), "{option}: the other output is finished");
    }
}
