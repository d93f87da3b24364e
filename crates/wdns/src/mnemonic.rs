//! Record types, classes, response codes and opcodes: numbers and their mnemonics
//! (`wdns` §4, `rendering-and-parsing` §13.2).

use crate::text_buffer::Short;
use crate::{Piece, TextBuffer};

/// Texts around the mnemonics of the numbers below `N`, each to be appended in one copy.
pub(crate) struct Around<const N: usize, const LEN: usize>([Short<LEN>; N]);

impl<const N: usize, const LEN: usize> Around<N, LEN> {
    const fn new(list: &[(u16, &str)], before: &str, after: &str) -> Self {
        let mut texts = [Short::EMPTY; N];
        let mut at = 0;
        while at < list.len() {
            let (number, mnemonic) = list[at];
            if (number as usize) < N {
                let text = Short::new(before.as_bytes()).and(mnemonic.as_bytes());
                texts[number as usize] = text.and(after.as_bytes());
            }
            at += 1;
        }
        Self(texts)
    }

    /// The texts around the mnemonics of record types.
    pub(crate) const fn rrtypes(before: &str, after: &str) -> Self {
        Self::new(RRTYPE_LIST, before, after)
    }

    /// The texts around the mnemonics of response codes.
    pub(crate) const fn rcodes(before: &str, after: &str) -> Self {
        Self::new(RCODE_LIST, before, after)
    }

    /// Puts the text for a number; false, and nothing put, without one.
    #[inline(always)]
    pub(crate) fn put(&self, number: u16, piece: &mut Piece<'_>) -> bool {
        match self.0.get(usize::from(number)) {
            Some(text) => {
                piece.short(text);
                text.len() > 0
            }
            None => false,
        }
    }

    /// Appends the text for a number; false, and nothing appended, without one.
    #[inline(always)]
    pub(crate) fn write(&self, number: u16, out: &mut TextBuffer) -> bool {
        match self.0.get(usize::from(number)) {
            Some(text) => {
                out.short(text);
                text.len() > 0
            }
            None => false,
        }
    }
}

/// Types below this number are those of nearly all records.
pub(crate) const FREQUENT_TYPES: usize = RrType::HTTPS.0 as usize + 1;
/// One more than the highest response code with a mnemonic.
pub(crate) const RCODES_KNOWN: usize = Rcode::BADVERS.0 as usize + 1;

/// The longest mnemonic there is, in octets, with room to copy it at once.
const MNEMONIC_WINDOW: usize = 15;

/// A mnemonic; empty for a number without one.
type Padded = Short<{ MNEMONIC_WINDOW + 1 }>;

/// Mnemonics of the numbers below `N`, by number.
struct ByNumber<const N: usize> {
    padded: [Padded; N],
    text: [Option<&'static str>; N],
}

impl<const N: usize> ByNumber<N> {
    const fn new(list: &[(u16, &'static str)]) -> Self {
        let mut table = Self { padded: [Padded::EMPTY; N], text: [None; N] };
        let mut at = 0;
        while at < list.len() {
            let (number, text) = list[at];
            if (number as usize) < N {
                table.padded[number as usize] = Padded::new(text.as_bytes());
                table.text[number as usize] = Some(text);
            }
            at += 1;
        }
        table
    }

    #[inline(always)]
    fn padded(&self, number: u16) -> Option<&Padded> {
        self.padded.get(usize::from(number)).filter(|padded| padded.len() > 0)
    }

    /// Puts the mnemonic; false, and nothing put, for a number without one.
    #[inline(always)]
    fn put(&self, number: u16, piece: &mut Piece<'_>) -> bool {
        let padded = self.padded.get(usize::from(number));
        padded.inspect(|padded| piece.short(padded)).is_some_and(|padded| padded.len() > 0)
    }

    /// Appends the mnemonic; false, and nothing appended, for a number without one.
    #[inline(always)]
    fn write(&self, number: u16, out: &mut TextBuffer) -> bool {
        let padded = self.padded.get(usize::from(number));
        padded.inspect(|padded| out.short(padded)).is_some_and(|padded| padded.len() > 0)
    }
}

/// Places in a [`ByText`] table; several times the number of mnemonics, so probes are short.
const SLOTS: usize = 256;

/// Numbers by mnemonic: a hash table with open addressing, filled by the compiler.
struct ByText {
    /// One more than a place in `list`, or zero.
    slots: [u8; SLOTS],
    list: &'static [(u16, &'static str)],
}

impl ByText {
    const fn new(list: &'static [(u16, &'static str)]) -> Self {
        let mut slots = [0; SLOTS];
        let mut at = 0;
        while at < list.len() {
            let mut slot = Self::slot(list[at].1.as_bytes());
            while slots[slot] != 0 {
                slot = (slot + 1) % SLOTS;
            }
            slots[slot] = at as u8 + 1;
            at += 1;
        }
        Self { slots, list }
    }

    const fn slot(text: &[u8]) -> usize {
        let mut hash = 0_u32;
        let mut at = 0;
        while at < text.len() {
            hash = hash.wrapping_mul(37).wrapping_add(text[at].to_ascii_uppercase() as u32);
            at += 1;
        }
        (hash ^ hash >> 9) as usize % SLOTS
    }

    /// The number behind a mnemonic in any case.
    fn find(&self, text: &[u8]) -> Option<u16> {
        if text.len() > MNEMONIC_WINDOW {
            return None;
        }
        let mut slot = Self::slot(text);
        loop {
            let place = usize::from(self.slots[slot]).checked_sub(1)?;
            let (number, mnemonic) = self.list[place];
            if mnemonic.as_bytes().eq_ignore_ascii_case(text) {
                return Some(number);
            }
            slot = (slot + 1) % SLOTS;
        }
    }
}

