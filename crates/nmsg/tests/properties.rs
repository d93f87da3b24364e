//! Random messages of every type, to text and back to the same octets.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use nmsg::schema::{Field, FieldFlags, FieldType, Form, Label, Schema};
use nmsg::{
    Aliases, JsonReader, JsonWriter, Labels, Limits, MessageBuilder, Payload, PresentationReader,
    PresentationWriter, Registry, Timestamp, Value,
};
use wdns::TextBuffer;

const MESSAGES_PER_TYPE: usize = 400;

/// A generator with a fixed seed: the messages are the same on every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// Any number of up to `bits` bits; small ones and extremes are frequent.
    fn number(&mut self, bits: u32) -> u64 {
        let all = u64::MAX >> (64 - bits);
        match self.below(6) {
            0 => 0,
            1 => all,
            2 => all >> 1,
            3 => self.below(20) & all,
            _ => self.next() >> self.below(64) & all,
        }
    }

    fn octets(&mut self, least: u64, most: u64) -> Vec<u8> {
        (0..least + self.below(most - least + 1)).map(|_| self.next() as u8).collect()
    }

    fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len() as u64) as usize]
    }

    fn text(&mut self, characters: &[char]) -> String {
        (0..self.below(30)).map(|_| self.pick(characters)).collect()
    }

    fn name(&mut self) -> Vec<u8> {
        let mut name = Vec::new();
        for _ in 0..self.below(5) {
            let label = self.octets(1, 40);
            name.push(label.len() as u8);
            name.extend(label);
        }
        name.push(0);
        name
    }

    /// Record data of one of the kinds that differ most, and its type and class.
    fn rdata(&mut self, kind: u64) -> Vec<u8> {
        match kind {
            0 => self.octets(4, 4),
            1 => [&[0, 10][..], &self.name()].concat(),
            2 => {
                let text = self.octets(0, 50);
                [&[text.len() as u8][..], &text].concat()
            }
            _ => self.octets(0, 60),
        }
    }
}

/// Types and classes of [`Random::rdata`]: A, MX, TXT, and one known by its octets only.
const KINDS: [(u16, u16); 4] = [(1, 1), (15, 1), (16, 3), (65_280, 1)];

/// What text a message has to survive.
#[derive(Clone, Copy, PartialEq)]
enum Through {
    Json,
    Presentation,
}

/// Characters of strings: what both forms treat in special ways, but no NUL.
const CHARACTERS: [char; 16] =
    ['a', 'Z', ' ', '\t', '"', '\\', '/', '\'', ':', '[', '\u{1}', '\u{7f}', 'é', '€', '😀', '\r'];

/// A message of this type with random values; all of them are shown in full.
fn random_message(
    random: &mut Random,
    schema: &std::sync::Arc<Schema>,
    through: Through,
) -> Vec<u8> {
    let mut builder = MessageBuilder::new(schema.clone());
    let kind = random.below(KINDS.len() as u64);
    let nested = random.below(3) > 0;
    let newline_at_end = random.below(2) == 0;
    for (i, field) in schema.fields().iter().enumerate() {
        let name = field.name();
        let always = match name {
            b"message_type" | b"socket_family" | b"socket_protocol" => nested,
            b"rrtype" | b"rrclass" => true,
            _ => field.label == Label::Required,
        };
        let settable = field.tag.is_some() || field.nested.is_some() && nested;
        let shown = match through {
            Through::Json => field.form != Form::DnsMessageSie,
            Through::Presentation => {
                let hidden = FieldFlags::HIDDEN.0 | FieldFlags::NO_PRINT.0;
                let octets = field.field_type == FieldType::Bytes
                    && !matches!(field.form, Form::Name | Form::Rdata);
                let computed = field.getter.is_some() && field.nested.is_none();
                field.flags.0 & hidden == 0 && !octets && !computed
            }
        };
        if !settable || !shown || !always && random.below(3) == 0 {
            continue;
        }
        let values = if field.label == Label::Repeated { random.below(4) } else { 1 };
        for _ in 0..values {
            set(random, &mut builder, i, field, kind, through, newline_at_end);
        }
    }
    let mut body = Vec::new();
    builder.encode(&mut body);
    body
}

