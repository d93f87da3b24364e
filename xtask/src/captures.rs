//! Comparison with the C suite on captures: what both programs make of generated ones. A difference must
//! be what a decision says, to the octet; one that is not ends the task with a failure.

mod cases;
mod file;
pub(crate) mod messages;
mod scene;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{env, fs, io, process};

use crate::peers::tool::Tool;
use crate::peers::{check_version, say};
use crate::root;
use cases::{Case, DECISIONS, Input, Made};

const SEED: u64 = 0x6361_7074;
/// Captures in which nothing is decided otherwise.
const PLAIN: u64 = 200;
/// Rounds of captures for each decision.
const ROUNDS: u64 = 6;

/// What became of the captures about a decision, or about none.
#[derive(Default)]
struct Tally {
    compared: usize,
    /// Where the C suite made something else of the same capture.
    differing: usize,
    unexplained: usize,
}

struct Comparison {
    ours: Tool,
    reference: Tool,
    scratch: PathBuf,
    /// By decision; those without one under an empty text.
    tallies: BTreeMap<&'static str, Tally>,
    messages: usize,
}

/// Compares with the C suite in `NMSG_REFERENCE`. `NMSG_PEERS_SEED` is a number that makes other
/// captures.
pub(crate) fn run() -> io::Result<()> {
    let Some(installed) = env::var_os("NMSG_REFERENCE") else {
        return say("skipped: NMSG_REFERENCE is not set; nothing is compared with the C suite");
    };
    let scratch = root().join("target/captures").join(process::id().to_string());
    fs::create_dir_all(&scratch)?;
    let ours = Tool::ours(&scratch)?;
    let reference = Tool::reference(Path::new(&installed), &scratch)?;
    check_version(&reference)?;
    let seed = env::var("NMSG_PEERS_SEED").ok().and_then(|text| text.parse().ok());
    let seed: u64 = seed.unwrap_or(SEED);
    let tallies = BTreeMap::new();
    let mut comparison = Comparison { ours, reference, scratch, tallies, messages: 0 };
    for number in 0..PLAIN {
        let seed = seed.wrapping_add(number);
        comparison.judge(seed, &cases::plain(seed))?;
    }
    for number in 0..ROUNDS {
        let seed = seed.wrapping_add(number);
        for make in DECISIONS {
            for case in make(seed) {
                comparison.judge(seed, &case)?;
            }
        }
    }
    comparison.report()
}

impl Comparison {
    fn judge(&mut self, seed: u64, case: &Case) -> io::Result<()> {
        let ours = make(&self.ours, &self.scratch, &case.input, case.msgtype, case.more)?;
        let theirs = make(&self.reference, &self.scratch, &case.input, case.msgtype, &[])?;
        let differs = ours.messages != theirs.messages || ours.run.status != theirs.run.status;
        let twin = match &case.twin {
            Some(twin) => &make(&self.reference, &self.scratch, twin, case.msgtype, &[])?,
            None => &theirs,
        };
        let is_explained = (case.check)(&ours, twin);
        self.messages += ours.all().len();
        let tally = self.tallies.entry(case.decision.unwrap_or_default()).or_default();
        tally.compared += 1;
        tally.differing += usize::from(differs);
        if is_explained {
            return Ok(());
        }
        tally.unexplained += 1;
        let name = case.decision.unwrap_or("plain");
        let kept = self.scratch.join(format!("{name}-{seed}-{}.pcap", tally.unexplained));
        fs::write(&kept, &case.input.file)?;
        say(&format!("DIFFERENCE in base:{} about {name}: {}", case.msgtype, kept.display()))?;
        say(&format!(
            "  -b {:?}, {:?}, {:?}",
            case.input.expression, case.input.variables, case.more
        ))?;
        for (who, made) in [("ours", &ours), ("reference", twin)] {
            let (status, count) = (made.run.status, made.all().len());
            say(&format!("  {who}: status {status:?}, {count} messages {}", made.stderr().trim()))?;
        }
        let (ours, twin) = (ours.all(), twin.all());
        let at = ours.iter().zip(twin).take_while(|(one, other)| one == other).count();
        for (who, messages) in [("ours", ours), ("reference", twin)] {
            if let Some(message) = messages.get(at) {
                let (time, body) = (message.time, message.body.escape_ascii());
                say(&format!("  {who}, message {at}: {time:?} {body}"))?;
            }
        }
        Ok(())
    }

