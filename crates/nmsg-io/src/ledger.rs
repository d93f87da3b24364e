use nmsg_capture::Counters;
use nmsg_os::pcap::Statistics;

use crate::fault::FaultKind;

/// What happened to everything that entered; see [`Ledger::balances`].
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Ledger {
    /// One account for each input, in the order in which they were added.
    pub inputs: Vec<InputAccount>,
    /// One account for each output, in the order in which they were added.
    pub outputs: Vec<OutputAccount>,
    /// True when every payload went to every output instead of to one in turn.
    pub mirror: bool,
}

/// One input's share of the [`Ledger`].
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct InputAccount {
    /// The input's name.
    pub name: String,
    /// Octets read and looked at.
    pub octets: u64,
    /// Records of a broker, usable or not; 0 for inputs of another kind.
    pub records: u64,
    /// Containers, fragmented ones counted when complete.
    pub containers: u64,
    /// Payloads that came in.
    pub payloads: u64,
    /// Payloads handed to the outputs.
    pub dealt: u64,
    /// Payloads that the selection, the condition or a filter left out.
    pub filtered: u64,
    /// Of those, payloads that the filter chain dropped.
    pub dropped: u64,
    /// Payloads with a wrong checksum.
    pub mismatched: u64,
    /// Payloads that came in when every output had as many as it may have.
    pub over_count: u64,
    /// Payloads that came in when the run had ended for another reason.
    pub discarded: u64,
    /// Octets that could not be delivered.
    pub damaged_octets: u64,
    /// Containers that did not arrive, as far as sequence numbers tell.
    pub lost_containers: u64,
    /// What became of captured frames; `None` for inputs of another kind.
    pub capture: Option<Box<CaptureAccount>>,
    /// How often each kind of fault occurred, in the order of [`FaultKind::ALL`].
    pub faults: [u64; FaultKind::ALL.len()],
}

impl InputAccount {
    /// Payloads that reached the filter chain before the run was over, whatever it said of them:
    /// those that came in as far as totals are concerned.
    #[must_use]
    pub fn taken_in(&self) -> u64 {
        self.dealt + self.dropped
    }

    /// How often a kind of fault occurred.
    #[must_use]
    pub fn faults_of(&self, kind: FaultKind) -> u64 {
        self.faults[kind as usize]
    }
}

/// What became of captured frames.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct CaptureAccount {
    /// Frames that were taken in, by what came of them.
    pub frames: Counters,
    /// What the kernel counted, for live captures.
    pub kernel: Option<Statistics>,
}

/// One output's share of the [`Ledger`].
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct OutputAccount {
    /// The output's name.
    pub name: String,
    /// Payloads that the output accepted.
    pub written: u64,
    /// Of those, payloads written as fallback records because they cannot be rendered.
    pub fallbacks: u64,
    /// Payloads left out because they cannot be rendered.
    pub undecodable: u64,
    /// Payloads lost because the output failed or refused them.
    pub lost: u64,
    /// Payloads that the output accepted but, as it told when it was closed, did not deliver.
    pub undelivered: u64,
    /// Octets that the output accepted.
    pub octets: u64,
    /// Containers or blocks of text that the output accepted.
    pub pieces: u64,
    /// What became of records for a broker; `None` for outputs of another kind.
    pub records: Option<RecordAccount>,
}

/// What became of the records that an output had for a broker.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct RecordAccount {
    /// Records that were to be sent; those that are in no other column wait for the broker.
    pub records: u64,
    /// Of those, records that the broker has.
    pub delivered: u64,
    /// Of those, records that the broker or its client refused, or had not confirmed in time.
    pub failed: u64,
    /// Of those, records that were taken back when the wait for the broker was ended.
    pub given_up: u64,
}

impl Ledger {
    /// Payloads that came in and were selected: those of the totals line.
    #[must_use]
    pub fn payloads_in(&self) -> u64 {
        self.inputs.iter().map(InputAccount::taken_in).sum()
    }

    /// Payloads written, counted for each output.
    #[must_use]
    pub fn payloads_out(&self) -> u64 {
        self.outputs.iter().map(|output| output.written).sum()
    }

    /// Containers that came in.
    #[must_use]
    pub fn containers(&self) -> u64 {
        self.inputs.iter().map(|input| input.containers).sum()
    }

    /// Containers that did not arrive, as far as sequence numbers tell.
    #[must_use]
    pub fn lost_containers(&self) -> u64 {
        self.inputs.iter().map(|input| input.lost_containers).sum()
    }

    /// True when every payload is in exactly one column; holds once a run is over.
    #[must_use]
    pub fn balances(&self) -> bool {
        let inputs = self.inputs.iter().all(|input| {
            input.payloads
                == input.dealt
                    + input.filtered
                    + input.mismatched
                    + input.over_count
                    + input.discarded
                && input.capture.as_ref().is_none_or(|capture| capture.frames.balances())
        });
        let dealt: u64 = self.inputs.iter().map(|input| input.dealt).sum();
        let mut arrived =
            self.outputs.iter().map(|o| o.written + o.undecodable + o.lost + o.undelivered);
        let outputs =
            if self.mirror { arrived.all(|n| n == dealt) } else { arrived.sum::<u64>() == dealt };
        inputs && outputs
    }
}