/// The number of `TYPE123` or `CLASS123`, prefix in any case.
fn numbered(text: &[u8], prefix: &[u8]) -> Option<u16> {
    let (head, number) = text.split_at_checked(prefix.len())?;
    if head.eq_ignore_ascii_case(prefix) { parse_loose_u16(number) } else { None }
}

/// The value of decimal digits up to 65535 behind blanks and a sign, and nothing after them.
pub(crate) fn parse_loose_u16(mut text: &[u8]) -> Option<u16> {
    while let [b' ' | b'\t'..=b'\r', rest @ ..] = text {
        text = rest;
    }
    let (negative, digits) = match text {
        [b'+', rest @ ..] => (false, rest),
        [b'-', rest @ ..] => (true, rest),
        _ => (false, text),
    };
    let number = u16::try_from(parse_decimal(digits)?).ok()?;
    // A negative number is beyond the range unless it is zero.
    (!negative || number == 0).then_some(number)
}

/// The value of one or more decimal digits that are all of `text`; `None` beyond 32 bits.
pub(crate) fn parse_decimal(text: &[u8]) -> Option<u32> {
    if text.is_empty() {
        return None;
    }
    text.iter().try_fold(0_u32, |value, &octet| match octet {
        b'0'..=b'9' => value.checked_mul(10)?.checked_add(u32::from(octet - b'0')),
        _ => None,
    })
}

macro_rules! mnemonics {
    ($type:ident, $list:ident; $($constant:ident $value:literal $text:literal)*) => {
        impl $type {
            $(
                #[doc = concat!("`", $text, "`, number ", stringify!($value), ".")]
                pub const $constant: Self = Self($value);
            )*
        }

        const $list: &[(u16, &str)] = &[$(($value, $text)),*];
    };
}

/// Type of a resource record, such as 28 for `AAAA`.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct RrType(pub u16);