    fn report(self) -> io::Result<()> {
        let sum = |of: fn(&Tally) -> usize| self.tallies.values().map(of).sum::<usize>();
        let compared = sum(|tally| tally.compared);
        say(&format!("{compared} captures, {} messages", self.messages))?;
        for (decision, tally) in &self.tallies {
            let Tally { compared, differing, unexplained } = tally;
            let name = if decision.is_empty() { "nothing decided" } else { decision };
            say(&format!(
                "  {name}: {compared} captures, {differing} differ, {unexplained} unexplained"
            ))?;
        }
        let failures = sum(|tally| tally.unexplained);
        if failures > 0 {
            return Err(io::Error::other(format!("{failures} differences that nothing explains")));
        }
        fs::remove_dir_all(&self.scratch)?;
        say("every difference is a decision")
    }
}

/// Runs a program on a capture.
fn make(
    tool: &Tool,
    scratch: &Path,
    input: &Input,
    msgtype: &str,
    more: &[&str],
) -> io::Result<Made> {
    let capture = scratch.join("input.pcap");
    fs::write(&capture, &input.file)?;
    let capture = capture.to_string_lossy();
    let outputs = ["nmsg", "json", "text"].map(|kind| tool.output(&format!("output.{kind}")));
    for output in &outputs {
        if output.exists() {
            fs::remove_file(output)?;
        }
    }
    let mut words = vec!["-p", &capture, "-V", "base", "-T", msgtype, "--mirror"];
    words.extend(["-w", "{O}/output.nmsg", "-J", "{O}/output.json", "-o", "{O}/output.text"]);
    if let Some(expression) = input.expression {
        words.extend(["-b", expression]);
    }
    words.extend(more);
    let run = tool.run_with(&words, &input.variables)?;
    let [containers, json, text] = outputs.map(|output| fs::read(output).unwrap_or_default());
    Ok(Made { run, messages: messages::read(&containers), json, text })
}

#[cfg(test)]
mod tests {
    use super::cases::plain;
    use super::messages::Facts;
    use super::scene::{ETHERNET, Scene};

    #[test]
    fn captures_are_the_same_for_the_same_seed() {
        assert!(plain(7).input.file == plain(7).input.file);
        assert!(plain(7).input.file != plain(8).input.file);
    }

    #[test]
    fn traffic_has_every_kind_of_frame() {
        let scene = Scene::new(1, ETHERNET).run(2_000);
        let facts: Vec<Facts> =
            scene.frames.iter().filter_map(|frame| Facts::of(&frame.packet)).collect();
        for is_v6 in [false, true] {
            let of_family = |wanted: fn(&Facts) -> bool| {
                facts.iter().any(|facts| facts.source.is_ipv6() == is_v6 && wanted(facts))
            };
            assert!(of_family(|facts| facts.is_fragment));
            assert!(of_family(|facts| facts.protocol == 17 && !facts.is_fragment));
            assert!(of_family(|facts| facts.protocol == 6));
            assert!(of_family(|facts| facts.protocol == 47));
        }
        assert!(scene.frames.iter().any(|frame| frame.head.len() == 18), "tagged");
        assert!(scene.frames.iter().any(|frame| frame.missing > 0), "cut");
        assert!(scene.frames.iter().any(|frame| frame.head.ends_with(&[8, 6])), "no IP");
        assert_eq!(scene.frames.len(), scene.twin.len());
    }
}
