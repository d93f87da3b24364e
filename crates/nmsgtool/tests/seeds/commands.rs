//! Named by their number in `nmsgtool-cli` §14.

use crate::namespace::Namespace;
use crate::tool::{Ran, Scratch, end_of, golden, settle, signal, start};
use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::Duration;

/// Channels as they are delivered: by broadcast, each in a network of its own.
const CHANNELS: &str = "ch80 10.32.80.255/8430
ch202 10.32.202.255/8430 10.32.202.255/9430
ch208 10.32.208.255/8430..8437
ch211 10.32.211.255/8430
ch212 10.32.212.255/8430
";

/// What counts the payloads of a file.
const COUNT: &str = "#!/bin/sh
echo \"$1: \" `nmsgtool -r \"$1\" | grep -c \"\\[2:1 SIE dnsdedupe\\]\"`
";

/// A machine that gets the channels, with a current directory.
struct Machine {
    namespace: Namespace,
    scratch: Scratch,
}

impl Machine {
    fn new() -> Option<Self> {
        let namespace = Namespace::network()?;
        let networks = ["80", "202", "208", "211", "212"].map(|n| format!("10.32.{n}.1/24"));
        for address in networks.iter().map(String::as_str).chain(["10.0.1.52/24"]) {
            let words = ["address", "add", address, "broadcast", "+", "dev", "lo"];
            namespace.ip(words).expect("an address");
        }
        let scratch = Scratch::new();
        scratch.write("chalias", CHANNELS.as_bytes());
        let count = scratch.write("count.sh", COUNT.as_bytes());
        fs::set_permissions(count, Permissions::from_mode(0o755)).expect("it is ours");
        Some(Self { namespace, scratch })
    }

    /// A line of shell text. Its first command replaces the shell.
    fn command(&self, line: &str) -> Command {
        let program = Path::new(env!("CARGO_BIN_EXE_nmsgtool")).parent().expect("a directory");
        let here = self.scratch.path("");
        let path = std::env::var("PATH").unwrap_or_default();
        let path = format!("{}:{}:{path}", program.display(), here.display());
        let mut command = self.namespace.command("sh");
        command.arg("-c").arg(line).current_dir(here).env("PATH", path);
        command.env("NMSG_CHALIAS_FILE", self.scratch.path("chalias"));
        command.env("NMSG_OPALIAS_FILE", "/dev/null").env("NMSG_GRALIAS_FILE", "/dev/null");
        command
    }

    /// Starts a program that reads from the network; it listens when this returns.
    fn listens(&self, line: &str) -> Child {
        let child = start(self.command(&format!("exec {line}")));
        settle(child.id());
        child
    }

    /// Runs a line to its end, which has to be a good one.
    fn runs(&self, line: &str) -> Ran {
        let ran: Ran = self.command(line).output().expect("it starts").into();
        assert_eq!((ran.status, &*ran.stderr), (0, ""), "{line}");
        ran
    }

    /// A file of so many payloads from a golden one, over and over.
    fn file(&self, name: &str, from: &str, times: usize) -> String {
        let octets = fs::read(golden(from)).expect("a golden file").repeat(times);
        self.scratch.write(name, &octets)
    }

    /// Sends a file to an address.
    fn sends(&self, file: &str, more: &str) {
        self.runs(&format!("nmsgtool -r {file} {more}"));
    }

    /// Payloads of a file.
    fn count(&self, file: &Path) -> usize {
        let line = format!("nmsgtool -r {} -J - | wc -l", file.display());
        self.runs(&line).text().trim().parse().expect("a number")
    }
}

/// How it went with a program that ends by itself.
fn good(child: Child) -> Ran {
    let (ran, _) = end_of(child);
    assert_eq!((ran.status, &*ran.stderr), (0, ""));
    ran
}

/// How it went with a program that ends when it is told to.
fn interrupted(child: Child) -> Ran {
    settle(child.id());
    signal(&child, "INT");
    let (ran, _) = end_of(child);
    assert_eq!((ran.status, &*ran.stderr), (1, "nmsgtool: signalled break\n"));
    ran
}

/// The first lines of the records in presentation form.
fn headers(text: &str) -> Vec<&str> {
    text.lines().filter(|line| line.starts_with('[')).collect()
}

#[test]
fn row_1_one_message_of_a_channel() {
    let Some(machine) = Machine::new() else { return };
    let file = machine.file("in.nmsg", "sie-newdomain.nmsg", 1);
    let child = machine.listens("nmsgtool -C ch212 -c 1 -o -");
    machine.sends(&file, "--setsource 0xa1ba02cf -s 10.32.212.255/8430");
    let ran = good(child);
    let text = ran.text();
    assert!(text.lines().next().is_some_and(|line| line.starts_with('[')), "{text}");
    assert!(headers(text)[0].contains("] [2:5 SIE newdomain] [a1ba02cf] ["), "{text}");
    for start in ["domain: ", "time_seen: ", "rrname: ", "rrclass: ", "rrtype: "] {
        assert!(text.contains(&format!("\n{start}")), "{start}: {text}");
    }
    assert!(headers(text).len() == 1 && text.ends_with("\n\n"), "{text}");
}

