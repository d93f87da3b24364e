use std::fmt::Write;
use std::time::Duration;

use crate::fault::FaultKind;
use crate::ledger::{InputAccount, Ledger, OutputAccount};

/// The type of [`text`].
pub(super) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What is shown beside the ledger.
#[derive(Clone, Debug)]
pub(super) struct Surroundings {
    /// Version of the program.
    pub(super) version: String,
    /// When the process started, since 1970.
    pub(super) started: Duration,
}

/// Writes a ledger in the text format of Prometheus, version 0.0.4.
pub(super) fn text(ledger: &Ledger, around: &Surroundings) -> String {
    let mut page = Text(String::new());
    page.family("nmsg_build_info", "gauge", "The program.");
    page.sample("nmsg_build_info", &[("version", &around.version)], "1");
    page.family("process_start_time_seconds", "gauge", "When the process started, since 1970.");
    let started = format!("{:.3}", around.started.as_secs_f64());
    page.sample("process_start_time_seconds", &[], &started);
    for (name, help, value) in [
        (
            "nmsg_payloads_in_total",
            "Payloads that came in and were selected, over all inputs.",
            ledger.payloads_in(),
        ),
        ("nmsg_payloads_out_total", "Payloads written, over all outputs.", ledger.payloads_out()),
        (
            "nmsg_containers_in_total",
            "Containers that came in, over all inputs.",
            ledger.containers(),
        ),
        (
            "nmsg_containers_lost_total",
            "Containers lost on the way here, over all inputs.",
            ledger.lost_containers(),
        ),
    ] {
        page.family(name, "counter", help);
        page.count(name, &[], value);
    }
    for family in INPUT_FAMILIES {
        page.input_family(family, ledger);
    }
    for family in OUTPUT_FAMILIES {
        page.output_family(family, ledger);
    }
    page.0
}

/// Takes a value, with the label that tells it from its siblings if there are any.
type Say<'s> = dyn FnMut(Option<(&str, &str)>, u64) + 's;

/// One family of counters of inputs or outputs.
struct Family<Account> {
    name: &'static str,
    help: &'static str,
    /// Says each value.
    visit: fn(&Account, &mut Say<'_>),
}

const INPUT_FAMILIES: &[Family<InputAccount>] = &[
    Family {
        name: "nmsg_input_bytes_total",
        help: "Octets read.",
        visit: |input, say| say(None, input.octets),
    },
    Family {
        name: "nmsg_input_containers_total",
        help: "Containers read, fragmented ones counted when complete.",
        visit: |input, say| say(None, input.containers),
    },
    Family {
        name: "nmsg_input_records_total",
        help: "Records of a broker, usable or not.",
        visit: |input, say| {
            if input.records > 0 {
                say(None, input.records);
            }
        },
    },
    Family {
        name: "nmsg_input_payloads_total",
        help: "Payloads read.",
        visit: |input, say| say(None, input.payloads),
    },
    Family {
        name: "nmsg_input_payloads_passed_total",
        help: "Payloads handed to the outputs.",
        visit: |input, say| say(None, input.dealt),
    },
    Family {
        name: "nmsg_input_payloads_not_passed_total",
        help: "Payloads not handed to the outputs, by reason.",
        visit: |input, say| {
            for (reason, value) in [
                ("selection", input.filtered.saturating_sub(input.dropped)),
                ("filter", input.dropped),
                ("checksum", input.mismatched),
                ("over_count", input.over_count),
                ("discarded", input.discarded),
            ] {
                say(Some(("reason", reason)), value);
            }
        },
    },
    Family {
        name: "nmsg_input_containers_lost_total",
        help: "Containers that did not arrive, as far as sequence numbers tell.",
        visit: |input, say| say(None, input.lost_containers),
    },
    Family {
        name: "nmsg_input_damaged_bytes_total",
        help: "Octets read that could not be delivered.",
        visit: |input, say| say(None, input.damaged_octets),
    },
    Family {
        name: "nmsg_input_faults_total",
        help: "Things that were wrong with the input, by kind.",
        visit: |input, say| {
            for kind in FaultKind::ALL {
                say(Some(("kind", kind.word())), input.faults_of(kind));
            }
        },
    },
    Family {
        name: "nmsg_input_frames_total",
        help: "Captured frames taken in.",
        visit: |input, say| {
            if let Some(capture) = &input.capture {
                say(None, capture.frames.frames);
            }
        },
    },
    Family {
        name: "nmsg_input_frames_used_total",
        help: "Captured frames that became part of payloads.",
        visit: |input, say| {
            if let Some(capture) = &input.capture {
                say(None, capture.frames.converted);
            }
        },
    },
    Family {
        name: "nmsg_input_frames_not_used_total",
        help: "Captured frames that did not become part of payloads, by reason.",
        visit: |input, say| {
            for (reason, value) in input.capture.iter().flat_map(|c| c.frames.reasons()) {
                say(Some(("reason", reason.reason())), value);
            }
        },
    },
    Family {
        name: "nmsg_input_kernel_frames_total",
        help: "Frames of a live capture as the kernel counts them, by what became of them.",
        visit: |input, say| {
            if let Some(kernel) = input.capture.as_ref().and_then(|c| c.kernel.as_ref()) {
                for (fate, value) in [
                    ("received", kernel.received),
                    ("dropped", kernel.dropped),
                    ("dropped_by_interface", kernel.interface_dropped),
                ] {
                    say(Some(("fate", fate)), value);
                }
            }
        },
    },
];

const OUTPUT_FAMILIES: &[Family<OutputAccount>] = &[
    Family {
        name: "nmsg_output_bytes_total",
        help: "Octets that the output took.",
        visit: |output, say| say(None, output.octets),
    },
    Family {
        name: "nmsg_output_pieces_total",
        help: "Containers or blocks of text that the output took.",
        visit: |output, say| say(None, output.pieces),
    },
    Family {
        name: "nmsg_output_payloads_written_total",
        help: "Payloads written.",
        visit: |output, say| say(None, output.written),
    },
    Family {
        name: "nmsg_output_payloads_fallback_total",
        help: "Of the payloads written, those that are fallback records.",
        visit: |output, say| say(None, output.fallbacks),
    },
    Family {
        name: "nmsg_output_payloads_not_written_total",
        help: "Payloads that were not written, by reason.",
        visit: |output, say| {
            for (reason, value) in [
                ("undecodable", output.undecodable),
                ("lost", output.lost),
                ("undelivered", output.undelivered),
            ] {
                say(Some(("reason", reason)), value);
            }
        },
    },
    Family {
        name: "nmsg_output_records_total",
        help: "Records for a broker that were to be sent.",
        visit: |output, say| {
            if let Some(records) = &output.records {
                say(None, records.records);
            }
        },
    },
    Family {
        name: "nmsg_output_records_delivered_total",
        help: "Of the records for a broker, those that it has confirmed.",
        visit: |output, say| {
            if let Some(records) = &output.records {
                say(None, records.delivered);
            }
        },
    },
    Family {
        name: "nmsg_output_records_not_delivered_total",
        help: "Of the records for a broker, those that were not delivered, by reason.",
        visit: |output, say| {
            if let Some(records) = &output.records {
                say(Some(("reason", "failed")), records.failed);
                say(Some(("reason", "given_up")), records.given_up);
            }
        },
    },
];

/// A page that is being written. Writing to a `String` cannot fail.
struct Text(String);

impl Text {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        let _ = write!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
    }

