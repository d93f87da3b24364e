//! What a response must share with its query.

use super::super::keyed_hash::KeyedHash;
use nmsg::datagram::Family;

/// Addresses, ports and id of a transaction.
#[derive(Clone, Copy, Debug, Eq)]
pub(in crate::dnsqr) struct Key {
    query_ip: [u8; 16],
    response_ip: [u8; 16],
    family: Family,
    pub(in crate::dnsqr) query_port: u16,
    pub(in crate::dnsqr) response_port: u16,
    pub(in crate::dnsqr) id: u16,
}

impl PartialEq for Key {
    /// As words: octets would be compared by a call.
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        let (mine, theirs) = (self.words(), other.words());
        mine.iter().zip(&theirs).fold(0, |differing, (a, b)| differing | (a ^ b)) == 0
    }
}

impl Key {
    pub(in crate::dnsqr) fn new(
        family: Family,
        query: (&[u8], u16),
        response: (&[u8], u16),
        id: u16,
    ) -> Self {
        Self {
            query_ip: padded(query.0),
            response_ip: padded(response.0),
            family,
            query_port: query.1,
            response_port: response.1,
            id,
        }
    }

    pub(in crate::dnsqr) fn query_ip(&self) -> &[u8] {
        &self.query_ip[..self.family.address_len()]
    }

    pub(in crate::dnsqr) fn response_ip(&self) -> &[u8] {
        &self.response_ip[..self.family.address_len()]
    }

    #[inline]
    fn words(&self) -> [u64; 5] {
        let family = match self.family {
            Family::V4 => 0,
            Family::V6 => 1,
        };
        let ports = u64::from(self.query_port) << 16 | u64::from(self.response_port);
        let rest = ports << 32 | u64::from(self.id) << 8 | family;
        let (query, response) =
            (u128::from_le_bytes(self.query_ip), u128::from_le_bytes(self.response_ip));
        let [query, query_high, response, response_high] =
            [query, query >> 64, response, response >> 64].map(|word| word as u64);
        [query, query_high, response, response_high, rest]
    }

    #[inline]
    pub(super) fn hash(&self, hash: &KeyedHash) -> u64 {
        hash.words(self.words())
    }
}

/// The usual lengths go through registers; a copy of variable length would stall the hash.
fn padded(address: &[u8]) -> [u8; 16] {
    match address.first_chunk() {
        Some(v6) => *v6,
        None => {
            let v4 = address.first_chunk().copied().unwrap_or_default();
            u128::from(u32::from_le_bytes(v4)).to_le_bytes()
        }
    }
}
