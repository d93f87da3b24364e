//! Measurement of live capture: the highest rate of packets at which a program loses none, on a cable
//! between two network namespaces, with a share of a processor.
//!
//! The share makes both programs reach their limits before the sender reaches its own.

mod sender;

use std::io;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, process, thread};

use crate::bench;
use crate::captures::messages;
use crate::namespace::Namespace;
use crate::peers::say;
use crate::peers::tool::Tool;
use crate::root;
use crate::share::Share;

pub(crate) use sender::send;

/// Field `type` of a query with its response.
const QUERY_RESPONSE: u64 = 1;

/// Percent of one processor that the programs get.
const SHARE: u32 = 1;
/// Length of the period that the share is of, in microseconds.
const PERIOD: u32 = 100_000;

/// Packets in a second that are tried: this many for a start, each step a tenth more.
const LEAST_RATE: f64 = 5_000.0;
const STEP: f64 = 1.1;
const STEPS: i32 = 40;

/// Seconds of traffic in a trial.
const SECONDS: f64 = 8.0;

/// Runs of each rate, the worst of which counts.
const RUNS: usize = 2;

/// How often the sender may miss its rate.
const TRIES: usize = 5;

/// Longest that a program may take to end.
const PATIENCE: Duration = Duration::from_secs(30);

/// Two namespaces and a cable: programs listen on `here`, packets come from `there`.
struct Lab {
    here: Namespace,
    there: Namespace,
    share: Share,
}

/// What came of a trial.
#[derive(Clone, Copy)]
struct Trial {
    sent: u64,
    /// Transactions that were seen whole.
    transactions: u64,
    /// What the program itself says: frames it got, those that came to the interface, and those the
    /// kernel dropped.
    told: Option<[u64; 3]>,
}

impl Trial {
    fn is_complete(self) -> bool {
        self.transactions * 2 == self.sent
    }

    /// Every frame that was sent is counted once, by those who count.
    fn is_exact(self) -> bool {
        self.told.is_none_or(|[frames, received, dropped]| {
            received == self.sent && frames + dropped == self.sent
        })
    }
}

/// Finds the limits of our program and of that of the C suite in `NMSG_REFERENCE`.
pub(crate) fn run() -> io::Result<()> {
    let scratch = root().join("target/live").join(process::id().to_string());
    fs::create_dir_all(&scratch)?;
    let ours = Tool::released(&scratch)?;
    let (Some(here), Some(there)) = (Namespace::new(), Namespace::new()) else { return Ok(()) };
    here.connect(&there);
    let lab = Lab { here, there, share: Share::new(PERIOD * SHARE / 100, PERIOD)? };
    lab.prepare()?;
    say(&format!(
        "base:dnsqr from a cable, {SHARE} % of one processor, {SECONDS} s, worst of {RUNS} runs:"
    ))?;
    let own = lab.limit("this suite", &ours, true)?;
    let Some(installed) = env::var_os("NMSG_REFERENCE") else {
        return say("NMSG_REFERENCE is not set: the C suite is not measured");
    };
    let reference = Tool::reference(Path::new(&installed), &scratch)?;
    let other = lab.limit("C suite", &reference, false)?;
    say(&format!("ratio: {:.1}", own / other))?;
    fs::remove_dir_all(&scratch)?;
    let page = format!(
        "# Live capture\n\nThe highest rate at which `-i … -T dnsqr -w FILE` loses nothing: {SECONDS} s of DNS transactions on a \
         cable between two\nnetwork namespaces, the programs held to {SHARE} % of one processor so that they reach their \
         limits before the sender does;\nthe worst of {RUNS} runs, rates in steps of a tenth. Repeat it as root with \
         `NMSG_REFERENCE=DIR cargo xtask live`.\nIn every trial of this suite, frames read and frames that the kernel \
         dropped add up to those that were sent.\n\n{}\n\
         | program | packets per second |\n|---|---|\n| this suite | {own:.0} |\n| C suite | {other:.0} |\n| ratio | {:.1}× |\n",
        bench::machine(Some(reference.program())),
        own / other,
    );
    fs::write(root().join("docs/benchmarks-live.md"), page)
}

impl Lab {
    /// Lets the far end send packets of both sides of a transaction through the cable: both addresses
    /// are its own, but none of them is delivered there.
    /// Without IPv6 nothing else is on the cable.
    fn prepare(&self) -> io::Result<()> {
        let quiet = "echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6";
        let script = "set -e; echo 1 > /proc/sys/net/ipv4/ip_nonlocal_bind; \
                      for address in 10.8.1.1 10.8.2.53; do \
                      ip address add $address/32 dev lo; \
                      ip route delete local $address dev lo table local; done; \
                      ip route add 10.8.0.0/16 via 10.9.0.1 dev v1";
        for (namespace, script) in
            [(&self.here, quiet), (&self.there, quiet), (&self.there, script)]
        {
            if !namespace.command("sh").args(["-c", script]).status()?.success() {
                return Err(io::Error::other(format!("refused: {script}")));
            }
        }
        Ok(())
    }

