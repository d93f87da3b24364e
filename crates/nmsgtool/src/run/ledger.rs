mod json;

pub(crate) use json::json;

use nmsg_io::{CaptureAccount, FaultKind, InputAccount, Ledger};
use std::fmt::Write;

/// Writes `1 line` or `2 lines`.
fn counted(n: u64, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

/// Says how often a kind of fault occurred in an input.
pub(super) fn fault_text(input: &InputAccount, kind: FaultKind) -> String {
    let n = input.faults_of(kind);
    match kind {
        FaultKind::Damage => {
            let octets = counted(input.damaged_octets, "byte", "bytes");
            format!("{} ({octets} lost)", counted(n, "damaged place", "damaged places"))
        }
        FaultKind::MalformedHeader => {
            format!("{} without a usable header", counted(n, "message", "messages"))
        }
        FaultKind::MalformedLength => {
            format!("{} of a wrong length", counted(n, "message", "messages"))
        }
        FaultKind::MalformedBody => {
            format!("{} that cannot be decoded", counted(n, "message", "messages"))
        }
        FaultKind::RefusedFragment => format!("{} refused", counted(n, "fragment", "fragments")),
        FaultKind::LostFragments => {
            format!("{} given up", counted(n, "fragmented container", "fragmented containers"))
        }
        FaultKind::Dropped => {
            format!("{} dropped by the system", counted(n, "datagram", "datagrams"))
        }
        FaultKind::ChecksumMismatch => {
            format!("{} with a wrong checksum dropped", counted(n, "payload", "payloads"))
        }
        FaultKind::UnusableLine => format!("{} skipped", counted(n, "line", "lines")),
        FaultKind::UnusableRecord | FaultKind::BadRecord => {
            format!("{} skipped", counted(n, "record", "records"))
        }
        FaultKind::Unrenderable => {
            format!("{} that cannot be shown", counted(n, "payload", "payloads"))
        }
        FaultKind::SkippedFrames => {
            let frames = counted(n, "frame", "frames");
            let reasons = input.capture.iter().flat_map(|capture| capture.frames.reasons());
            let reasons: Vec<String> = reasons
                .filter(|(reason, _)| reason.is_loss())
                .map(|(reason, n)| format!("{n} {}", reason.reason()))
                .collect();
            format!("{frames} skipped ({})", reasons.join(", "))
        }
        FaultKind::LostPieces => {
            format!("{} given up", counted(n, "fragment of packets", "fragments of packets"))
        }
        FaultKind::DroppedFrames => {
            format!("{} dropped by the system", counted(n, "frame", "frames"))
        }
        FaultKind::LeftOut => format!("{} left out", counted(n, "value", "values")),
    }
}

/// Says what became of captured frames.
fn capture_text(capture: &CaptureAccount) -> String {
    let frames = &capture.frames;
    let mut text =
        format!("{}: {} used", counted(frames.frames, "frame", "frames"), frames.converted);
    // Writing to a String cannot fail.
    for (reason, n) in frames.reasons() {
        let _ = write!(text, ", {n} {}", reason.reason());
    }
    for (n, what) in [
        (frames.filtered_queries, "unanswered queries dropped by a filter"),
        (frames.expired_fragments, "fragments out of time"),
        (frames.evicted_fragments, "fragments too many"),
    ] {
        if n > 0 {
            let _ = write!(text, ", {n} {what}");
        }
    }
    if let Some(kernel) = &capture.kernel {
        let _ = write!(
            text,
            "; kernel: {} received, {} dropped, {} dropped by the interface",
            kernel.received, kernel.dropped, kernel.interface_dropped
        );
    }
    text
}

/// Writes the ledger as a block of lines.
pub(super) fn text(ledger: &Ledger) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    for input in &ledger.inputs {
        let _ = write!(
            text,
            "input {}: {} in, {} passed on",
            input.name,
            counted(input.payloads, "payload", "payloads"),
            input.dealt
        );
        for (n, what) in [
            (input.filtered, "filtered"),
            (input.mismatched, "with wrong checksum"),
            (input.over_count, "over count"),
            (input.discarded, "discarded"),
        ] {
            if n > 0 {
                let _ = write!(text, ", {n} {what}");
            }
        }
        let what = match &input.capture {
            Some(capture) => capture_text(capture),
            None => counted(input.containers, "container", "containers"),
        };
        let _ = write!(text, "; {what}, {}", counted(input.octets, "byte", "bytes"));
        if input.records > 0 {
            let _ = write!(text, ", {}", counted(input.records, "record", "records"));
        }
        if input.lost_containers > 0 {
            let lost = counted(input.lost_containers, "container", "containers");
            let _ = write!(text, ", {lost} lost on the way");
        }
        for kind in FaultKind::ALL {
            let said = matches!(kind, FaultKind::ChecksumMismatch | FaultKind::SkippedFrames);
            if !said && input.faults_of(kind) > 0 {
                let _ = write!(text, ", {}", fault_text(input, kind));
            }
        }
        text.push('\n');
    }
    for output in &ledger.outputs {
        let payloads = counted(output.written, "payload", "payloads");
        let _ = write!(text, "output {}: {payloads} written", output.name);
        for (n, what) in [
            (output.fallbacks, "of them as fallback records"),
            (output.undecodable, "left out as undecodable"),
            (output.lost, "lost"),
            (output.undelivered, "not delivered"),
        ] {
            if n > 0 {
                let _ = write!(text, ", {n} {what}");
            }
        }
        let _ = write!(text, "; {}", counted(output.octets, "byte", "bytes"));
        if let Some(records) = &output.records {
            let _ = write!(text, ", {}", counted(records.records, "record", "records"));
            let answered = records.delivered + records.failed + records.given_up;
            for (n, what) in [
                (records.records.saturating_sub(answered), "waiting"),
                (records.failed, "failed"),
                (records.given_up, "given up"),
            ] {
                if n > 0 {
                    let _ = write!(text, ", {n} {what}");
                }
            }
        }
        text.push('\n');
    }
    let _ = writeln!(
        text,
        "total: {} in, {} out, {}",
        counted(ledger.payloads_in(), "payload", "payloads"),
        ledger.payloads_out(),
        if ledger.balances() { "balanced" } else { "not balanced" }
    );
    text
}
