//! Expressions as flat programs, one for each message type.

use std::collections::HashMap;

use wdns::TextBuffer;

use super::check::{Check, Room, Source, number};
use super::error::WhereError;
use super::header::{HeaderName, HeaderTest};
use super::kind::Kind;
use super::pattern::Patterns;
use super::resolve::{Context, Subject, field_of};
use super::sparse::SparseScan;
use super::syntax::{Expression, Test};
use crate::schema::{Field, FieldFlags, Label, Schema};
use crate::view::{Message, Value, View};
use crate::{FieldIndex, Payload};

/// Where a program goes on: a step, or one of the two ends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Target(u32);

impl Target {
    const YES: Self = Self(u32::MAX);
    const NO: Self = Self(u32::MAX - 1);
}

#[derive(Clone, Debug)]
enum Question {
    Header(HeaderTest),
    Field(FieldTest),
}

#[derive(Clone, Debug)]
struct Step {
    question: Question,
    yes: Target,
    no: Target,
}

/// How the values of a field are reached.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Access {
    Single,
    Repeated,
    Computed,
    ComputedRepeated,
}

impl Access {
    fn of(field: &Field) -> Self {
        let repeated = field.label == Label::Repeated || field.flags.contains(FieldFlags::REPEATED);
        match (field.getter, repeated) {
            (Some(_), true) => Self::ComputedRepeated,
            (Some(_), false) => Self::Computed,
            (None, _) if field.label == Label::Repeated => Self::Repeated,
            (None, _) => Self::Single,
        }
    }
}

/// A question about a field.
#[derive(Clone, Debug)]
struct FieldTest {
    field: usize,
    access: Access,
    /// Only 4 or 16 octets are a value.
    is_address: bool,
    every: bool,
    negated: bool,
    /// Nothing: any value will do.
    check: Option<Check>,
}

impl FieldTest {
    #[inline]
    fn holds(&self, source: &Source<'_, '_>, room: &mut Room) -> bool {
        let view = source.view;
        match (self.access, source.message) {
            (Access::Single, _) => {
                let Some(value) = view.stored(self.field) else { return false };
                match &self.check {
                    // The commonest question, without a detour.
                    Some(Check::Number(ranges)) => {
                        number(value).is_some_and(|number| ranges.contains(number) != self.negated)
                    }
                    _ => self.value_holds(value, source, room) == Some(true),
                }
            }
            (Access::Repeated, _) => self.values_hold(view.stored_values(self.field), source, room),
            (Access::Computed, Some(message)) => {
                let value = message.computed(self.field, 0);
                self.values_hold(value.into_iter(), source, room)
            }
            (Access::ComputedRepeated, Some(message)) => {
                // Getters end their values; the bound is for those that do not.
                let indices = 0..usize::from(u16::MAX);
                let values = indices.map_while(|index| message.computed(self.field, index));
                self.values_hold(values, source, room)
            }
            (Access::Computed | Access::ComputedRepeated, None) => false,
        }
    }

    /// Nothing where what is stored is no value.
    #[inline]
    fn value_holds(
        &self,
        value: Value<'_>,
        source: &Source<'_, '_>,
        room: &mut Room,
    ) -> Option<bool> {
        if self.is_address
            && !matches!(value, Value::Octets(octets) if matches!(octets.len(), 4 | 16))
        {
            return None;
        }
        Some(match &self.check {
            Some(check) => check.holds(value, source, room) != self.negated,
            None => true,
        })
    }

    fn values_hold<'v>(
        &self,
        values: impl Iterator<Item = Value<'v>>,
        source: &Source<'_, '_>,
        room: &mut Room,
    ) -> bool {
        let mut found = false;
        for value in values {
            match self.value_holds(value, source, room) {
                Some(true) if !self.every => return true,
                Some(true) => found = true,
                Some(false) if self.every => return false,
                Some(false) | None => {}
            }
        }
        found
    }
}