#[test]
fn rows_2_3_4_a_channel_to_a_file() {
    let Some(machine) = Machine::new() else { return };
    let feed = machine.file("feed.nmsg", "sie-dnsdedupe.nmsg", 3_500);
    let child = machine.listens("nmsgtool -C ch208 -c 100000 -w ch208.nmsg");
    machine.sends(&feed, "-s 10.32.208.255/8430..8437,4000");
    assert_eq!(good(child).text(), "");
    let file = machine.scratch.path("ch208.nmsg");
    assert_eq!(machine.count(&file), 100_000);
    let len = fs::metadata(&file).expect("it is there").len();
    let shown = machine.runs("stat -c \"%n %s\" ch208.nmsg");
    assert_eq!(shown.text(), format!("ch208.nmsg {len}\n"));
    // Containers of a file are of 1 MiB at most.
    let octets = fs::read(&file).expect("a file");
    let mut rest = &octets[..];
    while let Some((header, behind)) = rest.split_first_chunk::<10>() {
        assert_eq!(&header[..6], b"NMSG\0\x02");
        let len = u32::from_be_bytes(header[6..].try_into().expect("four")) as usize;
        assert!(len < 1 << 20, "{len}");
        rest = &behind[len..];
    }

    let one = machine.runs("nmsgtool -r ch208.nmsg -c 1");
    assert!(headers(one.text())[0].contains("] [2:1 SIE dnsdedupe] ["), "{}", one.text());
    assert!(headers(one.text()).len() == 1 && one.text().contains("\ntype: "), "{}", one.text());

    machine.runs("nmsgtool -r ch208.nmsg -w ch208z.nmsg -z");
    let smaller = fs::metadata(machine.scratch.path("ch208z.nmsg")).expect("it is there").len();
    assert!(smaller < len, "{smaller} of {len}");
    machine.runs("nmsgtool -r ch208z.nmsg -J a; nmsgtool -r ch208.nmsg -J b; cmp a b");
}

#[test]
fn rows_5_6_files_by_time_with_a_script_on_each() {
    let Some(machine) = Machine::new() else { return };
    let feed = machine.file("feed.nmsg", "sie-dnsdedupe.nmsg", 10);
    let payloads = machine.count(Path::new(&feed));
    let mut child = machine.listens("nmsgtool -C ch208 -w ch208 -t 2 -z -k count.sh");
    machine.sends(&feed, "-s 10.32.208.255/8430..8437,4000");
    let mut shown = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    // One file with what was sent, or two of them; then empty ones.
    let mut lines = Vec::new();
    while lines.len() < 3 {
        lines.push(shown.next().expect("a line").expect("text"));
    }
    interrupted(child);
    lines.extend(shown.map(|line| line.expect("text")));
    let mut counts = Vec::new();
    for line in &lines {
        let (name, count) = line.split_once(":  ").expect("two blanks");
        let stamp = name.strip_prefix("./ch208.").and_then(|name| name.strip_suffix(".nmsg"));
        let fields: Vec<&str> = stamp.expect("a name").split('.').collect();
        assert_eq!(fields.iter().map(|field| field.len()).collect::<Vec<_>>(), [8, 4, 10, 9]);
        assert!(machine.scratch.path(name).exists(), "{name}");
        counts.push(count.parse::<usize>().expect("a number"));
        let seconds: u64 = fields[2].parse().expect("a number");
        assert!(lines[0] == *line || seconds.is_multiple_of(2), "every even second: {lines:?}");
    }
    assert!(lines.len() >= 4, "one more when it ends: {lines:?}");
    assert_eq!(counts.iter().sum::<usize>(), payloads, "{lines:?}");
    assert!(counts.contains(&0), "files without payloads, too: {lines:?}");
}

#[test]
fn rows_7_8_two_messages_in_one_datagram() {
    let Some(machine) = Machine::new() else { return };
    machine.file("ch208.20150202.0110.nmsg", "sie-dnsdedupe.nmsg", 1);
    let child = machine.listens("nmsgtool -l 10.0.1.52/9430");
    machine.runs("nmsgtool -r ch208.20150202.0110.nmsg -c 2 -s 10.0.1.52/9430");
    let counting = machine.listens("nmsgtool -l 10.0.1.52/9431 --stats");
    machine.runs("nmsgtool -r ch208.20150202.0110.nmsg -c 2 -s 10.0.1.52/9431");
    settle(counting.id());
    signal(&counting, "INT");
    let (ran, _) = end_of(counting);
    assert!(ran.stderr.contains("; 1 container, "), "{}", ran.stderr);
    let ran = interrupted(child);
    assert_eq!(headers(ran.text()).len(), 2, "{}", ran.text());
}

