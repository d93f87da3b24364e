//! Property tests: wire form → text → wire form for every type.

use crate::{text, wire};
use proptest::collection::vec;
use proptest::prelude::*;
use wdns::rdata::{Atom, Layout, decompress, downcase, layout};
use wdns::{Class, RrType};

/// A name of at most a few labels with any octets.
fn name() -> impl Strategy<Value = Vec<u8>> {
    let octet =
        prop_oneof![4 => prop::char::range('a', 'z').prop_map(|c| c as u8), 1 => any::<u8>()];
    vec(vec(octet, 1..=20), 0..=5).prop_map(|labels| {
        let mut name = Vec::new();
        for label in labels {
            name.push(label.len() as u8);
            name.extend(label);
        }
        name.push(0);
        name
    })
}

fn counted(most: usize) -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 0..=most).prop_map(|octets| [&[octets.len() as u8][..], &octets].concat())
}

/// Type bitmaps in their only form that text gives: ascending windows without zeros at the end.
fn bitmap() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::btree_set(any::<u16>(), 0..20).prop_map(|types| {
        let text: Vec<String> = types.iter().map(|number| format!("TYPE{number}")).collect();
        wire(RrType::NSEC, Class::IN, format!(". {}", text.join(" ")).as_bytes())
            .expect("types in text")
            .split_off(1)
    })
}

fn service_parameter() -> impl Strategy<Value = Vec<u8>> {
    let id = vec(any::<u8>(), 1..6).prop_map(|id| [&[id.len() as u8][..], &id].concat());
    prop_oneof![
        vec(0..65535_u16, 1..4)
            .prop_map(|keys| (0, keys.into_iter().flat_map(u16::to_be_bytes).collect())),
        vec(id, 1..4).prop_map(|ids| (1, ids.concat())),
        Just((2, vec![])),
        any::<[u8; 2]>().prop_map(|port| (3, port.to_vec())),
        vec(any::<[u8; 4]>(), 1..4).prop_map(|hints| (4, hints.concat())),
        vec(any::<u8>(), 1..190).prop_map(|config| (5, config)),
        vec(any::<[u8; 16]>(), 1..4).prop_map(|hints| (6, hints.concat())),
        (7..65535_u16, vec(any::<u8>(), 0..20)),
    ]
    .prop_map(|(key, value): (u16, Vec<u8>)| {
        let len = value.len() as u16;
        [&key.to_be_bytes()[..], &len.to_be_bytes(), &value].concat()
    })
}

fn piece(atom: Atom) -> BoxedStrategy<Vec<u8>> {
    let octets = |len| vec(any::<u8>(), len).boxed();
    match atom {
        Atom::Name => name().boxed(),
        Atom::U8 => octets(1),
        Atom::U16 => octets(2),
        Atom::U32 | Atom::Ipv4 => octets(4),
        Atom::Ipv6 => octets(16),
        Atom::Eui48 => octets(6),
        Atom::Eui64 => octets(8),
        Atom::Type => (1..=u16::MAX).prop_map(|number| number.to_be_bytes().to_vec()).boxed(),
        Atom::A6 => (0..=128_u8, any::<[u8; 16]>())
            .prop_map(|(prefix, address)| {
                let suffix = &address[usize::from(prefix) / 8..];
                [&[prefix][..], suffix].concat()
            })
            .boxed(),
        Atom::Text | Atom::Salt | Atom::Hash => counted(255).boxed(),
        Atom::Texts => vec(counted(40), 1..4).prop_map(|texts| texts.concat()).boxed(),
        Atom::Bitmap => bitmap().boxed(),
        Atom::Hex | Atom::Base64 | Atom::Quoted => vec(any::<u8>(), 1..60).boxed(),
        Atom::SvcParams => vec(service_parameter(), 0..4).prop_map(|all| all.concat()).boxed(),
        Atom::Options => Just(Vec::new()).boxed(),
    }
}

/// Data of any type that has a text form.
fn typed_data() -> impl Strategy<Value = (RrType, Vec<u8>)> {
    let types: Vec<RrType> = RrType::known()
        .map(|(rrtype, _)| rrtype)
        .filter(|rrtype| *rrtype != RrType::OPT)
        .chain([RrType(0), RrType(258), RrType(65535)])
        .collect();
    prop::sample::select(types).prop_flat_map(|rrtype| match layout(rrtype, Class::IN) {
        Layout::Atoms(atoms) => {
            let pieces: Vec<_> = atoms.iter().map(|atom| piece(*atom)).collect();
            pieces.prop_map(move |pieces| (rrtype, pieces.concat())).boxed()
        }
        _ => vec(any::<u8>(), 0..80).prop_map(move |octets| (rrtype, octets)).boxed(),
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn text_gives_back_the_data((rrtype, octets) in typed_data()) {
        // A6 with no prefix has no name behind its address.
        let octets = if rrtype == RrType::A6 && octets[0] == 0 { octets[..17].to_vec() } else { octets };
        let shown = text(rrtype, Class::IN, &octets);
        prop_assert_eq!(wire(rrtype, Class::IN, shown.as_bytes()), Ok(octets), "{:?}: {}", rrtype, shown);
    }

    #[test]
    fn data_is_sound_in_a_message_and_stays_itself((rrtype, octets) in typed_data()) {
        let message = [&[0; 12][..], &octets].concat();
        let mut copy = Vec::new();
        prop_assert_eq!(decompress(&message, 12, message.len(), rrtype, Class::IN, &mut copy), Ok(()));
        prop_assert_eq!(&copy, &octets);
        let mut lower = octets.clone();
        prop_assert_eq!(downcase(&mut lower, rrtype, Class::IN), Ok(()));
        prop_assert!(lower.eq_ignore_ascii_case(&octets));
    }

    #[test]
    fn any_octets_and_any_text_do_no_harm(
        number in 0..300_u16,
        class in prop_oneof![Just(Class::IN), any::<u16>().prop_map(Class)],
        octets in vec(any::<u8>(), 0..100),
    ) {
        let raw = [&number.to_be_bytes()[..], &class.0.to_be_bytes(), &octets].concat();
        wdns::fuzzing::check_rdata_text(&raw);
        wdns::fuzzing::check_name(&octets);
    }
}