/// An expression compiled for one message type.
#[derive(Clone, Debug)]
pub(super) struct Program {
    steps: Box<[Step]>,
    start: Target,
    /// Nothing when fields are computed, the full scan is needed anyway, or none.
    sparse: Option<SparseScan>,
}

impl Program {
    /// Compiles an expression for messages of `schema`, or for messages whose fields are not
    /// known.
    pub(super) fn new(
        expression: &Expression<'_>,
        schema: Option<&Schema>,
        shared: &mut Shared<'_>,
    ) -> Result<Self, WhereError> {
        let mut compiler = Compiler { schema, shared, steps: Vec::new() };
        let start = compiler.expression(expression, Target::YES, Target::NO)?;
        let steps: Box<[Step]> = compiler.steps.into();
        let sparse = schema.and_then(|schema| sparse_scan(schema, &steps));
        Ok(Self { steps, start, sparse })
    }

    /// Answers for a payload. `message` is what its fields are read from; nothing comes back when
    /// they were needed and cannot be read.
    #[inline]
    pub(super) fn run(
        &self,
        payload: &Payload<'_>,
        message: Option<(&Schema, &[u8])>,
        patterns: &Patterns,
        index: &mut FieldIndex,
        room: &mut Room,
    ) -> Option<bool> {
        let mut at = self.start;
        // The fields are looked for when the first of them is needed.
        while let Some(step) = self.steps.get(at.0 as usize) {
            match &step.question {
                Question::Header(test) => {
                    at = if test.holds(payload) { step.yes } else { step.no };
                }
                Question::Field(_) => {
                    let (schema, body) = message?;
                    let Some(sparse) = &self.sparse else {
                        return self.run_whole(at, payload, (schema, body), patterns, index, room);
                    };
                    let view = if sparse.scan(schema, body, index) {
                        View::indexed(schema, body, index)
                    } else {
                        View::new(schema, body, index).ok()?
                    };
                    let source = Source { view, message: None, patterns };
                    return Some(self.run_scanned(at, payload, &source, room));
                }
            }
        }
        Some(at == Target::YES)
    }

    /// Goes on with all fields of the message at hand, also those that are computed.
    #[inline(never)]
    fn run_whole(
        &self,
        at: Target,
        payload: &Payload<'_>,
        (schema, body): (&Schema, &[u8]),
        patterns: &Patterns,
        index: &mut FieldIndex,
        room: &mut Room,
    ) -> Option<bool> {
        let message = Message::new(View::new(schema, body, index).ok()?);
        let source = Source { view: message.view(), message: Some(&message), patterns };
        Some(self.run_scanned(at, payload, &source, room))
    }

    #[inline]
    fn run_scanned(
        &self,
        mut at: Target,
        payload: &Payload<'_>,
        source: &Source<'_, '_>,
        room: &mut Room,
    ) -> bool {
        while let Some(step) = self.steps.get(at.0 as usize) {
            let holds = match &step.question {
                Question::Header(test) => test.holds(payload),
                Question::Field(test) => test.holds(source, room),
            };
            at = if holds { step.yes } else { step.no };
        }
        at == Target::YES
    }

    /// True when the answer may depend on fields.
    /// True when some question is about the header, but for vendor and type.
    pub(super) fn asks_header(&self) -> bool {
        self.steps.iter().any(|step| match &step.question {
            Question::Header(test) => !matches!(test.name, HeaderName::Vendor | HeaderName::Type),
            Question::Field(_) => false,
        })
    }

    #[cfg(test)]
    pub(super) fn asks_fields(&self) -> bool {
        let mut reached = vec![self.start];
        let mut seen = vec![false; self.steps.len()];
        while let Some(at) = reached.pop() {
            let at = at.0 as usize;
            if at >= seen.len() || std::mem::replace(&mut seen[at], true) {
                continue;
            }
            if matches!(self.steps[at].question, Question::Field(_)) {
                return true;
            }
            reached.extend([self.steps[at].yes, self.steps[at].no]);
        }
        false
    }
}

