use crate::run::log::quote;
use nmsg_io::{CaptureAccount, FaultKind, Ledger, RecordAccount};
use wdns::TextBuffer;

/// Writes the ledger as a JSON object. Faults and reasons that did not occur are left out.
pub(crate) fn json(ledger: &Ledger) -> String {
    let mut out = TextBuffer::new();
    out.bytes(b"{\"inputs\":[");
    for (at, input) in ledger.inputs.iter().enumerate() {
        let columns = [
            ("payloads", input.payloads),
            ("passed", input.dealt),
            ("filtered", input.filtered),
            ("dropped_by_filter", input.dropped),
            ("mismatched", input.mismatched),
            ("over_count", input.over_count),
            ("discarded", input.discarded),
            ("records", input.records),
            ("containers", input.containers),
            ("lost_containers", input.lost_containers),
            ("bytes", input.octets),
            ("damaged_bytes", input.damaged_octets),
        ];
        account(&mut out, at, &input.name, &columns);
        let faults = FaultKind::ALL.into_iter().map(|kind| (kind.word(), input.faults_of(kind)));
        out.bytes(b",\"faults\":{");
        members(&mut out, faults.filter(|(_, n)| *n > 0));
        out.byte(b'}');
        if let Some(capture) = &input.capture {
            write_capture(&mut out, capture);
        }
        out.byte(b'}');
    }
    out.bytes(b"],\"outputs\":[");
    for (at, output) in ledger.outputs.iter().enumerate() {
        let columns = [
            ("written", output.written),
            ("fallbacks", output.fallbacks),
            ("undecodable", output.undecodable),
            ("lost", output.lost),
            ("undelivered", output.undelivered),
            ("bytes", output.octets),
            ("pieces", output.pieces),
        ];
        account(&mut out, at, &output.name, &columns);
        if let Some(RecordAccount { records, delivered, failed, given_up }) = output.records {
            out.bytes(b",\"records\":{");
            let columns = [
                ("sent", records),
                ("delivered", delivered),
                ("failed", failed),
                ("given_up", given_up),
            ];
            members(&mut out, columns.into_iter());
            out.byte(b'}');
        }
        out.byte(b'}');
    }
    out.bytes(b"],");
    let totals = [
        ("payloads_in", ledger.payloads_in()),
        ("payloads_out", ledger.payloads_out()),
        ("containers_in", ledger.containers()),
        ("containers_lost", ledger.lost_containers()),
    ];
    members(&mut out, totals.into_iter());
    let balanced: &[u8] = if ledger.balances() { b"true" } else { b"false" };
    out.bytes(b",\"balanced\":");
    out.bytes(balanced);
    out.byte(b'}');
    out.to_string_lossy()
}

/// Starts the object of an input or output.
fn account(out: &mut TextBuffer, at: usize, name: &str, columns: &[(&str, u64)]) {
    if at > 0 {
        out.byte(b',');
    }
    out.bytes(b"{\"name\":");
    quote(out, name);
    out.byte(b',');
    members(out, columns.iter().copied());
}

fn write_capture(out: &mut TextBuffer, capture: &CaptureAccount) {
    let frames = &capture.frames;
    out.bytes(b",\"frames\":{");
    members(out, [("read", frames.frames), ("used", frames.converted)].into_iter());
    out.bytes(b",\"not_used\":{");
    members(out, frames.reasons().map(|(reason, n)| (reason.reason(), n)));
    out.byte(b'}');
    if let Some(kernel) = &capture.kernel {
        out.bytes(b",\"kernel\":{");
        let columns = [
            ("received", kernel.received),
            ("dropped", kernel.dropped),
            ("dropped_by_interface", kernel.interface_dropped),
        ];
        members(out, columns.into_iter());
        out.byte(b'}');
    }
    out.byte(b'}');
}

fn members<'m>(out: &mut TextBuffer, members: impl Iterator<Item = (&'m str, u64)>) {
    for (at, (name, value)) in members.enumerate() {
        if at > 0 {
            out.byte(b',');
        }
        quote(out, name);
        out.byte(b':');
        out.decimal(value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nmsg_io::{InputAccount, OutputAccount};
    use nmsg_os::pcap::Statistics;

    #[test]
    fn every_column_has_its_member() {
        let mut input = InputAccount {
            name: "i\"n".to_owned(),
            octets: 1,
            records: 16,
            containers: 2,
            payloads: 3,
            dealt: 4,
            filtered: 5,
            dropped: 6,
            mismatched: 7,
            over_count: 8,
            discarded: 9,
            damaged_octets: 10,
            lost_containers: 11,
            ..InputAccount::default()
        };
        input.faults[FaultKind::Damage as usize] = 12;
        let kernel = Statistics { received: 13, dropped: 14, interface_dropped: 15 };
        let capture = CaptureAccount { kernel: Some(kernel), ..CaptureAccount::default() };
        let captured = InputAccount { capture: Some(Box::new(capture)), ..InputAccount::default() };
        let output = OutputAccount {
            name: "out".to_owned(),
            written: 20,
            fallbacks: 21,
            undecodable: 22,
            lost: 23,
            undelivered: 24,
            octets: 25,
            pieces: 26,
            records: Some(RecordAccount { records: 27, delivered: 30, failed: 28, given_up: 29 }),
        };
        let ledger = Ledger { inputs: vec![input, captured], outputs: vec![output], mirror: false };
        assert_eq!(
            json(&ledger),
            "{\"inputs\":[{\"name\":\"i\\\"n\",\"payloads\":3,\"passed\":4,\"filtered\":5,\
             \"dropped_by_filter\":6,\"mismatched\":7,\"over_count\":8,\"discarded\":9,\
             \"records\":16,\"containers\":2,\"lost_containers\":11,\"bytes\":1,\"damaged_bytes\":10,\
             \"faults\":{\"damage\":12}},\
             {\"name\":\"\",\"payloads\":0,\"passed\":0,\"filtered\":0,\"dropped_by_filter\":0,\
             \"mismatched\":0,\"over_count\":0,\"discarded\":0,\"records\":0,\"containers\":0,\
             \"lost_containers\":0,\"bytes\":0,\"damaged_bytes\":0,\"faults\":{},\
             \"frames\":{\"read\":0,\"used\":0,\"not_used\":{},\
             \"kernel\":{\"received\":13,\"dropped\":14,\"dropped_by_interface\":15}}}],\
             \"outputs\":[{\"name\":\"out\",\"written\":20,\"fallbacks\":21,\"undecodable\":22,\
             \"lost\":23,\"undelivered\":24,\"bytes\":25,\"pieces\":26,\
             \"records\":{\"sent\":27,\"delivered\":30,\"failed\":28,\"given_up\":29}}],\
             \"payloads_in\":10,\"payloads_out\":20,\"containers_in\":2,\"containers_lost\":11,\
             \"balanced\":false}"
        );
    }
}