mnemonics! { RrType, RRTYPE_LIST;
    A 1 "A"
    NS 2 "NS"
    MD 3 "MD"
    MF 4 "MF"
    CNAME 5 "CNAME"
    SOA 6 "SOA"
    MB 7 "MB"
    MG 8 "MG"
    MR 9 "MR"
    NULL 10 "NULL"
    WKS 11 "WKS"
    PTR 12 "PTR"
    HINFO 13 "HINFO"
    MINFO 14 "MINFO"
    MX 15 "MX"
    TXT 16 "TXT"
    RP 17 "RP"
    AFSDB 18 "AFSDB"
    X25 19 "X25"
    ISDN 20 "ISDN"
    RT 21 "RT"
    NSAP 22 "NSAP"
    NSAP_PTR 23 "NSAP-PTR"
    SIG 24 "SIG"
    KEY 25 "KEY"
    PX 26 "PX"
    GPOS 27 "GPOS"
    AAAA 28 "AAAA"
    LOC 29 "LOC"
    NXT 30 "NXT"
    EID 31 "EID"
    NIMLOC 32 "NIMLOC"
    SRV 33 "SRV"
    ATMA 34 "ATMA"
    NAPTR 35 "NAPTR"
    KX 36 "KX"
    CERT 37 "CERT"
    A6 38 "A6"
    DNAME 39 "DNAME"
    SINK 40 "SINK"
    OPT 41 "OPT"
    APL 42 "APL"
    DS 43 "DS"
    SSHFP 44 "SSHFP"
    IPSECKEY 45 "IPSECKEY"
    RRSIG 46 "RRSIG"
    NSEC 47 "NSEC"
    DNSKEY 48 "DNSKEY"
    DHCID 49 "DHCID"
    NSEC3 50 "NSEC3"
    NSEC3PARAM 51 "NSEC3PARAM"
    TLSA 52 "TLSA"
    HIP 55 "HIP"
    NINFO 56 "NINFO"
    RKEY 57 "RKEY"
    TALINK 58 "TALINK"
    CDS 59 "CDS"
    CDNSKEY 60 "CDNSKEY"
    OPENPGPKEY 61 "OPENPGPKEY"
    CSYNC 62 "CSYNC"
    SVCB 64 "SVCB"
    HTTPS 65 "HTTPS"
    SPF 99 "SPF"
    UINFO 100 "UINFO"
    UID 101 "UID"
    GID 102 "GID"
    UNSPEC 103 "UNSPEC"
    NID 104 "NID"
    L32 105 "L32"
    L64 106 "L64"
    LP 107 "LP"
    EUI48 108 "EUI48"
    EUI64 109 "EUI64"
    TKEY 249 "TKEY"
    TSIG 250 "TSIG"
    IXFR 251 "IXFR"
    AXFR 252 "AXFR"
    MAILB 253 "MAILB"
    MAILA 254 "MAILA"
    ANY 255 "ANY"
    URI 256 "URI"
    CAA 257 "CAA"
    TA 32768 "TA"
    DLV 32769 "DLV"
}

static RRTYPES: ByNumber<258> = ByNumber::new(RRTYPE_LIST);
static RRTYPES_HIGH: [Padded; 2] = [Padded::new(b"TA"), Padded::new(b"DLV")];
static RRTYPES_BY_TEXT: ByText = ByText::new(RRTYPE_LIST);

impl RrType {
    /// Returns the mnemonic; `None` for types that have none here, which print as `TYPE123`.
    #[must_use]
    pub fn mnemonic(self) -> Option<&'static str> {
        match self {
            Self::TA => Some("TA"),
            Self::DLV => Some("DLV"),
            _ => RRTYPES.text.get(usize::from(self.0)).copied().flatten(),
        }
    }

    /// Reads a mnemonic in any case or the `TYPE123` form, zero included (`wdns` §4.1).
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        RRTYPES_BY_TEXT.find(text).or_else(|| numbered(text, b"TYPE")).map(Self)
    }

    /// Appends the mnemonic or `TYPE123`.
    #[inline]
    pub fn write(self, out: &mut TextBuffer) {
        if !self.write_mnemonic(out) {
            out.array(b"TYPE");
            out.decimal(self.0.into());
        }
    }

    /// Puts the mnemonic; false, and nothing put, for types that have none here.
    #[inline(always)]
    pub fn put_mnemonic(self, piece: &mut Piece<'_>) -> bool {
        RRTYPES.put(self.0, piece) || piece.outside(|out| self.write_high(out))
    }

    /// Appends the mnemonic; false, and nothing appended, for types that have none here.
    #[inline]
    pub fn write_mnemonic(self, out: &mut TextBuffer) -> bool {
        RRTYPES.write(self.0, out) || self.write_high(out)
    }

    #[inline(never)]
    fn write_high(self, out: &mut TextBuffer) -> bool {
        let high = RRTYPES_HIGH.get(usize::from(self.0.wrapping_sub(Self::TA.0)));
        high.inspect(|padded| out.short(padded)).is_some()
    }

    /// All types with a mnemonic, ascending by number.
    pub fn known() -> impl Iterator<Item = (Self, &'static str)> {
        RRTYPE_LIST.iter().map(|&(number, text)| (Self(number), text))
    }
}

/// Class of a resource record, such as 1 for `IN`.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Class(pub u16);

mnemonics! { Class, CLASS_LIST;
    IN 1 "IN"
    CH 3 "CH"
    HS 4 "HS"
    NONE 254 "NONE"
    ANY 255 "ANY"
}

static CLASSES: ByNumber<256> = ByNumber::new(CLASS_LIST);
static CLASSES_BY_TEXT: ByText = ByText::new(CLASS_LIST);

