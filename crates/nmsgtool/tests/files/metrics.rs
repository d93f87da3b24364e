//! Live counters over HTTP.

use crate::tool::{Ran, Scratch, command, containers, end_of, run, start};
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, ChildStderr, Command};
use std::time::{Duration, Instant};

/// A run that shows its counters.
struct Shown {
    child: Child,
    stderr: BufReader<ChildStderr>,
    address: SocketAddr,
}

impl Shown {
    fn start(arguments: &[&str]) -> Self {
        let more = ["-dd", "--metrics", "127.0.0.1:0"];
        Self::started(command(arguments.iter().chain(&more)))
    }

    fn started(command: Command) -> Self {
        let mut child = start(command);
        let mut stderr = BufReader::new(child.stderr.take().expect("a pipe"));
        let mut line = String::new();
        let address = loop {
            line.clear();
            assert_ne!(stderr.read_line(&mut line).expect("text"), 0, "the address is told");
            if let Some(rest) = line.trim().strip_prefix("nmsgtool: metrics at http://") {
                break rest.strip_suffix("/metrics").expect("a path").parse().expect("an address");
            }
        };
        Self { child, stderr, address }
    }

    fn feed(&mut self, octets: &[u8]) {
        let stdin = self.child.stdin.as_mut().expect("a pipe");
        stdin.write_all(octets).expect("the program reads");
        stdin.flush().expect("the program reads");
    }

    fn connect(&self) -> TcpStream {
        // The program may be about to start its answers.
        let begin = Instant::now();
        loop {
            match TcpStream::connect(self.address) {
                Ok(stream) => {
                    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a timeout");
                    return stream;
                }
                Err(error) => assert!(begin.elapsed() < Duration::from_secs(20), "{error}"),
            }
        }
    }

    /// Sends octets as they are; gives what comes back until the end.
    fn ask(&self, octets: &[u8]) -> String {
        let mut stream = self.connect();
        stream.write_all(octets).expect("sent");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("an answer");
        String::from_utf8(answer).expect("text")
    }

    /// The counters, by name and labels.
    fn scrape(&self) -> HashMap<String, u64> {
        let answer = self.ask(b"GET /metrics HTTP/1.1\r\nHost: here\r\n\r\n");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
        let kind = "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n";
        assert!(head.contains(kind), "{head}");
        assert!(head.contains(&format!("Content-Length: {}\r\n", body.len())), "{head}");
        let sample = |line: &str| {
            let (name, value) = line.rsplit_once(' ').expect("a value");
            (name.to_owned(), value.parse::<f64>().expect("a number") as u64)
        };
        body.lines().filter(|line| !line.starts_with('#')).map(sample).collect()
    }

