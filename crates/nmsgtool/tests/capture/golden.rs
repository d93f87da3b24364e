//! Output of the reference for the same capture (`nmsgtool-cli` §12, rows 20 and 21).

use crate::tool::{Scratch, feed, run, run_with_input};
use std::path::{Path, PathBuf};
use std::{fs, str};

const TYPES: [&str; 4] = ["dnsqr", "ncap", "packet", "pkt"];

/// The capture that all outputs are made from.
pub(crate) fn mix() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../nmsg-capture/tests/fixtures/dns-mix.pcap")
}

fn mix_text() -> String {
    mix().into_os_string().into_string().expect("text")
}

fn golden(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/captures");
    fs::read(folder.join(name)).expect("a golden file")
}

/// Containers that the reference made, without their compression.
fn containers(msgtype: &str) -> Vec<u8> {
    let compressed = mix().with_file_name(format!("dns-mix.{msgtype}.nmsg"));
    run(["-r".as_ref(), compressed.as_os_str(), "-w".as_ref(), "-".as_ref()]).stdout
}

#[test]
fn every_output_is_the_reference_s() {
    let mix = mix_text();
    let scratch = Scratch::new();
    for msgtype in TYPES {
        let copy = scratch.text("copy.nmsg");
        for threads in ["1", "3"] {
            for (option, output, want) in [
                ("-o", "-", golden(&format!("dns-mix.{msgtype}.pres"))),
                ("-J", "-", golden(&format!("dns-mix.{msgtype}.json"))),
                ("-w", "-", containers(msgtype)),
            ] {
                let words = ["-p", &mix, "-V", "base", "-T", msgtype, option, output];
                let ran = run(words.into_iter().chain(["--threads", threads]));
                assert_eq!(ran.status, 0, "{msgtype} {option}: {}", ran.stderr);
                assert!(ran.stdout == want, "{msgtype} {option}, {threads} threads");
            }
            let ran = run(["-p", &mix, "-T", msgtype, "-w", &copy, "--threads", threads]);
            assert_eq!(ran.status, 0, "{msgtype}: {}", ran.stderr);
            assert!(
                scratch.read("copy.nmsg") == containers(msgtype),
                "{msgtype}, {threads} threads"
            );
        }
    }
}

#[test]
fn labels_are_set_on_captured_messages() {
    let mix = mix_text();
    let source = ["--setsource", "0x19721976"];
    let words = ["-p", &mix, "-T", "dnsqr"];
    let ran = run(words.into_iter().chain(source));
    let want = String::from_utf8(golden("dns-mix.dnsqr.pres")).expect("text");
    assert_eq!(ran.text(), want.replace("] [00000000] [", "] [19721976] ["));
    let ran = run(words.into_iter().chain(source).chain(["-J", "-"]));
    let want = str::from_utf8(&golden("dns-mix.dnsqr.json"))
        .expect("text")
        .replace("\"mname\":\"dnsqr\",", "\"mname\":\"dnsqr\",\"source\":\"19721976\",");
    assert_eq!(ran.text(), want);
    let labelled = run(words.into_iter().chain(source).chain(["-w", "-"])).stdout;
    let copied =
        run_with_input(["-r", "-", "-w", "-", "--setsource", "0x19721976"], &containers("dnsqr"));
    assert!(labelled == copied.stdout, "as if the containers had been labelled");
}

#[test]
fn captures_come_from_pipes_and_fifos_as_well() {
    let octets = fs::read(mix()).expect("a capture");
    let want = golden("dns-mix.dnsqr.json");
    let from_pipe = run_with_input(["-p", "-", "-T", "dnsqr", "-J", "-"], &octets);
    assert_eq!(from_pipe.status, 0, "{}", from_pipe.stderr);
    assert!(from_pipe.stdout == want, "pipe");
    let scratch = Scratch::new();
    let fifo = scratch.fifo("fifo");
    let writer = std::thread::spawn({
        let fifo = fifo.clone();
        move || fs::write(fifo, octets)
    });
    let from_fifo = run(["-p", &fifo, "-T", "dnsqr", "-J", "-"]);
    writer.join().expect("no panic").expect("the fifo is written");
    assert!(from_fifo.stdout == want, "fifo: {}", from_fifo.stderr);
    let mut from_file = crate::tool::command(["-p", "-", "-T", "dnsqr", "-J", "-"]);
    from_file.stdin(fs::File::open(mix()).expect("a capture"));
    let ran: crate::tool::Ran = from_file.output().expect("the program starts").into();
    assert!(ran.stdout == want, "standard input is a file: {}", ran.stderr);
}

/// Wraps the frames of a little-endian pcap into pcapng blocks.
fn to_pcapng(pcap: &[u8]) -> Vec<u8> {
    let word = |octets: &[u8], at: usize| {
        u32::from_le_bytes(octets[at..at + 4].try_into().expect("four octets"))
    };
    let block = |kind: u32, body: &[u8]| {
        let len = (12 + body.len().next_multiple_of(4)) as u32;
        let mut block = [kind.to_le_bytes(), len.to_le_bytes()].concat();
        block.extend(body);
        block.resize(len as usize - 4, 0);
        block.extend(len.to_le_bytes());
        block
    };
    let section = [&[0x4d, 0x3c, 0x2b, 0x1a, 1, 0, 0, 0][..], &[0xff; 8]].concat();
    let interface = [&word(pcap, 20).to_le_bytes()[..], &0_u32.to_le_bytes()].concat();
    let mut out = [block(0x0a0d_0d0a, &section), block(1, &interface)].concat();
    let mut at = 24;
    while at < pcap.len() {
        let (sec, fraction) = (u64::from(word(pcap, at)), u64::from(word(pcap, at + 4)));
        let ticks = sec * 1_000_000 + fraction;
        let (len, original) = (word(pcap, at + 8), word(pcap, at + 12));
        let mut body = Vec::new();
        for word in [0, (ticks >> 32) as u32, ticks as u32, len, original] {
            body.extend(word.to_le_bytes());
        }
        let end = at + 16 + len as usize;
        body.extend(&pcap[at + 16..end]);
        out.extend(block(6, &body));
        at = end;
    }
    out
}

#[test]
fn pcapng_gives_the_same() {
    let octets = to_pcapng(&fs::read(mix()).expect("a capture"));
    for msgtype in TYPES {
        let ran = feed(crate::tool::command(["-p", "-", "-T", msgtype, "-J", "-"]), &octets);
        assert_eq!(ran.status, 0, "{msgtype}: {}", ran.stderr);
        assert!(ran.stdout == golden(&format!("dns-mix.{msgtype}.json")), "{msgtype}");
    }
}

#[test]
fn two_captures_share_nothing() {
    let scratch = Scratch::new();
    let whole = fs::read(mix()).expect("a capture");
    let one = scratch.write("one.pcap", &whole);
    let ran = run(["-p", &one, "-p", &one, "-T", "packet", "-w", "-"]);
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    let shown = run_with_input(["-r", "-", "-o", "-"], &ran.stdout);
    let payloads = |text: &str| text.matches("payload_type:").count();
    let single = String::from_utf8(golden("dns-mix.packet.pres")).expect("text");
    assert_eq!(payloads(shown.text()), 2 * payloads(&single));
}