impl Class {
    /// Returns the mnemonic; `None` for classes that have none, which print as `CLASS123`.
    #[must_use]
    pub fn mnemonic(self) -> Option<&'static str> {
        CLASSES.text.get(usize::from(self.0)).copied().flatten()
    }

    /// Reads a mnemonic in any case or the `CLASS123` form, zero included (`wdns` §4.2).
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        CLASSES_BY_TEXT.find(text).or_else(|| numbered(text, b"CLASS")).map(Self)
    }

    /// Appends the mnemonic or `CLASS123`.
    #[inline]
    pub fn write(self, out: &mut TextBuffer) {
        if !self.write_mnemonic(out) {
            out.array(b"CLASS");
            out.decimal(self.0.into());
        }
    }

    /// Puts the mnemonic; false, and nothing put, for classes that have none here.
    #[inline(always)]
    pub fn put_mnemonic(self, piece: &mut Piece<'_>) -> bool {
        CLASSES.put(self.0, piece)
    }

    /// Appends the mnemonic; false, and nothing appended, for classes that have none.
    #[inline]
    pub fn write_mnemonic(self, out: &mut TextBuffer) -> bool {
        CLASSES.write(self.0, out)
    }
}

/// Response code, extended by EDNS to twelve bits.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Rcode(pub u16);

mnemonics! { Rcode, RCODE_LIST;
    NOERROR 0 "NOERROR"
    FORMERR 1 "FORMERR"
    SERVFAIL 2 "SERVFAIL"
    NXDOMAIN 3 "NXDOMAIN"
    NOTIMP 4 "NOTIMP"
    REFUSED 5 "REFUSED"
    YXDOMAIN 6 "YXDOMAIN"
    YXRRSET 7 "YXRRSET"
    NXRRSET 8 "NXRRSET"
    NOTAUTH 9 "NOTAUTH"
    NOTZONE 10 "NOTZONE"
    BADVERS 16 "BADVERS"
}

static RCODES: ByNumber<RCODES_KNOWN> = ByNumber::new(RCODE_LIST);
static RCODES_BY_TEXT: ByText = ByText::new(RCODE_LIST);

impl Rcode {
    /// Returns the mnemonic; `None` for codes that have none, which print in decimal.
    #[must_use]
    pub fn mnemonic(self) -> Option<&'static str> {
        RCODES.text.get(usize::from(self.0)).copied().flatten()
    }

    /// Reads a mnemonic in any case; numbers are refused (`wdns` §4.3).
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        RCODES_BY_TEXT.find(text).map(Self)
    }

    /// Appends the mnemonic or the number.
    #[inline]
    pub fn write(self, out: &mut TextBuffer) {
        if !RCODES.write(self.0, out) {
            out.decimal(self.0.into());
        }
    }

    /// Puts the mnemonic; false, and nothing put, for codes that have none here.
    #[inline(always)]
    pub fn put_mnemonic(self, piece: &mut Piece<'_>) -> bool {
        RCODES.put(self.0, piece)
    }

    /// Appends the mnemonic; false, and nothing appended, for codes that have none.
    #[inline]
    pub fn write_mnemonic(self, out: &mut TextBuffer) -> bool {
        RCODES.write(self.0, out)
    }

    /// Appends the mnemonic in quotes or the number.
    #[inline]
    pub(crate) fn write_json(self, out: &mut TextBuffer) {
        match RCODES.padded(self.0) {
            Some(padded) => out.short_quoted(padded),
            None => out.decimal(self.0.into()),
        }
    }
}

/// Kind of query, four bits of the header.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Opcode(pub u8);

mnemonics! { Opcode, OPCODE_LIST;
    QUERY 0 "QUERY"
    IQUERY 1 "IQUERY"
    STATUS 2 "STATUS"
    NOTIFY 4 "NOTIFY"
    UPDATE 5 "UPDATE"
}

static OPCODES: ByNumber<6> = ByNumber::new(OPCODE_LIST);
static OPCODES_BY_TEXT: ByText = ByText::new(OPCODE_LIST);