    /// The highest rate at which nothing is lost, in packets per second.
    fn limit(&self, name: &str, tool: &Tool, is_ours: bool) -> io::Result<f64> {
        let (mut good, mut bad) = (-1, STEPS);
        let rate = |step: i32| LEAST_RATE * STEP.powi(step);
        while bad - good > 1 {
            let step = i32::midpoint(good, bad);
            let mut complete = true;
            for _ in 0..RUNS {
                let trial = self.patient_attempt(tool, is_ours, rate(step))?;
                let Trial { sent, transactions, told } = trial;
                let reached = sent as f64 / SECONDS;
                let told = told.map_or(String::new(), |[frames, _, dropped]| {
                    format!(", {frames} frames read and {dropped} dropped")
                });
                say(&format!(
                    "  {name}: {reached:.0}/s: {transactions} of {} transactions{told}",
                    sent / 2
                ))?;
                if !trial.is_exact() {
                    return Err(io::Error::other("frames are not accounted for"));
                }
                complete &= trial.is_complete();
                if !complete {
                    break;
                }
            }
            if complete { good = step } else { bad = step }
        }
        say(&format!("{name}: {:.0} packets per second without loss", rate(good)))?;
        Ok(rate(good))
    }

    /// Tries again when something else kept the sender from its rate.
    fn patient_attempt(&self, tool: &Tool, is_ours: bool, rate: f64) -> io::Result<Trial> {
        for _ in 1..TRIES {
            match self.attempt(tool, is_ours, rate) {
                Err(error) if error.to_string().contains(sender::TOO_SLOW) => {}
                result => return result,
            }
        }
        self.attempt(tool, is_ours, rate)
    }

    /// Lets a program capture while packets are sent at a rate.
    fn attempt(&self, tool: &Tool, is_ours: bool, rate: f64) -> io::Result<Trial> {
        let output = tool.output("live.nmsg");
        let _ = fs::remove_file(&output);
        let mut command = self.here.command("taskset");
        command.args(["-c", "1"]).arg(tool.program());
        command.args(["-i", "v0", "-V", "base", "-T", "dnsqr", "-b", "udp port 53", "-w"]);
        command.arg(&output).stdin(Stdio::null());
        if is_ours {
            command.arg("--stats");
        }
        let errors = fs::File::create(tool.output("live.err"))?;
        let mut child = command.stdout(Stdio::null()).stderr(errors).spawn()?;
        thread::sleep(Duration::from_secs(1));
        self.share.hold(child.id())?;
        let sent = match self.send("exchanges", rate, SECONDS) {
            Ok(sent) => sent,
            Err(error) => {
                child.kill()?;
                child.wait()?;
                return Err(error);
            }
        };
        // What is in the ring takes its time.
        thread::sleep(Duration::from_secs(2));
        signal(&child, "TERM")?;
        if !is_ours {
            // The C suite notices signals with the next packets only.
            self.send("queries", 100.0, 0.1)?;
        }
        wait(&mut child)?;
        let messages = messages::read(&fs::read(&output)?).unwrap_or_default();
        let transactions =
            messages.iter().filter(|message| message.kind() == QUERY_RESPONSE).count() as u64;
        let told = frames_told(&fs::read_to_string(tool.output("live.err"))?);
        Ok(Trial { sent, transactions, told })
    }

    /// Has packets sent; returns how many it were.
    fn send(&self, what: &str, rate: f64, seconds: f64) -> io::Result<u64> {
        let program = env::current_exe()?;
        let mut command = self.there.command("taskset");
        command.args(["-c", "0"]).arg(program).args(["send", what]);
        let output = command.args([rate.to_string(), seconds.to_string()]).output()?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.trim()
            .parse()
            .map_err(|_| io::Error::other(String::from_utf8_lossy(&output.stderr).into_owned()))
    }
}

fn signal(child: &Child, name: &str) -> io::Result<()> {
    Command::new("kill").args(["-s", name, &child.id().to_string()]).status().map(drop)
}

fn wait(child: &mut Child) -> io::Result<()> {
    let begin = Instant::now();
    while child.try_wait()?.is_none() {
        if begin.elapsed() > PATIENCE {
            child.kill()?;
            child.wait()?;
            return Err(io::Error::other("the program does not end"));
        }
        thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

/// Frames read, frames that came, and frames that the kernel dropped, as `--stats` tells.
fn frames_told(stderr: &str) -> Option<[u64; 3]> {
    let (before, kernel) = stderr.split_once("; kernel: ")?;
    let (before, _) = before.rsplit_once(" frames: ")?;
    let frames = before.rsplit(' ').next()?.parse().ok()?;
    let mut numbers = kernel.split(' ').filter_map(|word| word.parse::<u64>().ok());
    Some([frames, numbers.next()?, numbers.next()?])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statistics_are_understood() {
        let text = "input v0: 4 payloads in, 4 passed on; 10 frames: 4 used, 6 not DNS; \
                    kernel: 12 received, 2 dropped, 0 dropped by the interface, 900 bytes\n";
        assert_eq!(frames_told(text), Some([10, 12, 2]));
        assert_eq!(frames_told("nmsgtool: signalled break\n"), None);
    }
}
