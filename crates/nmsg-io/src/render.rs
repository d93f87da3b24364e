use nmsg::{Aliases, JsonWriter, Labels, PresentationWriter, Registry};
use wdns::TextBuffer;

use crate::batch::{Batch, Selection};
use crate::fault::Fault;
#[cfg(feature = "kafka")]
use crate::keyed::KeyedJsonWriter;
use crate::output::OutputFormat;

/// Renders payloads as text. A pure function of batch and selection.
#[derive(Debug)]
pub(crate) enum TextRenderer<'r> {
    Json(JsonWriter<'r>),
    Presentation(PresentationWriter<'r>),
    #[cfg(feature = "kafka")]
    KeyedJson(Box<KeyedJsonWriter<'r>>),
}

/// What rendering a selection came to.
#[derive(Debug, Default)]
pub(crate) struct RenderTally {
    /// Payloads that are in the text.
    pub(crate) written: u64,
    /// Of those, fallback records.
    pub(crate) fallbacks: u64,
    /// Payloads that were left out.
    pub(crate) undecodable: u64,
    /// The first payload that cannot be shown.
    pub(crate) first_fault: Option<Fault>,
}

impl<'r> TextRenderer<'r> {
    /// A renderer for the format, if that is text.
    pub(crate) fn new(
        format: &OutputFormat,
        registry: &'r Registry,
        aliases: &'r Aliases,
        labels: Labels,
    ) -> Option<Self> {
        match format {
            OutputFormat::Nmsg { .. } => None,
            OutputFormat::Json => Some(Self::Json(JsonWriter::new(registry, aliases, labels))),
            OutputFormat::Presentation { endline } => {
                let writer = PresentationWriter::new(registry, aliases, labels, endline);
                Some(Self::Presentation(writer))
            }
            #[cfg(feature = "kafka")]
            OutputFormat::KeyedJson { field } => {
                let writer = KeyedJsonWriter::new(field, registry, aliases, labels);
                Some(Self::KeyedJson(Box::new(writer)))
            }
        }
    }

    /// Renders payloads of the selection until none is left or `out` holds `enough` octets; with
    /// `strict`, stops behind the first that cannot be shown.
    pub(crate) fn render(
        &mut self,
        batch: &Batch,
        selection: &mut Selection,
        out: &mut TextBuffer,
        enough: usize,
        strict: bool,
    ) -> RenderTally {
        let mut tally = RenderTally::default();
        while let Some(position) = selection.take_next() {
            let Some(payload) = batch.payload(position) else { break };
            let (rendered, falls_back) = match self {
                Self::Json(writer) => (writer.write(out, &payload), true),
                #[cfg(feature = "kafka")]
                Self::KeyedJson(writer) => (writer.write(out, &payload), true),
                Self::Presentation(writer) => (writer.write(out, &payload), false),
            };
            tally.written += 1;
            if let Err(reason) = rendered {
                if falls_back {
                    tally.fallbacks += 1;
                } else {
                    tally.written -= 1;
                    tally.undecodable += 1;
                }
                tally.first_fault.get_or_insert(Fault::Unrenderable {
                    vendor: payload.vendor,
                    msgtype: payload.msgtype,
                    reason,
                });
                if strict {
                    break;
                }
            }
            if out.len() >= enough {
                break;
            }
        }
        tally
    }

    /// Renders all payloads of the selection and notes where each record ends.
    pub(crate) fn render_marking(
        &mut self,
        batch: &Batch,
        selection: &mut Selection,
        out: &mut TextBuffer,
        ends: &mut Vec<usize>,
    ) -> RenderTally {
        let mut whole = RenderTally::default();
        while !selection.is_empty() {
            let start = out.len();
            let tally = self.render(batch, selection, out, start + 1, false);
            if out.len() > start {
                ends.push(out.len());
            }
            whole.written += tally.written;
            whole.fallbacks += tally.fallbacks;
            whole.undecodable += tally.undecodable;
            whole.first_fault = whole.first_fault.or(tally.first_fault);
        }
        whole
    }
}