fn set(
    random: &mut Random,
    builder: &mut MessageBuilder,
    i: usize,
    field: &Field,
    kind: u64,
    through: Through,
    newline_at_end: bool,
) {
    let (rrtype, class) = KINDS[kind as usize];
    let octets: Vec<u8>;
    let value = match (field.form, field.field_type) {
        (Form::RrType, _) if field.name() == b"rrtype" => Value::Unsigned(rrtype.into()),
        (Form::Class | Form::ClassSie, _) if field.name() == b"rrclass" => {
            Value::Unsigned(class.into())
        }
        // `decisions` JI-17: JSON shows other classes as `<UNKNOWN>`.
        (Form::ClassSie, _) if through == Through::Json => {
            Value::Unsigned(random.pick(&[1, 3, 4, 254, 255]))
        }
        (Form::Name, _) => {
            octets = random.name();
            Value::Octets(&octets)
        }
        (Form::Rdata, _) => {
            octets = random.rdata(kind);
            Value::Octets(&octets)
        }
        (_, FieldType::Bytes) => {
            octets = random.octets(1, 60);
            Value::Octets(&octets)
        }
        (_, FieldType::Ip) => {
            octets = if random.below(2) == 0 { random.octets(4, 4) } else { random.octets(16, 16) };
            Value::Octets(&octets)
        }
        (_, FieldType::String) => {
            octets = [random.text(&CHARACTERS).as_bytes(), b"\0"].concat();
            Value::Octets(&octets)
        }
        (_, FieldType::MultilineString) => {
            // Names of fields and glued dots have rules of their own.
            let characters: Vec<char> =
                CHARACTERS.iter().copied().filter(|c| *c != ':').chain(['\n', '\n']).collect();
            let mut text = random.text(&characters);
            if newline_at_end && !text.is_empty() {
                text.push('\n');
            } else if !newline_at_end {
                text.push('x');
            }
            octets = [text.as_bytes(), b"\0"].concat();
            Value::Octets(&octets)
        }
        (_, FieldType::Enum) => Value::Enum(random.number(32) as i32),
        (_, FieldType::Uint16) => Value::Unsigned(random.number(16)),
        (_, FieldType::Uint32) => Value::Unsigned(random.number(32)),
        (_, FieldType::Uint64) => Value::Unsigned(random.number(64)),
        (_, FieldType::Int16) => Value::Signed((random.number(16) as i16).into()),
        (_, FieldType::Int32) => Value::Signed((random.number(32) as i32).into()),
        (_, FieldType::Int64) => Value::Signed(random.number(64) as i64),
        (_, FieldType::Bool) => Value::Bool(random.below(2) == 1),
        (_, FieldType::Double) => Value::Double(match (random.below(8), through) {
            (0, _) => f64::NAN,
            (1, _) => random.pick(&[f64::INFINITY, f64::NEG_INFINITY, 0.0, -0.0]),
            // Six decimals hold multiples of 1/64.
            (_, Through::Presentation) => (random.next() as i64 >> 20) as f64 / 64.0,
            // Eighteen decimals hold every number from 0.1 on.
            (_, Through::Json) => {
                let number = f64::from_bits(random.next());
                if number.is_finite() && number.abs() >= 0.1 { number } else { 0.5 }
            }
        }),
    };
    builder.push(i, value).unwrap();
}

fn payload<'a>(random: &mut Random, schema: &Schema, body: &'a [u8]) -> Payload<'a> {
    let declaration = schema.message_type();
    let mut label = || Some(random.number(32) as u32).filter(|&number| number != 0);
    let (source, operator, group) = (label(), label(), label());
    let time =
        Timestamp { sec: random.number(64) as i64, nsec: random.below(1_000_000_000) as u32 };
    Payload {
        vendor: declaration.vendor,
        msgtype: declaration.id,
        time,
        source,
        operator,
        group,
        body: Some(body),
    }
}

fn for_each_message(through: Through, mut check: impl FnMut(&Registry, &Schema, &Payload<'_>)) {
    let registry = Registry::builtin();
    let mut random = Random(42);
    let mut types = 0;
    for schema in registry.vendors().flat_map(|vendor| vendor.schemas()) {
        types += 1;
        for _ in 0..MESSAGES_PER_TYPE {
            let body = random_message(&mut random, schema, through);
            let payload = payload(&mut random, schema, &body);
            check(&registry, schema, &payload);
        }
    }
    assert_eq!(types, 20);
}

#[test]
fn json_gives_the_same_octets_back() {
    let aliases = Aliases::default();
    for_each_message(Through::Json, |registry, _, payload| {
        let mut out = TextBuffer::new();
        JsonWriter::new(registry, &aliases, Labels::default()).write(&mut out, payload).unwrap();
        let mut body = Vec::new();
        let read = JsonReader::new(registry, &aliases).read_line(
            out.as_bytes(),
            Timestamp::default(),
            &mut body,
        );
        let line = out.to_string_lossy();
        let header = read.unwrap_or_else(|error| panic!("{error}: {line}")).unwrap();
        assert_eq!(header.payload(&body), *payload, "{line}");
    });
}

#[test]
fn presentation_gives_the_same_octets_back() {
    let aliases = Aliases::default();
    let mut same = 0;
    for_each_message(Through::Presentation, |registry, schema, payload| {
        let mut out = TextBuffer::new();
        PresentationWriter::new(registry, &aliases, Labels::default(), b"\n")
            .write(&mut out, payload)
            .unwrap();
        let schema = registry.get(schema.message_type().vendor, schema.message_type().id).unwrap();
        let mut reader = PresentationReader::new(schema.clone(), &aliases, &Limits::default());
        for (number, line) in (1..).zip(out.as_bytes().split(|&octet| octet == b'\n')) {
            reader.push_line(number, line);
        }
        reader.finish();
        let mut body = Vec::new();
        let read = reader.next_record(Timestamp::default(), &mut body).unwrap();
        let text = out.to_string_lossy();
        let never = ["ncap", "pkt", "xml", "encode", "packet"];
        if never.contains(&schema.message_type().name.to_str().unwrap()) {
            assert!(read.is_err(), "{text}");
            return;
        }
        let header = read.unwrap_or_else(|error| panic!("{error}: {text:?}"));
        assert_eq!(header.payload(&body), *payload, "{text:?}");
        assert!(reader.next_record(Timestamp::default(), &mut body).is_none(), "{text:?}");
        same += 1;
    });
    assert_eq!(same, 15 * MESSAGES_PER_TYPE);
}