    /// Waits until a counter has a value; gives all of them.
    fn scrape_until(&self, name: &str, value: u64) -> HashMap<String, u64> {
        let begin = Instant::now();
        loop {
            let counters = self.scrape();
            if counters.get(name) == Some(&value) {
                return counters;
            }
            assert!(begin.elapsed() < Duration::from_secs(20), "{name} {value}: {counters:#?}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn end(mut self) -> Ran {
        drop(self.child.stdin.take());
        let mut stderr = String::new();
        self.stderr.read_to_string(&mut stderr).expect("text");
        Ran { stderr, ..end_of(self.child).0 }
    }
}

/// The number in front of some words of a ledger.
fn number(ledger: &str, words: &str) -> u64 {
    let before = ledger.split(words).next().filter(|before| before.len() < ledger.len());
    let before = before.unwrap_or_else(|| panic!("{words} is not in {ledger}"));
    before.trim_end().rsplit([' ', '(']).next().and_then(|n| n.parse().ok()).expect("a number")
}

#[test]
fn counters_are_those_of_the_ledger() {
    for threads in ["1", "3"] {
        let scratch = Scratch::new();
        let out = scratch.text("o\"u\\t");
        let arguments =
            ["-r", "-", "-J", &out, "--stats", "--threads", threads, "--where", "srcport < 8"];
        let mut shown = Shown::start(&arguments);
        let input = "{input=\"-\",number=\"1\"";
        let output =
            format!("{{output=\"{}\",number=\"1\"", out.replace('\\', "\\\\").replace('"', "\\\""));
        let at_start = shown.scrape_until("nmsg_payloads_in_total", 0);
        assert_eq!(at_start[&format!("nmsg_input_payloads_total{input}}}")], 0);
        let good = containers(&[5, 5]);
        shown.feed(&good[0]);
        let first = shown.scrape_until(&format!("nmsg_output_payloads_written_total{output}}}"), 5);
        assert_eq!(first[&format!("nmsg_input_payloads_total{input}}}")], 5, "while it runs");
        shown.feed(b"this is no container");
        shown.feed(&good[1]);
        let written = format!("nmsg_output_payloads_written_total{output}}}");
        let counters = shown.scrape_until(&written, 8);
        let ran = shown.end();
        assert_eq!(ran.status, 3, "{}", ran.stderr);
        let lines: Vec<&str> = ran.stderr.lines().collect();
        let line = |start: &str| *lines.iter().find(|line| line.starts_with(start)).unwrap();
        let (from, to) = (line("input -: "), line(&format!("output {out}: ")));
        for (name, want) in [
            (format!("nmsg_input_payloads_total{input}}}"), number(from, "payloads in")),
            (format!("nmsg_input_payloads_passed_total{input}}}"), number(from, "passed on")),
            (
                format!("nmsg_input_payloads_not_passed_total{input},reason=\"selection\"}}"),
                number(from, "filtered"),
            ),
            (format!("nmsg_input_containers_total{input}}}"), number(from, "containers")),
            (format!("nmsg_input_bytes_total{input}}}"), number(from, "bytes,")),
            (
                format!("nmsg_input_faults_total{input},kind=\"damage\"}}"),
                number(from, "damaged place"),
            ),
            (format!("nmsg_input_damaged_bytes_total{input}}}"), number(from, "bytes lost")),
            (written.clone(), number(to, "payloads written")),
            (format!("nmsg_output_bytes_total{output}}}"), number(to, "bytes")),
            ("nmsg_payloads_out_total".to_owned(), 8),
        ] {
            assert_eq!(counters.get(&name), Some(&want), "{name}, {threads} threads\n{from}\n{to}");
        }
    }
}

#[test]
fn pages_methods_and_mistakes() {
    let shown = Shown::start(&["-r", "-", "-w", "/dev/null"]);
    let body = |octets: &[u8]| {
        let answer = shown.ask(octets);
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
        (head.lines().next().unwrap_or_default().to_owned(), body.to_owned())
    };
    let huge = [b"GET /metrics HTTP/1.1\r\nX: ".to_vec(), vec![b'x'; 100_000]].concat();
    let endless = vec![b'A'; 20_000];
    for (octets, status, start) in [
        (&b"GET / HTTP/1.1\r\n\r\n"[..], "200 OK", "The figures are at /metrics"),
        (b"HEAD /metrics HTTP/1.1\r\n\r\n", "200 OK", ""),
        (b"GET /metrics HTTP/1.0\r\n\r\n", "200 OK", "# HELP nmsg_build_info"),
        (b"GET /other HTTP/1.1\r\n\r\n", "404 Not Found", "404"),
        (b"POST /metrics HTTP/1.1\r\n\r\n", "405 Method Not Allowed", "405"),
        (b"GET /metrics HTTP/3.0\r\n\r\n", "505 HTTP Version Not Supported", "505"),
        (b"\x16\x03\x01\x02\0\x01", "400 Bad Request", "400"),
        (b"NMSG\0\x02", "400 Bad Request", "400"),
        (&huge, "431 Request Header Fields Too Large", "431"),
        (&endless, "431 Request Header Fields Too Large", "431"),
    ] {
        let (line, text) = body(octets);
        let asked = String::from_utf8_lossy(&octets[..octets.len().min(30)]).into_owned();
        assert_eq!(line, format!("HTTP/1.1 {status}"), "{asked}");
        assert!(text.starts_with(start) && text.is_empty() == start.is_empty(), "{asked}: {text}");
    }
    assert_eq!(shown.end().status, 0);
}

#[test]
fn slow_and_silent_clients_do_not_keep_others_out() {
    let mut shown = Shown::start(&["-r", "-", "-J", "/dev/null", "--unbuffered"]);
    let mut slow = shown.connect();
    let begin = Instant::now();
    let mut silent: Vec<TcpStream> = (0..15).map(|_| shown.connect()).collect();
    slow.write_all(b"GET /met").expect("sent");
    shown.feed(&containers(&[3])[0]);
    let mut answer = String::new();
    slow.read_to_string(&mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 408 Request Timeout\r\n"), "{answer}");
    let took = begin.elapsed();
    assert!((Duration::from_secs(4)..Duration::from_secs(15)).contains(&took), "{took:?}");
    // Far more than there is room for: the oldest have to go.
    silent.extend((0..60).map(|_| shown.connect()));
    let counters = shown.scrape();
    assert_eq!(counters["nmsg_payloads_out_total"], 3);
    let is_gone = |mut stream: &TcpStream| {
        let _ = stream.set_read_timeout(Some(Duration::from_millis(1)));
        matches!(stream.read(&mut [0]), Ok(0))
    };
    assert!(
        silent.iter().filter(|stream| is_gone(stream)).count() >= 55,
        "connections are bounded"
    );
    let begin = Instant::now();
    assert_eq!(shown.end().status, 0);
    assert!(begin.elapsed() < Duration::from_secs(3), "clients do not hold up the end");
}

#[test]
fn a_busy_run_is_scraped_without_being_changed() {
    let scratch = Scratch::new();
    let octets = containers(&[100; 40]).concat().repeat(40);
    let plain = scratch.text("plain");
    let input = scratch.write("in.nmsg", &octets);
    assert_eq!(run(["-r", &input, "-J", &plain]).status, 0);
    let out = scratch.text("out");
    let mut shown = Shown::start(&["-r", "-", "-J", &out]);
    let mut last = 0;
    for piece in octets.chunks(octets.len().div_ceil(50)) {
        shown.feed(piece);
        let now = shown.scrape()["nmsg_payloads_in_total"];
        assert!(now >= last, "counters only grow: {now} after {last}");
        last = now;
    }
    assert!(last > 0);
    shown.scrape_until("nmsg_payloads_out_total", 160_000);
    assert_eq!(shown.end().status, 0);
    assert!(scratch.read("out") == scratch.read("plain"));
}

#[test]
fn an_address_that_is_taken_is_status_2() {
    let scratch = Scratch::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let out = scratch.text("out");
    let ran = run(["-r", "/dev/null", "-w", &out, "--metrics", &address]);
    let want = format!("nmsgtool: unable to show metrics at {address}: Address already in use\n");
    assert_eq!((ran.status, ran.stderr), (2, want));
    assert!(!scratch.path("out").exists(), "nothing was processed");
}
