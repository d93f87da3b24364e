//! Conditions on the header and the fields of payloads: `--where`.

mod check;
mod error;
mod header;
mod kind;
mod literal;
mod moment;
#[cfg(test)]
mod naive;
mod nearest;
mod pattern;
mod program;
mod resolve;
mod sets;
mod sparse;
mod syntax;
mod token;

use std::sync::Arc;

pub use error::WhereError;

use self::check::Room;
use self::pattern::Patterns;
use self::program::{Program, Shared};
use self::resolve::Context;
use super::{Candidate, Filter, FilterFailed, Verdict};
use crate::schema::{Registry, Schema};
use crate::{Aliases, FieldIndex, MsgType, Payload, Timestamp, VendorId};

/// A condition on payloads, compiled for all message types of a registry. The language is
/// described in `docs/where.md`. Clones share everything.
///
/// A comparison is false where the message type has no such field, the field has no value, or the
/// message does not decode.
///
/// ```
/// use nmsg::filter::{Matcher, Where};
/// use nmsg::{Aliases, MsgType, Payload, Registry, Timestamp, VendorId};
///
/// let now = Timestamp { sec: 1_700_000_000, nsec: 0 };
/// let text = "type = dnsqr or query_ip in 192.0.2.0/24 and time >= now-1h";
/// let condition = Where::compile(text, &Registry::builtin(), &Aliases::default(), now)?;
/// let payload = Payload { vendor: VendorId(1), msgtype: MsgType(9), ..Payload::default() };
/// assert!(Matcher::new(&condition).matches(&payload));
/// # Ok::<(), nmsg::filter::WhereError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Where(Arc<Compiled>);

#[derive(Debug)]
struct Compiled {
    /// By vendor, then by message type.
    programs: Vec<Vec<Option<TypeProgram>>>,
    /// For messages without a schema, and those that do not decode.
    fieldless: Program,
    patterns: Patterns,
    /// Whether some message type is asked about times or labels.
    asks_header: bool,
}

/// An expression for one message type.
#[derive(Clone, Debug)]
struct TypeProgram {
    schema: Arc<Schema>,
    program: Program,
}

impl Where {
    /// Compiles an expression. `now` is what the word `now` means in it.
    ///
    /// # Errors
    ///
    /// The expression does not parse, names what does not exist, or compares what cannot be
    /// compared.
    pub fn compile(
        expression: &str,
        registry: &Registry,
        aliases: &Aliases,
        now: Timestamp,
    ) -> Result<Self, WhereError> {
        let context = Context { registry, aliases, now };
        let compiled = Compiled::new(expression, context);
        compiled.map(|compiled| Self(Arc::new(compiled))).map_err(|error| error.within(expression))
    }
}

impl Compiled {
    fn new(expression: &str, context: Context<'_>) -> Result<Self, WhereError> {
        let parsed = syntax::parse(expression)?;
        let mut shared = Shared::new(context);
        let fieldless = Program::new(&parsed, None, &mut shared)?;
        let mut programs: Vec<Vec<_>> = Vec::new();
        for vendor in context.registry.vendors() {
            let mut types = Vec::new();
            for schema in vendor.schemas() {
                let program = Program::new(&parsed, Some(schema), &mut shared)?;
                types.resize(schema.message_type().id.0 as usize, None);
                types.push(Some(TypeProgram { schema: Arc::clone(schema), program }));
            }
            programs.resize(vendor.id().0 as usize, Vec::new());
            programs.push(types);
        }
        let asks_header = programs.iter().flatten().flatten().any(|own| own.program.asks_header())
            || fieldless.asks_header();
        Ok(Self { programs, fieldless, asks_header, patterns: shared.patterns })
    }

    #[inline]
    fn program(&self, vendor: VendorId, msgtype: MsgType) -> Option<&TypeProgram> {
        self.programs.get(vendor.0 as usize)?.get(msgtype.0 as usize)?.as_ref()
    }
}

/// A [`Where`] at work, with the memory one worker needs; after the first payloads it allocates
/// nothing, but for fields that are computed from embedded messages.
#[derive(Debug)]
pub struct Matcher {
    compiled: Arc<Compiled>,
    index: FieldIndex,
    room: Room,
}

impl Matcher {
    /// A matcher for one worker.
    #[must_use]
    pub fn new(condition: &Where) -> Self {
        let compiled = Arc::clone(&condition.0);
        Self { room: program::room(&compiled.patterns), index: FieldIndex::new(), compiled }
    }

    /// True when the answer can depend on the time or the labels of a payload, and not just on its type
    /// and body.
    #[must_use]
    #[inline]
    pub fn asks_header(&self) -> bool {
        self.compiled.asks_header
    }

    /// Tells whether the condition holds for a payload.
    #[must_use]
    #[inline]
    pub fn matches(&mut self, payload: &Payload<'_>) -> bool {
        let Self { compiled, index, room } = self;
        let patterns = &compiled.patterns;
        if let Some(own) = compiled.program(payload.vendor, payload.msgtype) {
            let message = payload.body.map(|body| (&*own.schema, body));
            if let Some(answer) = own.program.run(payload, message, patterns, index, room) {
                return answer;
            }
        }
        compiled.fieldless.run(payload, None, patterns, index, room).unwrap_or(false)
    }
}

impl Filter for Matcher {
    fn filter(&mut self, candidate: &mut Candidate<'_>) -> Result<Verdict, FilterFailed> {
        let matches = self.matches(&candidate.payload());
        Ok(if matches { Verdict::Declined } else { Verdict::Drop })
    }
}
