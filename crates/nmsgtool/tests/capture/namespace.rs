//! Networks of their own for tests, seen by nobody else.

use std::ffi::OsStr;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

/// A network namespace with a loopback interface that is up; gone at the end of the test.
pub(crate) struct Namespace {
    name: String,
}

impl Namespace {
    /// Makes one for captures, where that is possible: it takes libpcap, root and iproute2. On machines that
    /// test every change (`CI` is `true`), it has to be possible.
    pub(crate) fn new() -> Option<Self> {
        let library = nmsg_os::pcap::library().map(drop).map_err(|error| error.to_string());
        Self::or_skip("live capture", library.and_then(|()| Self::make()))
    }

    /// Makes one for everything else.
    pub(crate) fn network() -> Option<Self> {
        Self::or_skip("network namespaces", Self::make())
    }

    fn make() -> Result<Self, String> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("nmsgtool-{}-{number}", std::process::id());
        let namespace = ip(["netns", "add", &name]).map(|()| Self { name })?;
        namespace.ip(["link", "set", "lo", "up"])?;
        Ok(namespace)
    }

    #[expect(clippy::print_stdout, reason = "says why a test is skipped")]
    fn or_skip(what: &str, made: Result<Self, String>) -> Option<Self> {
        let reason = match made {
            Ok(namespace) => return Some(namespace),
            Err(reason) => format!("no {what} on this machine: {reason}"),
        };
        assert!(std::env::var_os("CI").is_none_or(|value| value != "true"), "{reason}");
        println!("skipped: {reason}");
        None
    }

    /// Joins this namespace to another by a cable: `v0` here is 10.9.0.1, `v1` there 10.9.0.2.
    pub(crate) fn connect(&self, other: &Self) {
        let pair =
            ["link", "add", "v0", "type", "veth", "peer", "name", "v1", "netns", &other.name];
        self.ip(pair).expect("a cable");
        for (namespace, interface, address) in
            [(self, "v0", "10.9.0.1/24"), (other, "v1", "10.9.0.2/24")]
        {
            namespace.ip(["address", "add", address, "dev", interface]).expect("an address");
            namespace.ip(["link", "set", interface, "up"]).expect("an interface");
        }
    }

    /// Runs iproute2 on this namespace.
    pub(crate) fn ip<const N: usize>(&self, words: [&str; N]) -> Result<(), String> {
        ip(["-n", &self.name].into_iter().chain(words))
    }

    /// A command that runs in this namespace, as the process that is started.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name]).arg(program);
        command
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        // What cannot be removed does no harm to others.
        let _ = ip(["netns", "delete", &self.name]);
    }
}

fn ip<'w>(words: impl IntoIterator<Item = &'w str>) -> Result<(), String> {
    let output = Command::new("ip").args(words).stdin(Stdio::null()).output();
    match output {
        Err(error) => Err(format!("ip(8): {error}")),
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
    }
}