    fn input_family(&mut self, family: &Family<InputAccount>, ledger: &Ledger) {
        self.accounts(family, "input", ledger.inputs.iter().map(|input| (&*input.name, input)));
    }

    fn output_family(&mut self, family: &Family<OutputAccount>, ledger: &Ledger) {
        let accounts = ledger.outputs.iter().map(|output| (&*output.name, output));
        self.accounts(family, "output", accounts);
    }

    /// Writes a family, unless there is nothing in it.
    fn accounts<'a, Account: 'a>(
        &mut self,
        family: &Family<Account>,
        label: &str,
        accounts: impl Iterator<Item = (&'a str, &'a Account)>,
    ) {
        let mut is_announced = false;
        for (at, (name, account)) in accounts.enumerate() {
            // Names need not differ.
            let number = (at + 1).to_string();
            (family.visit)(account, &mut |extra, value| {
                if !std::mem::replace(&mut is_announced, true) {
                    self.family(family.name, "counter", family.help);
                }
                let labels = [(label, name), ("number", &number)];
                let labels: Vec<(&str, &str)> = labels.into_iter().chain(extra).collect();
                self.count(family.name, &labels, value);
            });
        }
    }

    fn count(&mut self, name: &str, labels: &[(&str, &str)], value: u64) {
        self.sample(name, labels, &value.to_string());
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: &str) {
        self.0.push_str(name);
        for (at, (label, text)) in labels.iter().enumerate() {
            self.0.push(if at == 0 { '{' } else { ',' });
            self.0.push_str(label);
            self.0.push_str("=\"");
            self.escaped(text);
            self.0.push('"');
        }
        if !labels.is_empty() {
            self.0.push('}');
        }
        let _ = writeln!(self.0, " {value}");
    }

