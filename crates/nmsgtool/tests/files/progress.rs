//! The line of progress, on a terminal and nowhere else.

use crate::tool::{Scratch, command, containers, end_of, run, start};
use nmsg_os::terminal::PseudoTerminal;
use std::io::Read;
use std::process::{Command, Stdio};
use std::thread::JoinHandle;

/// An input that takes some seconds at a byte rate, with damage in its middle.
fn slow_input(scratch: &Scratch) -> (String, String) {
    let half = containers(&[20; 30]).concat().repeat(45);
    let octets = [&half[..], b"this is no container", &half].concat();
    let rate = (octets.len() / 3).to_string();
    (scratch.write("in.nmsg", &octets), rate)
}

/// Collects what a terminal shows until all programs have left it.
fn watch(mut pty: PseudoTerminal) -> JoinHandle<String> {
    drop(pty.terminal);
    std::thread::spawn(move || {
        let (mut shown, mut buffer) = (Vec::new(), [0; 4096]);
        // A terminal that everybody has left is an error to its other end.
        while let Ok(count @ 1..) = pty.screen.read(&mut buffer) {
            shown.extend_from_slice(&buffer[..count]);
        }
        String::from_utf8(shown).expect("text")
    })
}

/// What a terminal shows of the standard error of a program.
fn on_terminal(mut command: Command, columns: u16) -> (i32, String) {
    let pty = PseudoTerminal::open(columns).expect("a terminal");
    command.stderr(pty.terminal.try_clone().expect("a descriptor")).stdout(Stdio::null());
    let child = command.spawn().expect("the program starts");
    // The command holds the terminal, too.
    drop(command);
    let watching = watch(pty);
    let (ran, _) = end_of(child);
    (ran.status, watching.join().expect("no panic"))
}

#[test]
fn a_long_run_shows_how_far_it_is() {
    let scratch = Scratch::new();
    let (input, rate) = slow_input(&scratch);
    for columns in [200, 30] {
        let mut slow = command(["-r", &input, "-B", &rate, "-w", "/dev/null"]);
        slow.env("TERM", "xterm");
        let (status, shown) = on_terminal(slow, columns);
        assert_eq!(status, 3);
        let mut shares = Vec::new();
        let mut told = 0;
        for line in shown.split_inclusive('\n') {
            // Whatever is said stands alone on its line: what was there before is cleared.
            let (before, message) = line.rsplit_once("\r\x1b[K").unwrap_or(("", line));
            assert!(!message.contains('%'), "the last line is cleared: {line:?}");
            assert!(message.is_empty() || message.starts_with("nmsgtool: "), "{line:?}");
            told += usize::from(!message.is_empty());
            for update in before.split('\r').filter(|update| !update.is_empty()) {
                let update = update.trim_end_matches("\x1b[K");
                assert!(update.len() < usize::from(columns), "{update:?}");
                let share = update.strip_prefix("nmsgtool: ").expect("the name");
                let (share, rest) = share.split_once(" % of ").expect("a share");
                shares.push(share.parse::<f64>().expect("a number"));
                if columns == 200 {
                    assert!(rest.contains("/s, ") && rest.contains(" payloads"), "{update:?}");
                }
            }
        }
        assert_eq!(told, 1, "{shown:?}");
        assert!(shares.len() >= 3, "{shown:?}");
        assert!(
            shares.is_sorted() && shares[0] < 60.0 && *shares.last().unwrap() > 60.0,
            "{shares:?}"
        );
    }
}

#[test]
fn no_progress_where_it_would_be_in_the_way() {
    let scratch = Scratch::new();
    let (input, rate) = slow_input(&scratch);
    let arguments = ["-r", &input, "-B", &rate, "-w", "/dev/null"];
    let slow = |more: &[&str], term: &str| {
        let mut command = command(arguments.iter().chain(more));
        command.env("TERM", term);
        command
    };
    let ran = {
        let mut child = start(slow(&[], "xterm"));
        drop(child.stdin.take());
        std::thread::spawn(|| end_of(child).0)
    };
    let terminals: Vec<_> = [
        ("a dumb terminal", slow(&[], "dumb")),
        ("a log for machines", slow(&["--log-format", "json"], "xterm")),
        ("an input that is no file", slow(&["-j", "/dev/null"], "xterm")),
    ]
    .into_iter()
    .map(|(name, command)| (name, std::thread::spawn(|| on_terminal(command, 80))))
    .collect();
    for (name, terminal) in terminals {
        let (status, shown) = terminal.join().expect("no panic");
        assert_eq!(status, 3, "{name}");
        assert!(!shown.contains('\r') && !shown.contains('%'), "{name}: {shown:?}");
    }
    let ran = ran.join().expect("no panic");
    assert!(!ran.stderr.contains('\r') && !ran.stderr.contains('%'), "a pipe: {}", ran.stderr);
    let quick = scratch.write("quick.nmsg", &containers(&[5])[0]);
    let (status, shown) = on_terminal(command(["-r", &quick, "-w", "/dev/null"]), 80);
    assert_eq!((status, &*shown), (0, ""), "a short run");
    assert_eq!(run(["-r", &quick, "-w", "/dev/null"]).stderr, "");
}

#[test]
fn no_progress_between_the_lines_of_an_output() {
    let scratch = Scratch::new();
    let (input, rate) = slow_input(&scratch);
    let pty = PseudoTerminal::open(80).expect("a terminal");
    let mut command = command(["-r", &input, "-B", &rate, "-J", "-"]);
    command.env("TERM", "xterm");
    command.stderr(pty.terminal.try_clone().expect("a descriptor"));
    command.stdout(pty.terminal.try_clone().expect("a descriptor"));
    let child = command.spawn().expect("the program starts");
    drop(command);
    let watching = watch(pty);
    assert_eq!(end_of(child).0.status, 3);
    let shown = watching.join().expect("no panic");
    assert!(shown.contains("\"srcport\":") && !shown.contains('%'), "{shown:?}");
}
