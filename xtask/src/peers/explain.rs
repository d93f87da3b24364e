//! The decisions behind differences, as code: each function says for one of them whether it is why
//! the outputs differ. What no function explains is a failure.

use nmsg::schema::FieldType;
use nmsg::wire::{self, RawValue};
use nmsg::{MsgType, Registry, VendorId};

use super::compare::Difference;
use super::corpus::{self, Record};
use super::tokens::{Member, Token, members};

/// First second of the year 1000.
const YEAR_1000: i64 = -30_610_224_000;
/// First second of the year 10000.
const YEAR_10000: i64 = 253_402_300_800;

/// Names the decisions that make a JSON record differ from the reference's; none when one
/// difference remains without.
pub(super) fn json(difference: &Difference<'_, Record>) -> Vec<&'static str> {
    let record = difference.record;
    let (ours, theirs) = (&difference.ours.written[0][..], &difference.reference.written[0][..]);
    if !difference.ours.run.ended() {
        return Vec::new();
    }
    if theirs.is_empty() {
        return without_reference(record, ours, difference.reference.run.died());
    }
    if is_cut_double(ours, theirs) {
        return vec!["JO-5"];
    }
    let (ours, theirs) = (members(ours), members(theirs));
    if is_encode(record) && !theirs.is_empty() {
        let b64 = |members: &[Member<'_>]| members.iter().rposition(|member| member.key == b"b64");
        let (ours_at, theirs_at) = (b64(&ours), b64(&theirs));
        let tail = |members: &[Member<'_>], at: Option<usize>| {
            at.map(|at| {
                members[at..].iter().map(|member| format!("{member:?}")).collect::<String>()
            })
        };
        if ours_at.is_some() && tail(&ours, ours_at) == tail(&theirs, theirs_at) {
            return vec!["JO-10"];
        }
    }
    if ours.len() != theirs.len() {
        let derived = is_ncap(record) && without_derived(&theirs) == without_derived(&ours);
        if derived {
            return vec!["MY-2"];
        }
        if has_odd_packet(record) && without(&theirs, &FROM_PACKET) == without(&ours, &FROM_PACKET)
        {
            return vec!["CR-8"];
        }
        let no_name = is_dnstap(record) && without(&theirs, &["qname"]) == without(&ours, &[]);
        return if no_name { vec!["MY-5"] } else { Vec::new() };
    }
    let mut decisions = Vec::new();
    for (ours, theirs) in ours.iter().zip(&theirs).filter(|(ours, theirs)| ours != theirs) {
        match member(record, ours, theirs) {
            Some(decision) if decisions.contains(&decision) => {}
            Some(decision) => decisions.push(decision),
            None => return Vec::new(),
        }
    }
    decisions
}

/// Names the decisions that make a line of JSON differ when it is read back.
pub(super) fn read_back(difference: &Difference<'_, Vec<u8>>) -> Vec<&'static str> {
    let (ours, theirs) = (&difference.ours.written[0][..], &difference.reference.written[0][..]);
    let line = &difference.record[..];
    let read = members(line);
    let text = |key: &[u8]| {
        read.iter().filter(|member| member.key == key).find_map(|member| match member.token {
            Token::Text(text) if text != key => Some(text),
            _ => None,
        })
    };
    if !difference.ours.run.ended() || ours.is_empty() {
        return Vec::new();
    }
    match text(b"mname") {
        Some(b"dnstap") => vec!["JI-14"],
        // What ours writes comes from the packet, as in every other ncap record.
        Some(b"ncap") if ours == line || is_with_derived(ours, theirs) => vec!["CR-9"],
        Some(msgtype) if theirs.is_empty() && has_number_of_enum(msgtype, &read) => vec!["JI-7"],
        Some(_) if theirs.is_empty() && read.iter().any(is_unsigned_negative) => vec!["JI-8"],
        // The reference stops there.
        Some(_) if theirs.is_empty() && text(b"response").is_some() => vec!["JI-16"],
        Some(_) if text(b"vname") == Some(b"SIE") && read.iter().any(is_other_class) => {
            vec!["JI-17"]
        }
        _ => Vec::new(),
    }
}

/// Whether a class is another than the usual one, or a type the first of all.
fn is_other_class(member: &Member<'_>) -> bool {
    let Token::Text(text) = member.token else { return false };
    member.key.ends_with(b"class") && text != member.key && text != b"IN" || text == b"TYPE0"
}

/// Whether a number is the 64 bits of a negative one.
fn is_unsigned_negative(member: &Member<'_>) -> bool {
    let Token::Plain(number) = member.token else { return false };
    let number = std::str::from_utf8(number).ok().and_then(|number| number.parse::<u64>().ok());
    number.is_some_and(|number| number > i64::MAX as u64)
}

/// Whether all that presentation form has more than the reference's are values derived from the packet.
fn is_with_derived(ours: &[u8], theirs: &[u8]) -> bool {
    let mut theirs = theirs.split_inclusive(is_newline).peekable();
    let more = ours.split_inclusive(is_newline).filter(|line| theirs.next_if_eq(line).is_none());
    let derived = |line: &[u8]| DERIVED.iter().any(|key| line.starts_with(key.as_bytes()));
    more.into_iter().all(derived) && theirs.next().is_none()
}

/// Whether an enumeration, or a response code, of this type is given as a number.
fn has_number_of_enum(msgtype: &[u8], read: &[Member<'_>]) -> bool {
    let registry = Registry::builtin();
    let schema = registry.find(b"base", msgtype).or_else(|| registry.find(b"SIE", msgtype));
    let is_enum = |key: &[u8]| {
        schema
            .and_then(|schema| schema.fields().get(schema.field_index(key)?))
            .is_some_and(|field| field.field_type == FieldType::Enum)
    };
    read.iter().any(|member| match member.token {
        Token::Plain(_) => is_enum(member.key),
        Token::Text(text) => {
            member.key == b"rcode" && !text.is_empty() && text.iter().all(u8::is_ascii_digit)
        }
        Token::Mark(_) => false,
    })
}

/// Names the decisions that make a presentation record differ.
pub(super) fn presentation(difference: &Difference<'_, Record>) -> Vec<&'static str> {
    let record = difference.record;
    let (ours, theirs) = (&difference.ours.written[0][..], &difference.reference.written[0][..]);
    if !difference.ours.run.ended() {
        return Vec::new();
    }
    if theirs.is_empty() {
        return match difference.reference.run.died() {
            true if ours.is_empty() && is_hooked(record) => vec!["CR-9"],
            true if is_ncap(record) && !ours.is_empty() => vec!["MY-1"],
            true if is_dnsqr(record) && !ours.is_empty() => vec!["CR-8"],
            false if lacks_rr_kind(record) && contains(ours, b"\nrdata: \\# ") => vec!["PO-7"],
            false if is_dnstap(record) && contains(ours, b"<UNKNOWN ENUM VAL=") => vec!["PO-8"],
            _ => Vec::new(),
        };
    }
    let lines = |text| -> Vec<&[u8]> { <[u8]>::split(text, is_newline).collect() };
    let (our_lines, their_lines) = (lines(ours), lines(theirs));
    if our_lines.len() == their_lines.len() {
        let differing = our_lines.iter().zip(&their_lines).filter(|(ours, theirs)| ours != theirs);
        if differing.clone().count() > 0
            && differing.clone().all(|(line, _)| line.starts_with(b"rdata: ") && is_bad_name(line))
        {
            return vec!["DT-1"];
        }
    }
    if has_odd_packet(record)
        && our_lines.iter().all(|line| their_lines.contains(line))
        && contains(theirs, b": <PARSE ERROR>\n")
    {
        // The reference reads behind the packet.
        return vec!["CR-8"];
    }
    if is_dnstap(record) {
        let named = |line: &&[u8]| !line.starts_with(b"qname: ");
        if their_lines.into_iter().filter(named).eq(our_lines) {
            return vec!["MY-5"];
        }
    }
    if unsigned_ids(record, theirs) == ours {
        return vec!["PO-2"];
    }
    if is_ncap(record) && ours.split_inclusive(is_newline).all(|line| contains(theirs, line)) {
        // Ours leaves out what lies outside of the payload.
        let left_out = |line: &&[u8]| !contains(ours, line);
        let derived = |line: &[u8]| {
            DERIVED.iter().any(|key| line.starts_with(key.as_bytes()))
                || line.starts_with(b"[")
                || line.starts_with(b"<ERROR: ")
        };
        if theirs.split_inclusive(is_newline).filter(left_out).all(derived) {
            return vec!["MY-2"];
        }
    }
    Vec::new()
}

fn is_newline(octet: &u8) -> bool {
    *octet == b'\n'
}

/// Fields of ncap that come from inside the payload.
const DERIVED: [&str; 6] = ["srcip", "dstip", "srcport", "dstport", "proto", "dns"];

/// Fields of dnsqr that come from inside its packets.
const FROM_PACKET: [&str; 5] = ["query", "query_json", "response", "response_json", "dns"];

/// Whether a packet of this dnsqr record was damaged, so that its lengths are wrong.
fn has_odd_packet(record: &Record) -> bool {
    is_dnsqr(record)
        && ["_packet: odd", "_packet: once", "octets"]
            .iter()
            .any(|change| record.change.contains(change))
}

/// The members that are not derived, as text.
fn without_derived(members: &[Member<'_>]) -> Vec<String> {
    without(members, &DERIVED)
}

/// The members with other keys than these, as text.
fn without(members: &[Member<'_>], keys: &[&str]) -> Vec<String> {
    members
        .iter()
        .filter(|member| !matches!(member.token, Token::Mark(_)))
        .filter(|member| !keys.iter().any(|key| member.key == key.as_bytes()))
        .map(|member| format!("{member:?}"))
        .collect()
}

/// Shows the ids of a record in its header as the numbers they are.
fn unsigned_ids(record: &Record, text: &[u8]) -> Vec<u8> {
    let (vendor, msgtype) = (record.vendor, record.msgtype);
    let signed = format!("] [{}:{} ", vendor.cast_signed(), msgtype.cast_signed());
    let Some(at) = text.windows(signed.len()).position(|window| window == signed.as_bytes()) else {
        return text.to_vec();
    };
    let unsigned = format!("] [{vendor}:{msgtype} ");
    [&text[..at], unsigned.as_bytes(), &text[at + signed.len()..]].concat()
}

/// Names the decisions that make a copied record differ.
pub(super) fn copy(difference: &Difference<'_, Record>) -> Vec<&'static str> {
    let record = difference.record;
    if difference.reference.run.died() && is_hooked(record) && difference.ours.run.ended() {
        let copied = corpus::read(&difference.ours.written[0]).unwrap_or_default();
        if let [copied] = &copied[..]
            && copied.payload() == record.payload()
        {
            return vec!["CR-9"];
        }
    }
    Vec::new()
}

fn is_ncap(record: &Record) -> bool {
    (record.vendor, record.msgtype) == (1, 1)
}

fn is_dnsqr(record: &Record) -> bool {
    (record.vendor, record.msgtype) == (1, 9)
}

fn is_dnstap(record: &Record) -> bool {
    (record.vendor, record.msgtype) == (1, 13)
}

/// Whether record data is shown with a name that has no end.
fn is_bad_name(text: &[u8]) -> bool {
    text.ends_with(b" ### PARSE ERROR #3 ###")
}

fn is_encode(record: &Record) -> bool {
    (record.vendor, record.msgtype) == (1, 11)
}

/// Whether the reference decodes this type as soon as it reads it.
fn is_hooked(record: &Record) -> bool {
    matches!((record.vendor, record.msgtype), (1, 1 | 13))
}

fn contains(octets: &[u8], part: &[u8]) -> bool {
    octets.windows(part.len()).any(|window| window == part)
}

/// The stored values of the field called `name`.
fn stored(record: &Record, name: &[u8]) -> Vec<Vec<u8>> {
    let registry = Registry::builtin();
    let schema = registry.get(VendorId(record.vendor), MsgType(record.msgtype));
    let field = schema.and_then(|schema| schema.fields().get(schema.field_index(name)?));
    let tag = field.and_then(|field| field.tag);
    let mut reader = wire::Reader::new(record.body.as_deref().unwrap_or_default());
    let mut values = Vec::new();
    while let Ok(Some(field)) = reader.field() {
        if Some(field.number) == tag {
            values.push(match field.value {
                RawValue::Len(octets) => octets.to_vec(),
                RawValue::Varint(number) | RawValue::Fixed64(number) => number.to_le_bytes().into(),
                RawValue::Fixed32(number) => number.to_le_bytes().into(),
            });
        }
    }
    values
}

/// Whether there is record data without the type or class that tells what it is.
fn lacks_rr_kind(record: &Record) -> bool {
    let absent = |name: &[u8]| stored(record, name).is_empty();
    !absent(b"rdata") && (absent(b"rrtype") || absent(b"rrclass"))
}

/// The reference wrote nothing and stopped, or died.
fn without_reference(record: &Record, ours: &[u8], died: bool) -> Vec<&'static str> {
    let decision = match died {
        true if is_fallback(record, ours) && is_hooked(record) => "CR-9",
        false if is_fallback(record, ours) => "JO-1",
        true if is_ncap(record) && contains(ours, b"\"message\":{") => "MY-1",
        true if is_encode(record) && contains(ours, b"\"payload\":{\"val\":\"\",\"b64\":\"\"}") => {
            "JO-10"
        }
        true if is_dnsqr(record) && contains(ours, b"\"message\":{") => "CR-8",
        false if lacks_rr_kind(record) && contains(ours, b"\"\\\\# ") => "PO-7",
        false if is_dnstap(record) && has_unknown_enum(ours) => "PO-8",
        _ => return Vec::new(),
    };
    vec![decision]
}

/// Whether a dnstap record shows a number in the place of a name.
fn has_unknown_enum(line: &[u8]) -> bool {
    let keys = [&b"message_type"[..], b"socket_family", b"socket_protocol"];
    members(line)
        .iter()
        .any(|member| keys.contains(&member.key) && matches!(member.token, Token::Plain(_)))
}

/// Whether the reference's line ends in the middle of a number that ours shows in full.
fn is_cut_double(ours: &[u8], theirs: &[u8]) -> bool {
    let theirs = theirs.trim_ascii_end();
    let number = |octet: &&u8| octet.is_ascii_digit() || **octet == b'.';
    let digits = theirs.iter().rev().take_while(number).count();
    // The end of the line is lost, with it the place where zeros are taken off.
    let zeros = theirs.iter().rev().take_while(|octet| **octet == b'0').count();
    digits >= 60
        && [theirs, &theirs[..theirs.len() - zeros]].iter().any(|cut| ours.starts_with(cut))
}

/// Whether a line is the fallback record of `decisions` JO-2 for this record.
fn is_fallback(record: &Record, line: &[u8]) -> bool {
    let registry = Registry::builtin();
    let found = members(line);
    let value = |key: &[u8]| {
        let mut values = found.iter().filter(|member| member.key == key);
        values.rfind(|member| !matches!(member.token, Token::Mark(_))).map(|member| member.token)
    };
    let number = |number: u32| number.to_string();
    let (vid, msgtype) = (number(record.vendor), number(record.msgtype));
    let vendor = registry.vendor(VendorId(record.vendor));
    let schema = registry.get(VendorId(record.vendor), MsgType(record.msgtype));
    let payload = record.body.as_deref().map(base64);
    let payload = payload.as_deref();
    line.ends_with(b"}\n")
        && value(b"message").is_none()
        && value(b"vid") == Some(Token::Plain(vid.as_bytes()))
        && value(b"msgtype") == Some(Token::Plain(msgtype.as_bytes()))
        && value(b"vname") == vendor.map(|vendor| Token::Text(vendor.name()))
        && value(b"mname")
            == schema.map(|schema| Token::Text(schema.message_type().name.to_bytes()))
        && value(b"payload")
            == Some(payload.map_or(Token::Plain(b"null"), |text| Token::Text(text.as_bytes())))
}

fn base64(octets: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in octets.chunks(3) {
        let at = |place: usize| u32::from(group.get(place).copied().unwrap_or(0));
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for place in 0..4 {
            let letter = ALPHABET[(bits >> (18 - 6 * place)) as usize & 63];
            text.push(if place <= group.len() { letter.into() } else { '=' });
        }
    }
    text
}

/// Why one value differs.
fn member(record: &Record, ours: &Member<'_>, theirs: &Member<'_>) -> Option<&'static str> {
    if ours.key != theirs.key {
        return None;
    }
    match (ours.token, theirs.token) {
        (Token::Plain(ours), Token::Plain(theirs)) if is_signed(ours, theirs) => Some("JO-3"),
        (Token::Text(ours), Token::Plain(theirs))
            if ours == theirs && [&b"nan"[..], b"inf", b"-inf"].contains(&ours) =>
        {
            Some("JO-4")
        }
        (Token::Text(b"BADVERS"), Token::Text(b"256")) => Some("DT-3"),
        (Token::Text(text), Token::Text(theirs))
            if ours.key.ends_with(b"type")
                && text.starts_with(b"TYPE")
                && theirs.starts_with(b"TYPE") =>
        {
            Some("DT-4")
        }
        (Token::Text(text), Token::Text(_)) if ours.key == b"rdata" && is_bad_name(text) => {
            Some("DT-1")
        }
        (Token::Text(text), Token::Text(_))
            if ours.key == b"time" && has_odd_time(record, text) =>
        {
            Some("JO-6")
        }
        (Token::Text(ours), Token::Text(theirs)) if ours == without_surrogates(theirs) => {
            Some("JO-8")
        }
        (Token::Text(text), Token::Text(theirs))
            if without_surrogates(theirs).starts_with(text)
                && stored(record, ours.key).iter().any(|value| value.contains(&0)) =>
        {
            Some("JO-7")
        }
        _ => None,
    }
}

/// Whether the reference cannot show this time and the text does.
fn has_odd_time(record: &Record, text: &[u8]) -> bool {
    let nanoseconds = format!(".{:09}", record.time.nsec);
    let four_digits = YEAR_1000..YEAR_10000;
    let odd = record.time.nsec >= 1_000_000_000 || !four_digits.contains(&record.time.sec);
    odd && text.ends_with(nanoseconds.as_bytes())
}

/// Puts one replacement character in the place of each sequence that is no character although it
/// is well formed.
fn without_surrogates(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some((&octet, behind)) = rest.split_first() {
        let len = match rest {
            [0xed, 0xa0..=0xbf, 0x80..=0xbf, ..] => 3,
            [0xf4, 0x90..=0xbf, 0x80..=0xbf, 0x80..=0xbf, ..] => 4,
            [0xf5..=0xf7, 0x80..=0xbf, 0x80..=0xbf, 0x80..=0xbf, ..] => 4,
            _ => 0,
        };
        if len == 0 {
            out.push(octet);
            rest = behind;
        } else {
            out.extend_from_slice("\u{fffd}".as_bytes());
            rest = &rest[len..];
        }
    }
    out
}

/// Whether a number is negative and the other one its 64 bits without a sign.
fn is_signed(ours: &[u8], theirs: &[u8]) -> bool {
    let text = |octets| std::str::from_utf8(octets).unwrap_or_default();
    let (ours, theirs) = (text(ours).parse::<i64>(), text(theirs).parse::<u64>());
    ours.is_ok_and(|ours| ours < 0 && theirs == Ok(ours as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_of_every_length() {
        for (octets, want) in [
            (&b""[..], ""),
            (b"f", "Zg=="),
            (b"fo", "Zm8="),
            (b"foo", "Zm9v"),
            (b"foob", "Zm9vYg=="),
        ] {
            assert_eq!(base64(octets), want);
        }
    }

    #[test]
    fn only_the_same_bits_are_a_sign() {
        assert!(is_signed(b"-1", b"18446744073709551615"));
        assert!(!is_signed(b"-1", b"18446744073709551614"));
        assert!(!is_signed(b"1", b"1"));
    }
}