#[test]
fn row_9_a_channel_mirrored_to_a_socket() {
    let Some(machine) = Machine::new() else { return };
    let feed = machine.file("feed.nmsg", "sie-delay.nmsg", 10);
    let far = machine.listens("nmsgtool -l 10.0.1.52/9430 -J far.json");
    let child = machine.listens("nmsgtool -C ch211 -c 100 -o - -s 10.0.1.52/9430 --mirror");
    machine.sends(&feed, "-s 10.32.211.255/8430");
    let ran = good(child);
    interrupted(far);
    assert_eq!(headers(ran.text()).len(), 100);
    machine.runs(&format!("nmsgtool -r {feed} -c 100 -J near.json"));
    assert!(machine.scratch.read("far.json") == machine.scratch.read("near.json"));
    machine.runs(&format!("nmsgtool -r {feed} -c 100 -o near.pres"));
    assert!(machine.scratch.read("near.pres") == ran.stdout);
}

#[test]
fn row_12_records_of_connections() {
    let Some(machine) = Machine::new() else { return };
    let file = machine.file("in.nmsg", "base-ipconn.nmsg", 1);
    let child = machine.listens("nmsgtool -l 127.0.0.1/9431 -o -");
    machine.sends(&file, "-s 127.0.0.1/9431");
    let ran = interrupted(child);
    let want = fs::read(golden("base-ipconn.pres")).expect("a golden file");
    assert!(ran.stdout == want, "{}", ran.text());
}

#[test]
fn row_13_two_messages_of_a_channel() {
    let Some(machine) = Machine::new() else { return };
    let feed = machine.file("feed.nmsg", "base-http.nmsg", 1);
    let child = machine.listens("nmsgtool -C ch80 -c 2 -w ch80-2pack.nmsg");
    machine.sends(&feed, "-s 10.32.80.255/8430");
    good(child);
    assert_eq!(machine.count(&machine.scratch.path("ch80-2pack.nmsg")), 2);
}

#[test]
fn row_14_messages_of_a_type_are_counted() {
    let Some(machine) = Machine::new() else { return };
    let mixed = ["base-dnsqr.nmsg", "sie-dnsdedupe.nmsg", "base-dnsqr.nmsg"];
    let octets: Vec<Vec<u8>> =
        mixed.iter().map(|name| fs::read(golden(name)).expect("a golden file")).collect();
    machine.scratch.write("ch202.nmsg", &octets.concat());
    let counted = machine.runs("nmsgtool -r ch202.nmsg | grep \"1:9 base dnsqr\" | wc -l");
    let want = 2 * machine.count(&golden("base-dnsqr.nmsg").canonicalize().expect("it is there"));
    assert_eq!(counted.text().trim(), want.to_string());
}

#[test]
fn the_examples_of_the_manual() {
    let Some(machine) = Machine::new() else { return };
    let file = machine.file("in.nmsg", "base-ipconn.nmsg", 1);
    let payloads = machine.count(Path::new(&file));
    assert_eq!(headers(machine.runs("nmsgtool -r in.nmsg").text()).len(), payloads);

    let child = machine.listens("nmsgtool -l 10.0.1.52/8430 -w one.nmsg");
    machine.sends(&file, "-s 10.0.1.52/8430");
    interrupted(child);
    machine.runs("nmsgtool -r one.nmsg -J a; nmsgtool -r in.nmsg -J b; cmp a b");

    let child = machine.listens("nmsgtool -l 10.0.1.52/8430..8437 -w hour -t 3600 -k '' -z");
    machine.sends(&file, "-s 10.0.1.52/8430..8437");
    interrupted(child);
    let names = fs::read_dir(machine.scratch.path("")).expect("a directory").flatten();
    let hours: Vec<PathBuf> = names
        .map(|entry| entry.path())
        .filter(|path| path.file_name().is_some_and(|n| n.to_string_lossy().starts_with("hour.")))
        .collect();
    let there: usize = hours.iter().map(|path| machine.count(path)).sum();
    assert_eq!(there, payloads, "{hours:?}");

    let child = machine.listens("nmsgtool -L tcp://127.0.0.1:5555,accept,pushpull --unbuffered");
    machine.sends(&file, "-S tcp://127.0.0.1:5555,connect,pushpull");
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!(headers(interrupted(child).text()).len(), payloads);
}