    /// Backslashes, quotes and newlines are the ones that the format escapes.
    fn escaped(&mut self, text: &str) {
        for c in text.chars() {
            match c {
                '\\' => self.0.push_str("\\\\"),
                '"' => self.0.push_str("\\\""),
                '\n' => self.0.push_str("\\n"),
                c => self.0.push(c),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::{CaptureAccount, RecordAccount};
    use nmsg_os::pcap::Statistics;
    use std::collections::HashSet;

    fn page(ledger: &Ledger) -> String {
        let around =
            Surroundings { version: "1.2".to_owned(), started: Duration::from_millis(1500) };
        text(ledger, &around)
    }

    #[test]
    fn every_column_has_its_place() {
        let mut input = InputAccount {
            name: "in".to_owned(),
            octets: 1,
            records: 27,
            containers: 2,
            payloads: 3,
            dealt: 4,
            filtered: 15,
            dropped: 6,
            mismatched: 7,
            over_count: 8,
            discarded: 10,
            damaged_octets: 11,
            lost_containers: 12,
            capture: Some(Box::new(CaptureAccount {
                kernel: Some(Statistics { received: 13, dropped: 14, interface_dropped: 16 }),
                ..CaptureAccount::default()
            })),
            ..InputAccount::default()
        };
        input.faults[FaultKind::BadRecord as usize] = 17;
        let output = OutputAccount {
            name: "out".to_owned(),
            written: 20,
            fallbacks: 21,
            undecodable: 22,
            lost: 23,
            undelivered: 24,
            octets: 25,
            pieces: 26,
            records: Some(RecordAccount { records: 28, delivered: 31, failed: 29, given_up: 30 }),
        };
        let page = page(&Ledger { inputs: vec![input], outputs: vec![output], mirror: false });
        for (line, want) in [
            ("nmsg_build_info{version=\"1.2\"}", "1"),
            ("process_start_time_seconds", "1.500"),
            ("nmsg_payloads_in_total", "10"),
            ("nmsg_payloads_out_total", "20"),
            ("nmsg_containers_in_total", "2"),
            ("nmsg_containers_lost_total", "12"),
            ("nmsg_input_bytes_total{I}", "1"),
            ("nmsg_input_containers_total{I}", "2"),
            ("nmsg_input_records_total{I}", "27"),
            ("nmsg_input_payloads_total{I}", "3"),
            ("nmsg_input_payloads_passed_total{I}", "4"),
            ("nmsg_input_payloads_not_passed_total{I,reason=\"selection\"}", "9"),
            ("nmsg_input_payloads_not_passed_total{I,reason=\"filter\"}", "6"),
            ("nmsg_input_payloads_not_passed_total{I,reason=\"checksum\"}", "7"),
            ("nmsg_input_payloads_not_passed_total{I,reason=\"over_count\"}", "8"),
            ("nmsg_input_payloads_not_passed_total{I,reason=\"discarded\"}", "10"),
            ("nmsg_input_damaged_bytes_total{I}", "11"),
            ("nmsg_input_containers_lost_total{I}", "12"),
            ("nmsg_input_faults_total{I,kind=\"bad_record\"}", "17"),
            ("nmsg_input_faults_total{I,kind=\"damage\"}", "0"),
            ("nmsg_input_frames_total{I}", "0"),
            ("nmsg_input_kernel_frames_total{I,fate=\"received\"}", "13"),
            ("nmsg_input_kernel_frames_total{I,fate=\"dropped\"}", "14"),
            ("nmsg_input_kernel_frames_total{I,fate=\"dropped_by_interface\"}", "16"),
            ("nmsg_output_payloads_written_total{O}", "20"),
            ("nmsg_output_payloads_fallback_total{O}", "21"),
            ("nmsg_output_payloads_not_written_total{O,reason=\"undecodable\"}", "22"),
            ("nmsg_output_payloads_not_written_total{O,reason=\"lost\"}", "23"),
            ("nmsg_output_payloads_not_written_total{O,reason=\"undelivered\"}", "24"),
            ("nmsg_output_bytes_total{O}", "25"),
            ("nmsg_output_pieces_total{O}", "26"),
            ("nmsg_output_records_total{O}", "28"),
            ("nmsg_output_records_delivered_total{O}", "31"),
            ("nmsg_output_records_not_delivered_total{O,reason=\"failed\"}", "29"),
            ("nmsg_output_records_not_delivered_total{O,reason=\"given_up\"}", "30"),
        ] {
            let line = line
                .replace("{I", "{input=\"in\",number=\"1\"")
                .replace("{O", "{output=\"out\",number=\"1\"");
            let want = format!("{line} {want}");
            assert!(page.lines().any(|line| line == want), "{want} is not in\n{page}");
        }
    }

    #[test]
    fn the_format_is_kept() {
        let input = |name: &str| InputAccount { name: name.to_owned(), ..InputAccount::default() };
        let inputs = vec![input("-"), input("-"), input("a\\b\"c\nd é")];
        let page = page(&Ledger { inputs, ..Ledger::default() });
        assert!(page.contains("{input=\"a\\\\b\\\"c\\nd é\",number=\"3\"}"), "{page}");
        assert!(!page.contains("nmsg_input_frames_total"), "families without values are left out");
        let (mut families, mut series, mut family) = (HashSet::new(), HashSet::new(), "");
        for line in page.lines() {
            if let Some(rest) = line.strip_prefix("# HELP ") {
                family = rest.split(' ').next().unwrap();
                assert!(families.insert(family), "{family} stands twice");
            } else if let Some(rest) = line.strip_prefix("# TYPE ") {
                let (name, kind) = rest.split_once(' ').unwrap();
                assert_eq!(name, family);
                assert_eq!(kind == "counter", name.ends_with("_total"), "{name}");
            } else {
                let (name, value) = line.rsplit_once(' ').unwrap();
                assert!(value.parse::<f64>().is_ok(), "{line}");
                assert_eq!(name.split('{').next().unwrap(), family, "{line}");
                assert!(series.insert(name), "{name} stands twice");
            }
        }
        assert!(page.ends_with('\n'));
    }
}
