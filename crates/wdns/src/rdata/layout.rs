//! What the data of each record type consists of (`wdns` §4.1, §6.1).

use crate::{Class, RrType};

/// One piece of record data.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Atom {
    /// Domain name; in a message possibly compressed.
    Name,
    /// Number of one octet.
    U8,
    /// Number of two octets.
    U16,
    /// Number of four octets.
    U32,
    /// IPv4 address.
    Ipv4,
    /// IPv6 address.
    Ipv6,
    /// Prefix length and the octets of an IPv6 address behind that prefix (RFC 2874 §3.1).
    A6,
    /// Hardware address of six octets.
    Eui48,
    /// Hardware address of eight octets.
    Eui64,
    /// Character string: length octet and octets.
    Text,
    /// Character strings up to the end.
    Texts,
    /// Salt of NSEC3: length octet and octets, shown in hex.
    Salt,
    /// Hash of NSEC3: length octet and octets, shown in base32hex.
    Hash,
    /// Number of a record type.
    Type,
    /// Type bitmap up to the end (RFC 4034 §4.1.2).
    Bitmap,
    /// Octets up to the end, shown in hex.
    Hex,
    /// Octets up to the end, shown in base64.
    Base64,
    /// Octets up to the end, shown as one quoted string.
    Quoted,
    /// Service parameters up to the end (RFC 9460 §2.2).
    SvcParams,
    /// EDNS options up to the end (RFC 6891 §6.1.2).
    Options,
}

/// How the data of a record is structured.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Layout {
    /// Octets without known structure, shown in the form of RFC 3597 §5.
    Generic,
    /// The type is structured in class `IN` only and the class is another one.
    OtherClass,
    /// Pieces in order.
    Atoms(&'static [Atom]),
}

/// Entry of one type.
#[derive(Clone, Copy)]
struct Entry {
    /// Empty for generic types.
    atoms: &'static [Atom],
    /// The layout holds for class `IN` only.
    in_only: bool,
    /// The names inside are turned into lower case together with the owner.
    downcased: bool,
}

const NO_LAYOUT: Entry = Entry { atoms: &[], in_only: false, downcased: false };

const fn any(atoms: &'static [Atom]) -> Entry {
    Entry { atoms, in_only: false, downcased: false }
}

const fn class_in(atoms: &'static [Atom]) -> Entry {
    Entry { atoms, in_only: true, downcased: false }
}

const fn downcased(entry: Entry) -> Entry {
    Entry { downcased: true, ..entry }
}

const ENTRIES: usize = RrType::CAA.0 as usize + 1;

static TABLE: [Entry; ENTRIES] = {
    use Atom::*;
    const NAME: Entry = any(&[Name]);
    const NUMBER_NAME: &[Atom] = &[U16, Name];
    const DS: Entry = any(&[U16, U8, U8, Hex]);
    const DNSKEY: Entry = any(&[U16, U8, U8, Base64]);
    const SERVICE: Entry = class_in(&[U16, Name, SvcParams]);

    let rows = [
        (RrType::A, class_in(&[Ipv4])),
        (RrType::NS, downcased(NAME)),
        (RrType::MD, downcased(NAME)),
        (RrType::MF, downcased(NAME)),
        (RrType::CNAME, downcased(NAME)),
        (RrType::SOA, downcased(any(&[Name, Name, U32, U32, U32, U32, U32]))),
        (RrType::MB, downcased(NAME)),
        (RrType::MG, downcased(NAME)),
        (RrType::MR, downcased(NAME)),
        (RrType::NULL, any(&[Hex])),
        (RrType::WKS, class_in(&[U32, U8, Hex])),
        (RrType::PTR, downcased(NAME)),
        (RrType::HINFO, any(&[Text, Text])),
        (RrType::MINFO, downcased(any(&[Name, Name]))),
        (RrType::MX, downcased(any(NUMBER_NAME))),
        (RrType::TXT, any(&[Texts])),
        (RrType::RP, downcased(any(&[Name, Name]))),
        (RrType::AFSDB, downcased(any(NUMBER_NAME))),
        (RrType::X25, any(&[Text])),
        (RrType::ISDN, any(&[Text, Text])),
        (RrType::RT, downcased(any(NUMBER_NAME))),
        (RrType::SIG, downcased(any(&[U16, U8, U8, U32, U32, U32, U16, Name, Hex]))),
        (RrType::PX, downcased(class_in(&[U16, Name, Name]))),
        (RrType::AAAA, class_in(&[Ipv6])),
        (RrType::NXT, downcased(any(&[Name, Hex]))),
        (RrType::SRV, downcased(class_in(&[U16, U16, U16, Name]))),
        (RrType::NAPTR, downcased(class_in(&[U16, U16, Text, Text, Text, Name]))),
        (RrType::KX, downcased(class_in(NUMBER_NAME))),
        (RrType::A6, downcased(class_in(&[A6, Name]))),
        (RrType::DNAME, downcased(NAME)),
        (RrType::OPT, any(&[Options])),
        (RrType::DS, DS),
        (RrType::RRSIG, any(&[Type, U8, U8, U32, U32, U32, U16, Name, Base64])),
        (RrType::NSEC, any(&[Name, Bitmap])),
        (RrType::DNSKEY, DNSKEY),
        (RrType::NSEC3, any(&[U8, U8, U16, Salt, Hash, Bitmap])),
        (RrType::NSEC3PARAM, any(&[U8, U8, U16, Salt])),
        (RrType::TLSA, any(&[U8, U8, U8, Hex])),
        (RrType::CDS, DS),
        (RrType::CDNSKEY, DNSKEY),
        (RrType::OPENPGPKEY, any(&[Base64])),
        (RrType::CSYNC, any(&[U32, U16, Bitmap])),
        (RrType::SVCB, SERVICE),
        (RrType::HTTPS, SERVICE),
        (RrType::SPF, any(&[Texts])),
        (RrType::EUI48, any(&[Eui48])),
        (RrType::EUI64, any(&[Eui64])),
        (RrType::URI, any(&[U16, U16, Quoted])),
        (RrType::CAA, class_in(&[U8, Text, Quoted])),
    ];
    let mut table = [NO_LAYOUT; ENTRIES];
    let mut at = 0;
    while at < rows.len() {
        table[rows[at].0.0 as usize] = rows[at].1;
        at += 1;
    }
    table
};