/// A scan for the fields of all steps; nothing when some are computed, because they may be computed
/// from any other field.
fn sparse_scan(schema: &Schema, steps: &[Step]) -> Option<SparseScan> {
    let mut wanted = Vec::new();
    for step in steps {
        let Question::Field(test) = &step.question else { continue };
        if matches!(test.access, Access::Computed | Access::ComputedRepeated) {
            return None;
        }
        wanted.push(test.field);
        if Kind::of(schema.fields().get(test.field)?) == Kind::Rdata {
            let (rrtype, class) = schema.rr_fields().unzip();
            wanted.extend(rrtype.into_iter().chain(class));
        }
    }
    if wanted.is_empty() { None } else { SparseScan::new(schema, &wanted) }
}

/// What the programs of one expression share while they are compiled.
pub(super) struct Shared<'c> {
    context: Context<'c>,
    pub(super) patterns: Patterns,
    /// By offset of the test.
    subjects: HashMap<usize, Subject>,
}

impl<'c> Shared<'c> {
    pub(super) fn new(context: Context<'c>) -> Self {
        Self { context, patterns: Patterns::default(), subjects: HashMap::new() }
    }

    fn subject(&mut self, test: &Test<'_>) -> Result<Subject, WhereError> {
        if let Some(known) = self.subjects.get(&test.subject.start) {
            return Ok(known.clone());
        }
        let subject = self.context.subject(test, &mut self.patterns)?;
        self.subjects.insert(test.subject.start, subject.clone());
        Ok(subject)
    }
}

struct Compiler<'s, 'c> {
    schema: Option<&'s Schema>,
    shared: &'s mut Shared<'c>,
    /// From the last to the first.
    steps: Vec<Step>,
}

impl Compiler<'_, '_> {
    /// Adds the steps of an expression and returns the first of them.
    fn expression(
        &mut self,
        expression: &Expression<'_>,
        yes: Target,
        no: Target,
    ) -> Result<Target, WhereError> {
        match expression {
            Expression::Not(term) => self.expression(term, no, yes),
            Expression::All(terms) => {
                terms.iter().rev().try_fold(yes, |yes, term| self.expression(term, yes, no))
            }
            Expression::Any(terms) => {
                terms.iter().rev().try_fold(no, |no, term| self.expression(term, yes, no))
            }
            Expression::Test(test) => self.test(test, yes, no),
        }
    }

    fn test(&mut self, test: &Test<'_>, yes: Target, no: Target) -> Result<Target, WhereError> {
        let question = match self.shared.subject(test)? {
            Subject::Header(header) => {
                if let Some(answer) = self.known_answer(&header) {
                    return Ok(if answer { yes } else { no });
                }
                Question::Header(header)
            }
            Subject::Field => match self.field_test(test) {
                Some(field) => Question::Field(field),
                None => return Ok(no),
            },
        };
        if yes == no {
            return Ok(yes);
        }
        self.steps.push(Step { question, yes, no });
        Ok(Target(self.steps.len() as u32 - 1))
    }

    /// Vendor and type are known when the program is for one message type.
    fn known_answer(&self, header: &HeaderTest) -> Option<bool> {
        let declared = self.schema?.message_type();
        let payload =
            Payload { vendor: declared.vendor, msgtype: declared.id, ..Payload::default() };
        let known = matches!(header.name, HeaderName::Vendor | HeaderName::Type);
        known.then(|| header.holds(&payload))
    }

    /// Nothing when messages of the type never have a value that could hold.
    fn field_test(&mut self, test: &Test<'_>) -> Option<FieldTest> {
        let (index, field) = field_of(self.schema?, test.name)?;
        let check = self.shared.context.check(test, field, &mut self.shared.patterns).ok()?;
        Some(FieldTest {
            field: index,
            access: Access::of(field),
            is_address: Kind::of(field) == Kind::Address,
            every: test.every,
            negated: test.negated,
            check,
        })
    }
}

/// Memory for the answers of one worker.
pub(super) fn room(patterns: &Patterns) -> Room {
    Room { text: TextBuffer::new(), caches: patterns.caches() }
}
