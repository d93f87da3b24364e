use nmsg::filter::{Candidate, FilterChain, FilterFailed};

use crate::batch::{Batch, Fate};

/// What became of the payloads of a batch that are no longer in it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Sifted {
    /// Payloads that the chain dropped.
    pub(crate) dropped: u64,
    /// Payloads that no filter was asked about because one had failed, and the one at which it did.
    pub(crate) discarded: u64,
    /// The filter that failed, if it was in this batch.
    pub(crate) failed: Option<FilterFailed>,
}

/// Asks a chain about the payloads of a batch in order, until `room` of them may go on; those
/// behind stay as they are. After a failure nothing goes on.
pub(crate) fn sift(
    chain: &mut FilterChain,
    batch: &mut Batch,
    room: u64,
    had_failed: bool,
) -> Sifted {
    let mut sifted = Sifted::default();
    let mut kept = 0;
    let gone = batch.retain(|payload| {
        if had_failed || sifted.failed.is_some() {
            sifted.discarded += 1;
            return Fate::Goes;
        }
        if kept >= room {
            return Fate::Stays;
        }
        let mut candidate = Candidate::new(payload);
        match chain.accepts(&mut candidate) {
            Ok(true) => {
                kept += 1;
                match candidate.into_replacement() {
                    Some((header, body)) => Fate::Replaced(header, body),
                    None => Fate::Stays,
                }
            }
            Ok(false) => Fate::Goes,
            Err(failed) => {
                sifted.failed = Some(failed);
                sifted.discarded += 1;
                Fate::Goes
            }
        }
    });
    sifted.dropped = gone - sifted.discarded;
    if sifted.discarded > 0 {
        // What was not judged has to be read again.
        batch.receipts.clear();
    }
    sifted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::{Fault, Problem};
    use nmsg::container::{ContainerBody, ContainerWriter, Header, WriterSettings};
    use nmsg::filter::{Filter, Policy, Verdict};
    use nmsg::{MsgType, Payload};

    /// Drops odd types, fails at type 90, and replaces type 4 by a longer one.
    struct Odd;

    impl Filter for Odd {
        fn filter(&mut self, candidate: &mut Candidate<'_>) -> Result<Verdict, FilterFailed> {
            let payload = candidate.payload();
            match payload.msgtype.0 {
                4 => candidate.replace(&Payload {
                    msgtype: MsgType(44),
                    body: Some(b"replaced"),
                    ..Payload::default()
                }),
                90 => return Err(FilterFailed { result: 7 }),
                odd if odd % 2 == 1 => return Ok(Verdict::Drop),
                _ => {}
            }
            Ok(Verdict::Declined)
        }
    }

    /// A batch of a container with payloads of these types.
    fn batch(types: &[u32]) -> Batch {
        let mut writer = ContainerWriter::new(WriterSettings::file(1));
        let mut octets = vec![0; Header::LEN];
        let mut emit = |container: &[u8]| {
            octets = container.to_vec();
            Ok::<(), nmsg::Error>(())
        };
        for msgtype in types {
            let payload =
                Payload { msgtype: MsgType(*msgtype), body: Some(b"read"), ..Payload::default() };
            writer.write(&payload, None, &mut emit).unwrap();
        }
        writer.flush(&mut emit).unwrap();
        let body = Header::LEN..octets.len();
        let mut index = ContainerBody::new();
        index.decode(&octets[body.clone()]).unwrap();
        let mut batch = Batch::default();
        batch.octets = octets;
        batch.push_container(&mut index, body, |_, _, _| true);
        batch
    }

    #[test]
    fn mo_4_a_chain_drops_replaces_and_fails() {
        let none = Sifted::default();
        let failed = Some(FilterFailed { result: 7 });
        for (name, types, room, had_failed, want, left) in [
            ("nothing", &[][..], 9, false, none, &[][..]),
            ("odd ones go", &[1, 2, 3, 6], 9, false, Sifted { dropped: 2, ..none }, &[2, 6]),
            ("replaced", &[4, 2], 9, false, none, &[44, 2]),
            ("behind the room", &[1, 2, 3, 5], 1, false, Sifted { dropped: 1, ..none }, &[2, 3, 5]),
            (
                "failure",
                &[1, 2, 90, 2, 3],
                9,
                false,
                Sifted { dropped: 1, discarded: 3, failed },
                &[2],
            ),
            ("behind a failure", &[1, 2], 9, true, Sifted { discarded: 2, ..none }, &[]),
        ] {
            let mut chain = FilterChain::new(Policy::Accept);
            chain.push(Box::new(Odd));
            let mut batch = batch(types);
            assert_eq!(sift(&mut chain, &mut batch, room, had_failed), want, "{name}");
            let got: Vec<u32> = batch.payloads().map(|payload| payload.msgtype.0).collect();
            assert_eq!(got, left, "{name}");
            for position in 0..batch.len() {
                let stored = batch.stored(position).unwrap();
                let is_new = stored.payload.msgtype.0 == 44;
                let body: &[u8] = if is_new { b"replaced" } else { b"read" };
                assert_eq!(stored.payload.body, Some(body), "{name}");
                let crc = stored.stored_crc;
                assert_eq!(crc.is_none(), is_new, "{name}: the checksum is that of the body");
                assert_eq!(stored.encoded.is_none(), is_new, "{name}: what was read");
            }
        }
    }

    #[test]
    fn problems_keep_their_place() {
        let mut batch = batch(&[1, 2, 3, 4]);
        batch.problems = [0, 1, 2, 4]
            .map(|position| Problem { position, fault: Fault::Incomplete { containers: position } })
            .to_vec();
        let mut chain = FilterChain::new(Policy::Accept);
        chain.push(Box::new(Odd));
        sift(&mut chain, &mut batch, u64::MAX, false);
        let positions: Vec<usize> = batch.problems.iter().map(|problem| problem.position).collect();
        assert_eq!(positions, [0, 0, 1, 2]);
    }
}