/// Returns how the data of records of a type and class is structured.
#[must_use]
#[inline]
pub fn layout(rrtype: RrType, class: Class) -> Layout {
    match TABLE.get(usize::from(rrtype.0)) {
        Some(entry) if !entry.atoms.is_empty() => {
            if entry.in_only && class != Class::IN {
                Layout::OtherClass
            } else {
                Layout::Atoms(entry.atoms)
            }
        }
        _ => Layout::Generic,
    }
}

/// The pieces of the types whose names are turned into lower case with the owner's
/// (`wdns` §6.3).
pub(crate) fn downcased_atoms(rrtype: RrType, class: Class) -> Option<&'static [Atom]> {
    let entry = TABLE.get(usize::from(rrtype.0)).filter(|entry| entry.downcased)?;
    (!entry.in_only || class == Class::IN).then_some(entry.atoms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn structured_types_are_those_of_the_table() {
        let structured: Vec<&str> = RrType::known()
            .filter(|(rrtype, _)| matches!(layout(*rrtype, Class::IN), Layout::Atoms(_)))
            .map(|(_, mnemonic)| mnemonic)
            .collect();
        assert_eq!(
            structured.join(" "),
            "A NS MD MF CNAME SOA MB MG MR NULL WKS PTR HINFO MINFO MX TXT RP AFSDB X25 ISDN RT \
             SIG PX AAAA NXT SRV NAPTR KX A6 DNAME OPT DS RRSIG NSEC DNSKEY NSEC3 NSEC3PARAM TLSA \
             CDS CDNSKEY OPENPGPKEY CSYNC SVCB HTTPS SPF EUI48 EUI64 URI CAA"
        );
    }

    #[test]
    fn types_of_class_in_have_no_structure_elsewhere() {
        let in_only: Vec<&str> = RrType::known()
            .filter(|(rrtype, _)| layout(*rrtype, Class::CH) == Layout::OtherClass)
            .map(|(_, mnemonic)| mnemonic)
            .collect();
        assert_eq!(in_only.join(" "), "A WKS PX AAAA SRV NAPTR KX A6 SVCB HTTPS CAA");
        for number in [0, 53, 258, 32769, 65535] {
            assert_eq!(layout(RrType(number), Class::IN), Layout::Generic, "{number}");
            assert_eq!(layout(RrType(number), Class::CH), Layout::Generic, "{number}");
        }
    }

    #[test]
    fn downcased_types_are_those_of_the_list() {
        let mut downcased: Vec<&str> = RrType::known()
            .filter(|(rrtype, _)| downcased_atoms(*rrtype, Class::IN).is_some())
            .map(|(_, mnemonic)| mnemonic)
            .collect();
        downcased.sort_unstable();
        assert_eq!(
            downcased.join(" "),
            "A6 AFSDB CNAME DNAME KX MB MD MF MG MINFO MR MX NAPTR NS NXT PTR PX RP RT SIG SOA SRV"
        );
    }
}
