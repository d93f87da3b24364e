//! The part of a DNS message that tells transactions apart.

/// Length of a DNS header, in octets.
const HEADER_LEN: usize = 12;

const QUERY_RESPONSE: u16 = 0x8000;
const RECURSION_DESIRED: u16 = 0x0100;

/// The only question of a DNS message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Question<'a> {
    /// Name as it stands in the message: letter case kept, a pointer not followed.
    pub name: &'a [u8],
    /// Type number.
    pub qtype: u16,
    /// Class number.
    pub qclass: u16,
}

/// Header and question of a DNS message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Header<'a> {
    pub(super) id: u16,
    flags: u16,
    /// `None` unless the message counts exactly one question and has octets behind the header.
    pub(super) question: Option<Question<'a>>,
}

impl<'a> Header<'a> {
    /// Reads header and question; `None` when either is cut short (`capture-and-dnsqr` §3.6).
    pub(super) fn parse(payload: &'a [u8]) -> Option<Self> {
        let (header, rest) = payload.split_first_chunk::<HEADER_LEN>()?;
        let word = |at: usize| u16::from_be_bytes([header[at], header[at + 1]]);
        let question = if word(4) == 1 && !rest.is_empty() {
            let (name, rest) = rest.split_at_checked(wdns::name::skip(rest))?;
            let [t1, t0, c1, c0] = *rest.first_chunk()?;
            let (qtype, qclass) = (u16::from_be_bytes([t1, t0]), u16::from_be_bytes([c1, c0]));
            Some(Question { name, qtype, qclass })
        } else {
            None
        };
        Some(Self { id: word(0), flags: word(2), question })
    }

    pub(super) fn is_response(&self) -> bool {
        self.flags & QUERY_RESPONSE != 0
    }

    pub(super) fn recursion_desired(&self) -> bool {
        self.flags & RECURSION_DESIRED != 0
    }

    /// Response code without its EDNS extension.
    pub(super) fn rcode(&self) -> u8 {
        (self.flags & 0xf) as u8
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(questions: u8, tail: &[u8]) -> Vec<u8> {
        [&[0x12, 0x34, 0x81, 0x05, 0, questions, 0, 9, 0, 9, 0, 9][..], tail].concat()
    }

    #[test]
    fn dq_7_questions_as_they_stand() {
        let some = |name, qtype, qclass| Some(Some(Question { name, qtype, qclass }));
        let long_label = &[&[65][..], &[b'a'; 65], b"\0\0\x01\0\x01"].concat();
        for (name, questions, tail, want) in [
            ("whole", 1, &b"\x01a\0\0\x02\0\x03rest"[..], some(&b"\x01a\0"[..], 2, 3)),
            ("root", 1, b"\0\0\x01\0\x01", some(b"\0", 1, 1)),
            ("letter case", 1, b"\x02Ab\0\0\x01\0\x01", some(b"\x02Ab\0", 1, 1)),
            ("pointer", 1, b"\x01a\xc0\x04\0\x01\0\x01", some(b"\x01a\xc0\x04", 1, 1)),
            ("long label", 1, long_label, some(&long_label[..67], 1, 1)),
            ("header only", 1, b"", Some(None)),
            ("no question", 0, b"\x01a\0\0\x02\0\x03", Some(None)),
            ("two questions", 2, b"\x01a\0\0\x02\0\x03", Some(None)),
            ("one octet", 1, b"\0", None),
            ("cut in the name", 1, b"\x05a\0\0\x02\0\x03", None),
            ("cut in the class", 1, b"\x01a\0\0\x02\0", None),
        ] {
            let message = message(questions, tail);
            let got = Header::parse(&message);
            assert_eq!(got.map(|header| header.question), want, "{name}");
        }
        assert_eq!(Header::parse(&[0; 11]), None);
    }

    #[test]
    fn flags() {
        let response = message(0, b"");
        let header = Header::parse(&response).unwrap();
        assert_eq!((header.id, header.rcode()), (0x1234, 5));
        assert!(header.is_response() && header.recursion_desired());
        let query = [0, 1, 0x0e, 0xf0, 0, 0, 0, 0, 0, 0, 0, 0];
        let header = Header::parse(&query).unwrap();
        assert_eq!(header.rcode(), 0);
        assert!(!header.is_response() && !header.recursion_desired());
    }
}
