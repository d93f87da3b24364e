//! The process: background, pid file, user, signals that ask for something.

use crate::sockets::{free_port, start_listening};
use crate::tool::{
    Ran, Scratch, command, containers, end_of, run, settle, signal, start, uninterrupted,
};
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::UdpSocket;
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Waits until something holds.
fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_secs(20), "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A process in the background that a test has started; killed if the test fails.
struct Background(String);

impl Background {
    fn signal(&self, name: &str) {
        let sent = Command::new("kill").args(["-s", name, &self.0]).status();
        assert!(sent.expect("kill starts").success(), "{name}");
    }

    fn file(&self, name: &str) -> String {
        format!("/proc/{}/{name}", self.0)
    }

    fn is_alive(&self) -> bool {
        // What nobody has waited for yet is as good as gone.
        let stat = fs::read_to_string(self.file("stat")).unwrap_or_default();
        stat.rsplit(") ").next().is_some_and(|rest| !rest.is_empty() && !rest.starts_with('Z'))
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        if self.is_alive() {
            let _ = Command::new("kill").args(["-s", "KILL", &self.0]).status();
        }
    }
}

/// Starts a listener in the background, in a directory of its own; its standard error goes to a file.
fn daemon(scratch: &Scratch, arguments: &[&str]) -> (Ran, Option<Background>) {
    let mut command = command(["-D", "-P", "pid"].iter().chain(arguments));
    command.current_dir(scratch.path(""));
    let errors = fs::File::create(scratch.path("errors")).expect("a file");
    let status = command.stdout(Stdio::null()).stderr(errors).status().expect("the program starts");
    let ran = Ran {
        status: status.code().unwrap_or(-1),
        stdout: Vec::new(),
        stderr: String::from_utf8_lossy(&scratch.read("errors")).into_owned(),
    };
    let pid = fs::read_to_string(scratch.path("pid")).ok();
    (ran, pid.map(|pid| Background(pid.trim_end().to_owned())))
}

fn send(port: u16, octets: &[u8]) {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
    socket.send_to(octets, ("127.0.0.1", port)).expect("sent");
}

