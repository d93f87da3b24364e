//! Sources, sinks and the engine between them.
//!
//! Payloads travel in [`Batch`]es, never one by one: a source reads a piece of its input, a
//! decoder turns it into a batch, the engine deals the batch's payloads to outputs by position,
//! and each output renders or packs its share and writes it. Order is kept from every source to
//! every output. The [`Ledger`] says what became of each payload.
//!
//! | type | what it is |
//! |---|---|
//! | [`Engine`] | the whole: sources, outputs, settings, [`Engine::run`] |
//! | [`Source`], [`FileSource`], [`UdpSource`], [`ZmqSource`] | where payloads come from |
//! | [`CaptureFileSource`], [`CaptureInterfaceSource`] | packets that become payloads |
//! | [`Output`], [`Sink`], [`UdpSink`], [`ZmqSink`] | where payloads go |
//! | [`PayloadFilter`], [`Engine::condition`], [`Engine::filter_chain`] | which of them pass |
//! | [`Observer`], [`Voice`] | are told what goes wrong |
//! | [`MetricsServer`] | shows the ledger of a run in progress to Prometheus |
//! | [`Outcome`], [`Ledger`] | how the run went |
//!
//! Knows nothing of command lines.

pub mod address;
mod batch;
mod deal;
mod decode;
mod engine;
mod fault;
mod feed;
pub mod fuzzing;
mod json_lines;
#[cfg(feature = "kafka")]
mod kafka;
#[cfg(feature = "kafka")]
mod keyed;
mod lane;
mod ledger;
mod lines;
mod metrics;
mod observer;
mod output;
mod pace;
mod parallel;
mod pool;
mod presentation_lines;
mod queue;
mod rate;
mod receipt;
mod render;
pub mod rotate;
mod run;
#[cfg(test)]
mod scratch;
mod several;
mod sift;
mod source;
mod voice;
mod zmq;

pub use batch::{Arrival, Batch, DecodeTally, Selection, Span};
pub use deal::{Deal, Dealer, Dealt};
pub use decode::{AnyOf, PayloadFilter};
pub use engine::{Engine, Outcome};
pub use fault::{Fault, FaultKind, Problem, RecordPosition};
#[cfg(feature = "kafka")]
pub use kafka::{KafkaFormat, KafkaVoice};
pub use ledger::{CaptureAccount, InputAccount, Ledger, OutputAccount, RecordAccount};
pub use metrics::{MetricsBoard, MetricsServer, MetricsSocket};
pub use observer::Observer;
pub use output::{
    Closed, FileSink, Framing, LARGEST_DATAGRAM_V4, LARGEST_DATAGRAM_V6, Notice, Output,
    OutputFormat, Put, SharedRate, Sink, Standing, UdpSink, ZmqSink, datagram_buffer,
};
#[cfg(feature = "kafka")]
pub use output::{KafkaPieces, KafkaSink};
pub use rate::RateLimiter;
pub use receipt::Receipts;
pub use run::End;
#[cfg(feature = "kafka")]
pub use source::KafkaSource;
pub use source::{
    CaptureError, CaptureFileSource, CaptureInterfaceSource, CaptureSettings, Event, FileFormat,
    FileSource, RawBatch, RawKind, RawPiece, Source, SpareBuffers, UdpSource, ZmqSource,
};
pub use voice::Voice;
pub use zmq::ZmqOpenError;
