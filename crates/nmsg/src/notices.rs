use std::collections::HashSet;

/// Names that are remembered as said; further ones are only counted.
const NAMES_KEPT: usize = 1024;

/// Octets of a name that are remembered.
const NAME_LEN_KEPT: usize = 255;

/// Which label of a record a name was given for.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum LabelKey {
    /// `operator`.
    Operator,
    /// `group`.
    Group,
}

/// What a reader of text left out of records that it accepted.
#[derive(Clone, Debug, Default)]
pub struct Notices {
    known: HashSet<(LabelKey, Box<[u8]>)>,
    fresh: Vec<(LabelKey, Box<[u8]>)>,
    unknown_names: u64,
    response_texts: u64,
}

impl Notices {
    #[cold]
    pub(crate) fn unknown_name(&mut self, label: LabelKey, name: &[u8]) {
        self.unknown_names += 1;
        let name: Box<[u8]> = name[..name.len().min(NAME_LEN_KEPT)].into();
        if self.known.len() < NAMES_KEPT && self.known.insert((label, name.clone())) {
            self.fresh.push((label, name));
        }
    }

    #[cold]
    pub(crate) fn response_text(&mut self) {
        self.response_texts += 1;
    }

    /// Takes the operator and group names without a number that were not taken before. Each comes
    /// once (`decisions` JI-10).
    pub fn take_unknown_names(&mut self) -> Vec<(LabelKey, Box<[u8]>)> {
        std::mem::take(&mut self.fresh)
    }

    /// How often an operator or group was left out because its name has no number.
    #[must_use]
    pub fn unknown_names(&self) -> u64 {
        self.unknown_names
    }

    /// How many texts of DNS messages were left out because they cannot be read back
    /// (`decisions` JI-16).
    #[must_use]
    pub fn response_texts(&self) -> u64 {
        self.response_texts
    }
}
