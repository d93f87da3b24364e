//! Both programs on the same input; what differs is cut down to single records and explained.

use std::collections::BTreeMap;
use std::{fs, io};

use super::corpus::Record;
use super::say;
use super::tool::{Run, Tool};

/// At most this many differences are shown in full.
const SHOWN: usize = 20;
/// Octets that a report shows before and behind the first difference.
const EXCERPT: (usize, usize) = (60, 160);

/// Both programs, and what was found so far.
pub(super) struct Comparison<'t> {
    ours: &'t Tool,
    reference: &'t Tool,
    /// How often each decision explained a difference.
    decisions: BTreeMap<String, usize>,
    /// Records compared.
    compared: usize,
    /// Differences that nothing explains.
    pub(super) unexplained: usize,
}

/// One thing to do with records: how they become an input, and the command line. `{I}` in it stands
/// for the input file, `{O}` for the folder of outputs.
pub(super) struct Job<'j, U> {
    pub(super) name: &'j str,
    pub(super) arguments: &'j [&'j str],
    pub(super) encode: &'j dyn Fn(&[U]) -> io::Result<Vec<u8>>,
    /// Files below the folder of outputs that belong to the result.
    pub(super) files: &'j [&'j str],
    /// Makes outputs comparable that may differ in form, such as compressed ones.
    pub(super) normal: &'j dyn Fn(Vec<u8>) -> Vec<u8>,
    /// Names the decisions behind a difference in one record.
    pub(super) explain: &'j dyn Fn(&Difference<'_, U>) -> Vec<&'static str>,
    /// Describes a record.
    pub(super) describe: &'j dyn Fn(&U) -> String,
}

/// Outputs of the two programs for one record.
pub(super) struct Difference<'d, U> {
    pub(super) record: &'d U,
    pub(super) ours: &'d Outputs,
    pub(super) reference: &'d Outputs,
}

/// What a program wrote: standard output, then the files.
pub(super) struct Outputs {
    pub(super) run: Run,
    pub(super) written: Vec<Vec<u8>>,
}

impl<'t> Comparison<'t> {
    pub(super) fn new(ours: &'t Tool, reference: &'t Tool) -> Self {
        let decisions = BTreeMap::new();
        Self { ours, reference, decisions, compared: 0, unexplained: 0 }
    }

    /// Does a job with both programs, with all records at once and, where the outputs differ, with
    /// halves, down to single records.
    pub(super) fn run<U>(&mut self, job: &Job<'_, U>, records: &[U]) -> io::Result<()> {
        self.compared += records.len();
        self.search(job, records)
    }

    /// Says what was found.
    pub(super) fn report(&self) -> io::Result<()> {
        say(&format!("{} records compared; differences by decision:", self.compared))?;
        for (decision, count) in &self.decisions {
            say(&format!("  {decision}: {count}"))?;
        }
        say(&format!("  unexplained: {}", self.unexplained))
    }

    fn search<U>(&mut self, job: &Job<'_, U>, records: &[U]) -> io::Result<()> {
        let input = self.ours.output("input");
        fs::write(&input, (job.encode)(records)?)?;
        let input = input.to_string_lossy().into_owned();
        let ours = outputs(self.ours, job, &input)?;
        let reference = outputs(self.reference, job, &input)?;
        if ours.written == reference.written && ours.run.ended() && reference.run.ended() {
            return Ok(());
        }
        if let [record] = records {
            let difference = Difference { record, ours: &ours, reference: &reference };
            return self.judge(job, &difference);
        }
        let (first, second) = records.split_at(records.len() / 2);
        let before: usize = self.decisions.values().sum::<usize>() + self.unexplained;
        self.search(job, first)?;
        self.search(job, second)?;
        if self.decisions.values().sum::<usize>() + self.unexplained == before {
            self.unexplained += 1;
            say(&format!("DIFFERENCE in {}, only with several records together", job.name))?;
        }
        Ok(())
    }

    fn judge<U>(&mut self, job: &Job<'_, U>, difference: &Difference<'_, U>) -> io::Result<()> {
        let decisions = (job.explain)(difference);
        if !decisions.is_empty() {
            let ids = decisions.join(" + ");
            *self.decisions.entry(ids).or_default() += 1;
            return Ok(());
        }
        self.unexplained += 1;
        if self.unexplained > SHOWN {
            return Ok(());
        }
        let record = (job.describe)(difference.record);
        say(&format!("DIFFERENCE in {} of {record}", job.name))?;
        for (who, outputs) in [("ours", difference.ours), ("reference", difference.reference)] {
            let error = String::from_utf8_lossy(&outputs.run.stderr).into_owned();
            say(&format!("  {who}: status {:?} {}", outputs.run.status, error.trim()))?;
            for (place, written) in outputs.written.iter().enumerate() {
                let other = [&difference.ours.written[place], &difference.reference.written[place]];
                let excerpt = excerpt(written, first_difference(other[0], other[1]));
                say(&format!("    {}", excerpt.escape_ascii()))?;
            }
        }
        Ok(())
    }
}

pub(super) fn first_difference(one: &[u8], other: &[u8]) -> usize {
    one.iter().zip(other).take_while(|(one, other)| one == other).count()
}

pub(super) fn excerpt(octets: &[u8], around: usize) -> &[u8] {
    let start = around.saturating_sub(EXCERPT.0).min(octets.len());
    &octets[start..(around + EXCERPT.1).min(octets.len())]
}

fn outputs<U>(tool: &Tool, job: &Job<'_, U>, input: &str) -> io::Result<Outputs> {
    for file in job.files {
        let _ = fs::remove_file(tool.output(file));
    }
    let arguments: Vec<String> =
        job.arguments.iter().map(|argument| argument.replace("{I}", input)).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let run = tool.run(&arguments)?;
    let mut written = vec![(job.normal)(run.stdout.clone())];
    for file in job.files {
        written.push((job.normal)(fs::read(tool.output(file)).unwrap_or_default()));
    }
    Ok(Outputs { run, written })
}

/// Describes a record for the report of a difference.
pub(super) fn describe(record: &Record) -> String {
    let Record { vendor, msgtype, time, source, operator, group, body, change } = record;
    let body = body
        .as_deref()
        .map(|body| body.iter().map(|octet| format!("{octet:02x}")).collect::<String>());
    format!(
        "{vendor}:{msgtype} ({change}) time {}.{} labels {source:?} {operator:?} {group:?} body {}",
        time.sec,
        time.nsec,
        body.as_deref().unwrap_or("absent"),
    )
}