impl Opcode {
    /// Returns the mnemonic; `None` for opcodes that have none, which print in decimal.
    #[must_use]
    pub fn mnemonic(self) -> Option<&'static str> {
        OPCODES.text.get(usize::from(self.0)).copied().flatten()
    }

    /// Reads a mnemonic in any case; numbers are refused.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        OPCODES_BY_TEXT.find(text).map(|number| Self(number as u8))
    }

    /// Appends the mnemonic or the number.
    #[inline]
    pub fn write(self, out: &mut TextBuffer) {
        if !OPCODES.write(self.0.into(), out) {
            out.decimal(self.0.into());
        }
    }

    /// Appends the mnemonic in quotes or the number.
    #[inline]
    pub(crate) fn write_json(self, out: &mut TextBuffer) {
        match OPCODES.padded(self.0.into()) {
            Some(padded) => out.short_quoted(padded),
            None => out.decimal(self.0.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(write: impl FnOnce(&mut TextBuffer)) -> String {
        let mut out = TextBuffer::new();
        write(&mut out);
        out.to_string_lossy()
    }

    #[test]
    fn every_type_reads_back_from_its_own_text() {
        let mut known = 0;
        for number in 0..=u16::MAX {
            let rrtype = RrType(number);
            let shown = text(|out| rrtype.write(out));
            known += usize::from(rrtype.mnemonic().is_some());
            assert_eq!(shown, rrtype.mnemonic().map_or(format!("TYPE{number}"), str::to_owned));
            assert_eq!(RrType::parse(shown.as_bytes()), Some(rrtype));
            assert_eq!(RrType::parse(shown.to_lowercase().as_bytes()), Some(rrtype));
            let class = Class(number);
            let shown = text(|out| class.write(out));
            assert_eq!(Class::parse(shown.as_bytes()), Some(class));
        }
        assert_eq!(known, 84);
        assert_eq!(RrType::known().count(), 84);
    }

    #[test]
    fn dt_7_newer_types_and_rcodes_stay_numbers() {
        for number in [53, 63, 128, 258, 259, 260, 261] {
            assert_eq!(text(|out| RrType(number).write(out)), format!("TYPE{number}"));
        }
        assert_eq!(text(|out| Rcode(17).write(out)), "17");
        assert_eq!(text(|out| Opcode(3).write(out)), "3");
        assert_eq!(text(|out| Opcode(6).write(out)), "6");
        assert_eq!(text(|out| Class(2).write(out)), "CLASS2");
    }

    #[test]
    fn numbered_types_tolerate_blanks_and_a_sign() {
        for (given, want) in [
            ("TYPE5", Some(5)),
            ("type+5", Some(5)),
            ("TYPE 5", Some(5)),
            ("TYPE\t\x0b5", Some(5)),
            ("TYPE00005", Some(5)),
            ("TYPE65535", Some(65535)),
            ("TYPE65536", None),
            ("TYPE18446744073709551617", None),
            ("TYPE-5", None),
            ("TYPE+ 5", None),
            ("TYPE5 ", None),
            ("TYPE", None),
            ("TYPE5x", None),
            ("5", None),
            ("*", None),
            ("", None),
            ("NSAP_PTR", None),
            ("A ", None),
            ("nsap-ptr", Some(23)),
            ("dlv", Some(32769)),
        ] {
            assert_eq!(RrType::parse(given.as_bytes()), want.map(RrType), "{given}");
        }
        assert_eq!(Class::parse(b"class 77"), Some(Class(77)));
        assert_eq!(Class::parse(b"any"), Some(Class::ANY));
        assert_eq!(Class::parse(b"TYPE1"), None);
    }

    #[test]
    fn dp_13_type_and_class_zero_are_values() {
        assert_eq!(RrType::parse(b"TYPE0"), Some(RrType(0)));
        assert_eq!(RrType::parse(b"TYPE-0"), Some(RrType(0)));
        assert_eq!(Class::parse(b"CLASS0"), Some(Class(0)));
    }

    #[test]
    fn w_24_unknown_text_differs_from_zero() {
        assert_eq!(RrType::parse(b"TYPEZERO"), None);
        assert_eq!(Class::parse(b"CLASSY"), None);
    }

    #[test]
    fn rcodes_and_opcodes_have_mnemonics_only() {
        for (number, mnemonic) in RCODE_LIST {
            assert_eq!(Rcode::parse(mnemonic.to_lowercase().as_bytes()), Some(Rcode(*number)));
            assert_eq!(Rcode(*number).mnemonic(), Some(*mnemonic));
            assert_eq!(text(|out| Rcode(*number).write(out)), *mnemonic);
        }
        assert_eq!(Rcode::parse(b"3"), None);
        assert_eq!(Rcode::BADVERS, Rcode(16));
        for (number, mnemonic) in OPCODE_LIST {
            let opcode = Opcode(*number as u8);
            assert_eq!(Opcode::parse(mnemonic.as_bytes()), Some(opcode));
            assert_eq!(text(|out| opcode.write(out)), *mnemonic);
        }
        assert_eq!(Opcode::parse(b"DSO"), None);
        assert_eq!(Opcode(255).mnemonic(), None);
    }
}
