use crate::error::PeerFault;
use std::collections::BTreeMap;

/// Most different prefixes that one peer may subscribe to.
const MOST_PREFIXES: usize = 1024;
/// Longest prefix, in octets.
const LONGEST_PREFIX: usize = 1024;

/// What a peer wants to get: messages that start with one of these prefixes.
#[derive(Debug, Default)]
pub(crate) struct Subscriptions {
    /// Each with how often it was asked for.
    prefixes: BTreeMap<Vec<u8>, u32>,
}

impl Subscriptions {
    /// Adds a prefix; one that is there already has to be cancelled once more.
    ///
    /// # Errors
    ///
    /// Too much, when there are more or longer ones than are granted.
    pub(crate) fn add(&mut self, prefix: &[u8]) -> Result<(), PeerFault> {
        if let Some(count) = self.prefixes.get_mut(prefix) {
            *count = count.saturating_add(1);
            return Ok(());
        }
        if self.prefixes.len() == MOST_PREFIXES || prefix.len() > LONGEST_PREFIX {
            return Err(PeerFault::TooMuch);
        }
        self.prefixes.insert(prefix.to_vec(), 1);
        Ok(())
    }

    /// Takes a prefix back; one that was never added changes nothing.
    pub(crate) fn cancel(&mut self, prefix: &[u8]) {
        if let Some(count) = self.prefixes.get_mut(prefix) {
            *count -= 1;
            if *count == 0 {
                self.prefixes.remove(prefix);
            }
        }
    }

    /// True when a message is wanted.
    pub(crate) fn match_message(&self, message: &[u8]) -> bool {
        self.prefixes.keys().any(|prefix| message.starts_with(prefix))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_are_counted() {
        let mut wanted = Subscriptions::default();
        assert!(!wanted.match_message(b"NMSG"), "nothing is wanted at first");
        wanted.add(b"NMSG").unwrap();
        wanted.add(b"NMSG").unwrap();
        assert!(wanted.match_message(b"NMSG...") && !wanted.match_message(b"NMS"));
        wanted.cancel(b"NMSG");
        wanted.cancel(b"other");
        assert!(wanted.match_message(b"NMSG"));
        wanted.cancel(b"NMSG");
        assert!(!wanted.match_message(b"NMSG"));
        wanted.add(b"").unwrap();
        assert!(wanted.match_message(b""), "the empty prefix matches everything");
    }

    #[test]
    fn a_peer_cannot_ask_for_everything() {
        let mut wanted = Subscriptions::default();
        for n in 0..MOST_PREFIXES as u32 {
            wanted.add(&n.to_be_bytes()).unwrap();
        }
        assert_eq!(wanted.add(b"one more"), Err(PeerFault::TooMuch));
        assert_eq!(wanted.add(&0_u32.to_be_bytes()), Ok(()), "known ones still count");
        let long = vec![0; LONGEST_PREFIX + 1];
        assert_eq!(Subscriptions::default().add(&long), Err(PeerFault::TooMuch));
    }
}
