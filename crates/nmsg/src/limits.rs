/// What a reader spends on input it has no reason to trust.
///
/// Nothing is ever allocated because a peer declared a size; these bounds say when what really
/// arrives is refused (`decisions` CR-3, FR-4, JI-20).
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Limits {
    /// Largest container body, in octets as transmitted.
    pub container_body: u32,
    /// Largest container body after inflating, in octets.
    pub inflated_body: u32,
    /// Highest `last` index that a fragment may announce.
    pub last_fragment: u32,
    /// Fragment octets that one input may hold for incomplete sets; beyond it the oldest set goes.
    pub pending_fragments: usize,
    /// Longest line of JSON or presentation input, in octets.
    pub line: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            container_body: 16 << 20,
            inflated_body: 16 << 20,
            last_fragment: 65_535,
            pending_fragments: 64 << 20,
            line: 256 << 20,
        }
    }
}

impl Limits {
    /// Sets the largest container body, as transmitted and inflated alike.
    #[must_use]
    pub fn with_container_body(mut self, octets: u32) -> Self {
        (self.container_body, self.inflated_body) = (octets, octets);
        self
    }

    /// Sets the longest line of text input.
    #[must_use]
    pub fn with_line(mut self, octets: usize) -> Self {
        self.line = octets;
        self
    }

    /// Sets how many octets of incomplete fragment sets may wait.
    #[must_use]
    pub fn with_pending_fragments(mut self, octets: usize) -> Self {
        self.pending_fragments = octets;
        self
    }
}