#[test]
fn sg_7_a_daemon_is_ready_when_its_parent_exits() {
    let scratch = Scratch::new();
    let port = free_port("127.0.0.1");
    let address = format!("127.0.0.1/{port}");
    let (ran, background) = daemon(&scratch, &["-l", &address, "-w", "out", "-c", "2", "-k", ""]);
    assert_eq!((ran.status, &*ran.stderr), (0, ""));
    let background = background.expect("a pid file");
    for octets in containers(&[2, 1]) {
        send(port, &octets);
    }
    let link = |name: &str| fs::read_link(background.file(name)).unwrap();
    assert_eq!(link("cwd"), Path::new("/"));
    for fd in ["fd/0", "fd/1", "fd/2"] {
        assert_eq!(link(fd), Path::new("/dev/null"), "{fd}");
    }
    let stat = fs::read_to_string(background.file("stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap().split(' ').collect();
    assert_eq!(fields[3], background.0, "a session of its own: {stat}");
    let finished = || {
        let entries = fs::read_dir(scratch.path("")).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name());
        names.filter(|name| name.to_string_lossy().starts_with("out.")).count()
    };
    until("the first file is full", || finished() == 1);
    background.signal("TERM");
    until("the daemon ends", || !background.is_alive());
    assert!(!scratch.path("pid").exists());
    assert_eq!(finished(), 2, "renamed although the current directory is another");
}

/// `$(nmsgtool -l … -D)` in a shell has to come back: the implicit output must not keep the pipe open.
#[test]
fn sg_7_a_daemon_without_outputs_lets_go_of_standard_output() {
    let scratch = Scratch::new();
    let address = format!("127.0.0.1/{}", free_port("127.0.0.1"));
    let mut command = command(["-D", "-P", "pid", "-l", &address]);
    let command = command.current_dir(scratch.path("")).stdin(Stdio::null());
    let mut parent = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut stdout = parent.stdout.take().unwrap();
    let pipe = fs::read_link(format!("/proc/self/fd/{}", stdout.as_raw_fd())).unwrap();
    assert_eq!(parent.wait().unwrap().code(), Some(0));
    let pid = fs::read_to_string(scratch.path("pid")).expect("a pid file");
    let background = Background(pid.trim_end().to_owned());
    for fd in fs::read_dir(background.file("fd")).unwrap() {
        let link = fs::read_link(fd.unwrap().path()).unwrap_or_default();
        assert_ne!(link, pipe, "standard output is still open");
    }
    background.signal("TERM");
    until("the daemon ends", || !background.is_alive());
    assert_eq!(stdout.read_to_end(&mut Vec::new()).unwrap(), 0);
}

#[test]
fn sg_7_a_daemon_that_cannot_start_says_so_at_the_terminal() {
    let scratch = Scratch::new();
    let address = format!("127.0.0.1/{}", free_port("127.0.0.1"));
    for (arguments, status, said) in [
        (&["-l", &address, "-w", "no/such/directory"][..], 4, "unable to open no/such/directory"),
        (&["-r", "missing"], 3, "unable to open missing for reading"),
        (&["-l", "192.0.2.77/5"], 3, "unable to listen on 192.0.2.77/5"),
        (&["-l", &address, "-U", "no-such-user"], 2, "username no-such-user does not exist"),
    ] {
        let (ran, background) = daemon(&scratch, arguments);
        assert_eq!(ran.status, status, "{arguments:?}: {}", ran.stderr);
        assert!(ran.stderr.contains(said), "{arguments:?}: {}", ran.stderr);
        assert!(background.is_none(), "{arguments:?}: the pid file is gone");
    }
}

#[test]
fn sg_8_the_pid_file_holds_the_number_and_goes() {
    let scratch = Scratch::new();
    let pid_file = scratch.text("pid");
    let port = free_port("127.0.0.1");
    let address = format!("127.0.0.1/{port}");
    for (octets, name, status) in [(&containers(&[1])[0][..], None, 0), (b"", Some("TERM"), 1)] {
        let mut child =
            start(command(["-l", &address, "-c", "1", "-w", "/dev/null", "-P", &pid_file]));
        drop(child.stdin.take());
        let want = format!("{}\n", child.id());
        until("the pid file", || fs::read_to_string(&pid_file).is_ok_and(|text| text == want));
        settle(child.id());
        match name {
            Some(name) => signal(&child, name),
            None => send(port, octets),
        }
        let (ran, _) = end_of(child);
        assert_eq!(ran.status, status, "{}", ran.stderr);
        assert!(!scratch.path("pid").exists());
    }
}

#[test]
fn sg_8_a_pid_file_that_cannot_be_written_is_status_2_before_the_start() {
    let scratch = Scratch::new();
    let file = scratch.write("in.nmsg", &containers(&[1]).concat());
    let (out, pid) = (scratch.text("out"), scratch.text("no/pid"));
    let ran = run(["-r", &file, "-w", &out, "-P", &pid]);
    let want = format!("nmsgtool: unable to open pidfile {pid}: No such file or directory\n");
    assert_eq!((ran.status, ran.stderr), (2, want));
    assert!(!scratch.path("out").exists(), "nothing was processed");
}

#[test]
fn a_pid_file_that_is_gone_is_said_and_no_failure() {
    let scratch = Scratch::new();
    let pid_file = scratch.text("pid");
    let mut child = start(command(["-r", "-", "-w", "/dev/null", "-P", &pid_file]));
    until("the pid file", || scratch.path("pid").exists());
    settle(child.id());
    fs::remove_file(&pid_file).unwrap();
    drop(child.stdin.take());
    let (ran, _) = end_of(child);
    let want = "nmsgtool: unlink() failed: No such file or directory\n";
    assert_eq!((ran.status, &*ran.stderr), (0, want));
}

fn id_of(name: &str) -> Option<u32> {
    let found = Command::new("id").args(["-u", name]).output().ok()?;
    String::from_utf8_lossy(&found.stdout).trim().parse().ok()
}

#[test]
fn sg_9_privileges_are_dropped_behind_sockets_and_pid_file() {
    let (Some(0), Some(nobody)) =
        (fs::metadata("/proc/self").ok().map(|m| m.uid()), id_of("nobody"))
    else {
        println!("skipped: only root can become another user");
        return;
    };
    let scratch = Scratch::new();
    let writable = scratch.path("writable");
    fs::create_dir(&writable).unwrap();
    std::os::unix::fs::chown(&writable, Some(nobody), None).unwrap();
    let port = (600..1024).find(|port| UdpSocket::bind(("127.0.0.1", *port)).is_ok()).unwrap();
    let out = scratch.text("writable/out");
    let address = format!("127.0.0.1/{port}");
    let listening = command(["-dd", "-l", &address, "-w", &out, "-U", "nobody", "-c", "1"]);
    let child = start_listening(&scratch, listening);
    until("the output", || scratch.path("writable/out").exists());
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    let line = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().skip(1).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(line("Uid:"), vec![nobody.to_string(); 4]);
    let groups = line("Gid:");
    assert!(groups.iter().all(|group| *group == groups[0] && group != "0"), "{groups:?}");
    assert!(!line("Groups:").contains(&"0".to_owned()), "no group of root is kept");
    assert_eq!(fs::metadata(&out).unwrap().uid(), nobody, "files are opened afterwards");
    let pid_file = fs::read_dir(scratch.path("")).unwrap().map(|entry| entry.unwrap().path());
    let pid_file = pid_file.into_iter().find(|path| path.display().to_string().contains("pid"));
    assert_eq!(fs::metadata(pid_file.unwrap()).unwrap().uid(), nobody);
    send(port, &containers(&[1])[0]);
    let (ran, _) = end_of(child);
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    assert!(ran.stderr.contains("nmsgtool: switched to user nobody\n"), "{}", ran.stderr);
    assert!(!scratch.read("writable/out").is_empty());
}

#[test]
fn a_user_that_does_not_exist_is_status_2() {
    let scratch = Scratch::new();
    let file = scratch.write("in.nmsg", &containers(&[1]).concat());
    let ran = run(["-r", &file, "-U", "no-such-user"]);
    let want = "nmsgtool: username no-such-user does not exist\n";
    assert_eq!((ran.status, &*ran.stderr), (2, want));
}

#[test]
fn sg_4_a_hang_up_in_the_foreground_ends_in_good_order() {
    let scratch = Scratch::new();
    let port = free_port("127.0.0.1");
    let out = scratch.text("x");
    let listening = command(["-l", &format!("127.0.0.1/{port}"), "-w", &out, "-k", ""]);
    let child = start_listening(&scratch, listening);
    send(port, &containers(&[1])[0]);
    settle(child.id());
    signal(&child, "HUP");
    let (ran, _) = end_of(child);
    assert_eq!(ran.status, 129, "{}", ran.stderr);
    let names: Vec<String> = fs::read_dir(scratch.path(""))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert!(names.len() == 1 && names[0].starts_with("x."), "renamed, pid file gone: {names:?}");
}

#[test]
fn sg_4_a_hang_up_of_a_daemon_is_a_flush() {
    let scratch = Scratch::new();
    for sockets in [1, 2] {
        let ports: Vec<u16> = (0..sockets).map(|_| free_port("127.0.0.1")).collect();
        let addresses: Vec<String> = ports.iter().map(|p| format!("127.0.0.1/{p}")).collect();
        let out = format!("out{sockets}");
        let mut arguments = vec!["-w", &out];
        addresses.iter().for_each(|address| arguments.extend(["-l", address]));
        let (ran, background) = daemon(&scratch, &arguments);
        assert_eq!((ran.status, &*ran.stderr), (0, ""));
        let background = background.unwrap();
        send(ports[0], &containers(&[3])[0]);
        settle(background.0.parse().unwrap());
        assert_eq!(scratch.read(&out), b"", "containers wait until they are full");
        background.signal("HUP");
        until("the flush", || scratch.read(&out) == containers(&[3])[0]);
        assert!(background.is_alive());
        background.signal("INT");
        until("the daemon ends", || !background.is_alive());
        assert_eq!(scratch.read(&out), containers(&[3])[0]);
    }
}

#[test]
fn sg_5_usr1_shows_the_ledger_and_the_run_goes_on() {
    for second in [None, Some("127.0.0.1/")] {
        let scratch = Scratch::new();
        let mut arguments =
            vec!["-r".to_owned(), "-".to_owned(), "-w".to_owned(), scratch.text("x")];
        if let Some(address) = second {
            arguments.extend(["-l".to_owned(), format!("{address}{}", free_port("127.0.0.1"))]);
        }
        let mut child = start(command(&arguments));
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(&containers(&[4])[0]).unwrap();
        settle(child.id());
        signal(&child, "USR1");
        let mut said = BufReader::new(child.stderr.take().unwrap());
        let mut text = String::new();
        while !text.contains("total: ") {
            assert_ne!(said.read_line(&mut text).unwrap(), 0, "{text}");
        }
        assert!(text.contains("input -: 4 payloads in"), "{text}");
        assert!(text.contains("total: 4 payloads in"), "{text}");
        signal(&child, "TERM");
        let (ran, _) = end_of(child);
        let mut rest = String::new();
        said.read_to_string(&mut rest).unwrap();
        assert_eq!((ran.status, &*rest), (1, "nmsgtool: signalled break\n"));
        assert_eq!(scratch.read("x"), containers(&[4])[0]);
    }
}

/// What a service manager is told, one message after the other.
struct Manager(UnixDatagram);

impl Manager {
    fn new(path: &Path) -> Self {
        let socket = UnixDatagram::bind(path).expect("a socket");
        socket.set_read_timeout(Some(Duration::from_secs(20))).expect("a timeout");
        Self(socket)
    }

    fn next(&self) -> String {
        let mut buffer = [0; 100];
        let len = uninterrupted(|| self.0.recv(&mut buffer)).expect("a message");
        String::from_utf8_lossy(&buffer[..len]).into_owned()
    }

    fn is_silent(&self) -> bool {
        self.0.set_read_timeout(Some(Duration::from_millis(100))).expect("a timeout");
        uninterrupted(|| self.0.recv(&mut [0; 100])).is_err()
    }
}

#[test]
fn a_service_manager_is_told_when_everything_is_set_up_and_when_it_ends() {
    for (threads, name, status) in [("1", None, 0), ("2", None, 0), ("1", Some("TERM"), 1)] {
        let scratch = Scratch::new();
        let path = scratch.path("notify");
        let manager = Manager::new(&path);
        let out = scratch.fifo("out");
        let mut command = command(["-r", "-", "-w", &out, "--threads", threads]);
        command.env("NOTIFY_SOCKET", &path);
        let mut child = start(command);
        std::thread::sleep(Duration::from_millis(100));
        assert!(manager.is_silent(), "an output is not open yet");
        manager.0.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let reader = std::thread::spawn(move || fs::read(out));
        assert_eq!(manager.next(), format!("READY=1\nMAINPID={}", child.id()));
        assert!(manager.is_silent(), "it goes on");
        manager.0.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        match name {
            Some(name) => signal(&child, name),
            None => drop(child.stdin.take()),
        }
        assert_eq!(manager.next(), "STOPPING=1");
        let (ran, _) = end_of(child);
        assert_eq!(ran.status, status, "{}", ran.stderr);
        reader.join().unwrap().unwrap();
        assert!(manager.is_silent(), "each is said once");
    }
}

#[test]
fn a_start_that_fails_is_not_ready() {
    let scratch = Scratch::new();
    let path = scratch.path("notify");
    let manager = Manager::new(&path);
    let mut command = command(["-r", "missing"]);
    let ran: Ran = command.env("NOTIFY_SOCKET", &path).output().unwrap().into();
    assert_eq!(ran.status, 3);
    assert!(manager.is_silent());
}

#[test]
fn a_service_manager_that_is_gone_stops_nothing() {
    let mut command = command(["-r", "/dev/null", "-w", "/dev/null"]);
    let ran: Ran = command.env("NOTIFY_SOCKET", "/no/such/socket").output().unwrap().into();
    assert_eq!((ran.status, &*ran.stderr), (0, ""));
}

/// The unit file of the project, as the service manager itself checks it.
#[test]
fn the_unit_file_is_one() {
    let unit =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../contrib/systemd/nmsgtool@.service");
    let text = fs::read_to_string(unit).expect("the unit file");
    for line in ["Type=notify", "ExecStart=/usr/bin/nmsgtool $NMSG_OPTIONS", "SuccessExitStatus=1"]
    {
        assert!(text.lines().any(|other| other == line), "{line}");
    }
    let scratch = Scratch::new();
    let text = text.replace("/usr/bin/nmsgtool", env!("CARGO_BIN_EXE_nmsgtool"));
    let copy = scratch.write("nmsgtool@.service", text.as_bytes());
    let Ok(checked) = Command::new("systemd-analyze").args(["--man=no", "verify", &copy]).output()
    else {
        println!("skipped: there is no systemd-analyze");
        return;
    };
    let ran: Ran = checked.into();
    assert_eq!((ran.status, &*ran.stderr), (0, ""));
}
