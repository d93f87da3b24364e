//! Decisions that show in whole runs.

use crate::tool::{Scratch, command, containers, golden, ipconn, ports, run, start};
use nmsg::container::{ContainerWriter, WriterSettings};
use nmsg::{MsgType, Payload};
use std::fs;
use std::io::{Read, Write};

/// A container of payloads that differ in type and labels, with source ports from 1 on.
fn labelled(payloads: &[(u32, [u32; 3])]) -> Vec<u8> {
    let mut writer = ContainerWriter::new(WriterSettings::file(1));
    let mut out = Vec::new();
    let mut emit = |octets: &[u8]| {
        out.extend_from_slice(octets);
        Ok::<(), nmsg::Error>(())
    };
    for (port, (msgtype, [source, operator, group])) in (1..).zip(payloads) {
        let body = [0x18, port];
        let payload = Payload {
            msgtype: MsgType(*msgtype),
            source: Some(*source),
            operator: Some(*operator),
            group: Some(*group),
            ..ipconn(&body)
        };
        writer.write(&payload, None, &mut emit).expect("fits");
    }
    writer.flush(&mut emit).expect("fits");
    out
}

#[test]
fn cr_12_checksum_then_type_source_operator_group() {
    let scratch = Scratch::new();
    let mut file = labelled(&[
        (5, [7, 8, 9]),
        (6, [7, 8, 9]),
        (5, [1, 8, 9]),
        (5, [7, 1, 9]),
        (5, [7, 8, 1]),
        (5, [0, 8, 9]),
        (6, [1, 1, 1]),
    ]);
    // The last payload is also damaged: its source port is 7.
    let at = file.windows(2).rposition(|octets| octets == [0x18, 7]).expect("its body");
    file[at + 1] = 99;
    let input = scratch.write("in.nmsg", &file);
    let select = |options: &[&str]| {
        let ran = run([&["--stats", "-r", &input, "-J", "-"], options].concat());
        assert_eq!(ran.status, 3, "the checksum is told whatever is selected: {}", ran.stderr);
        assert!(ran.stderr.contains("1 with wrong checksum"), "{}", ran.stderr);
        assert!(ran.stderr.contains("balanced"), "{}", ran.stderr);
        ports(&ran.stdout)
    };
    let only_type = ["-V", "base", "-T", "ipconn"];
    assert_eq!(select(&only_type), [1, 3, 4, 5, 6]);
    for (name, options, want) in [
        ("source", &["--getsource", "7"][..], &[1, 4, 5][..]),
        ("source, operator", &["--getsource", "7", "--getoperator", "8"], &[1, 5]),
        ("all", &["--getsource", "7", "--getoperator", "8", "--getgroup", "9"], &[1]),
        ("group alone", &["--getgroup", "9"], &[1, 3, 4, 6]),
    ] {
        assert_eq!(select(&[&only_type[..], options].concat()), want, "{name}");
    }
}

#[test]
fn po_1_what_is_left_out_is_counted_as_left_out_and_said_once() {
    let garbage = golden("garbage-ipconn.nmsg");
    let ran = run(["--stats", "-r", garbage.to_str().expect("text"), "-o", "-"]);
    assert_eq!(ran.status, 0);
    assert_eq!(ran.text().matches("[1:5 base ipconn]").count(), 1);
    let said = ran.stderr.lines().filter(|line| line.contains("cannot be shown: ")).count();
    assert_eq!(said, 1, "{}", ran.stderr);
    let account = "output -: 1 payload written, 29 left out as undecodable; ";
    assert!(ran.stderr.contains(account), "{}", ran.stderr);
}

#[test]
fn po_9_text_outputs_are_flushed_rotated_and_counted() {
    let scratch = Scratch::new();
    let input = scratch.write("in.nmsg", &containers(&[3, 2]).concat());
    for option in ["-o", "-J"] {
        let ran = run(["--stats", "-r", &input, option, "-"]);
        let octets = format!("output -: 5 payloads written; {} bytes", ran.stdout.len());
        assert!(ran.stderr.contains(&octets), "{option}: {}", ran.stderr);

        let base = scratch.text(&format!("rotated{option}"));
        let ran = run(["-r", &input, option, &base, "-k", "", "-c", "2"]);
        assert_eq!((ran.status, &*ran.stderr), (0, ""), "{option}");
        let mut sizes = Vec::new();
        for entry in fs::read_dir(scratch.path("")).expect("a directory") {
            let path = entry.expect("a name").path();
            if path.to_string_lossy().starts_with(&base) {
                let text = fs::read_to_string(&path).expect("text");
                sizes.push(text.matches("ipconn").count());
            }
        }
        sizes.sort_unstable();
        assert_eq!(sizes, [1, 2, 2], "{option}");

        // What is there is shown although more may come.
        let mut child = start(command(["-r", "-", option, "-"]));
        let mut stdin = child.stdin.take().expect("a pipe");
        let mut stdout = child.stdout.take().expect("a pipe");
        stdin.write_all(&containers(&[1]).concat()).expect("it reads");
        let mut first = [0; 16];
        stdout.read_exact(&mut first).expect("it writes while its input is open");
        drop(stdin);
        assert!(child.wait().expect("it ends").success());
    }
}

#[test]
fn mo_1_all_types_are_built_in() {
    let scratch = Scratch::new();
    let input = scratch.write("in.nmsg", &containers(&[1]).concat());
    let mut command = command(["-r", &input, "-J", "-"]);
    command.env("NMSG_MSGMOD_DIR", scratch.path("nowhere"));
    let ran: crate::tool::Ran = command.output().expect("the program starts").into();
    assert_eq!((ran.status, ports(&ran.stdout)), (0, vec![0]));
    assert!(
        ran.stderr.starts_with("nmsgtool: warning: NMSG_MSGMOD_DIR: unable to read "),
        "{}",
        ran.stderr
    );
    assert_eq!(ran.stderr.lines().count(), 1);

    let unknown = run(["-V", "base", "-T", "nothing", "-r", &input]);
    assert_eq!(unknown.status, 2);
    let types = [
        (
            "base",
            "ncap email linkpair http ipconn logline dns pkt dnsqr xml encode packet dnstap dnsobs",
        ),
        ("SIE", "dnsdedupe reputation qr delay newdomain dnsnx"),
    ];
    for (vendor, names) in types {
        for name in names.split(' ') {
            let ran = run(["-V", vendor, "-T", name, "-r", &input, "-J", "-"]);
            assert_eq!((ran.status, &*ran.stderr), (0, ""), "{vendor} {name}");
        }
    }
}
