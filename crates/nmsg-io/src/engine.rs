use nmsg::filter::{FilterChain, Where};
use nmsg::{Aliases, Labels, Limits, Registry};
use nmsg_os::Latch;
use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::Duration;

use crate::decode::{DecodeSettings, Decoder, PayloadFilter};
use crate::feed::Feeder;
use crate::lane::{Lane, LaneSettings};
use crate::ledger::Ledger;
use crate::observer::Observer;
use crate::output::{Output, OutputFormat};
use crate::pace::Pace;
use crate::parallel::run_parallel;
use crate::pool::{Decoders, Pool, Worker};
use crate::receipt::ReceiptBook;
use crate::rotate::IntervalClock;
use crate::run::{End, Inline, Run, RunSettings};
use crate::several::run_several;
use crate::source::{RawKind, Source, SpareBuffers};

/// Inputs beyond which each is to hold as little as it can.
const MANY_INPUTS: usize = 8;

/// Moves payloads from sources to outputs.
///
/// ```
/// use nmsg_io::{Engine, FileFormat, FileSource, Output, OutputFormat};
/// # let dir = std::env::temp_dir().join(format!("nmsg-io-doc-{}", std::process::id()));
/// # std::fs::create_dir_all(&dir)?;
/// # let (day, text) = (dir.join("day.nmsg"), dir.join("day.json"));
/// # std::fs::write(&day, b"NMSG\0\x02\0\0\0\x22\x0a\x20\x08\x01\x10\x05\x18\xa5\xfa\xcd\xac\x06\x25\
/// #     \x06\0\0\0\x2a\x09\x0a\x04\x7f\0\0\x01\x10\x99\x42\x38\xd4\x87\xcb\x8d\x0a")?;
/// let outcome = Engine::new()
///     .source(FileSource::open(&day, FileFormat::Nmsg)?)
///     .output(Output::create(&text, OutputFormat::Json, None)?)
///     .run(&mut ());
/// assert_eq!(outcome.ledger.payloads_out(), 1);
/// # assert!(outcome.ledger.balances());
/// # std::fs::remove_dir_all(&dir)?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Default)]
pub struct Engine {
    registry: Arc<Registry>,
    aliases: Arc<Aliases>,
    limits: Limits,
    sources: Vec<(Box<dyn Source>, Option<NonZeroU64>)>,
    outputs: Vec<Output>,
    labels: Labels,
    filter: PayloadFilter,
    condition: Option<Where>,
    chain: Option<Box<dyn Fn(u64) -> FilterChain>>,
    count: Option<NonZeroU64>,
    interval: Option<IntervalClock>,
    rotating: bool,
    flush_interval: Option<Duration>,
    mirror: bool,
    unbuffered: bool,
    strict: bool,
    keeps_lines: bool,
    threads: usize,
    interrupt: Option<&'static Latch>,
}

/// How a run went.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Outcome {
    /// What became of every payload.
    pub ledger: Ledger,
    /// Why the run ended.
    pub end: End,
    /// True when a file or pipe could not be delivered whole.
    pub damaged: bool,
    /// True when an input could not be read to its end.
    pub input_failed: bool,
    /// True when an output could not be written or closed, other than for a gone reader.
    pub output_failed: bool,
    /// True when the reader of an output was gone.
    pub reader_gone: bool,
    /// True when an output took something that is known not to have arrived.
    pub undelivered: bool,
}

impl Engine {
    /// An engine that knows the built-in message types and no aliases.
    #[must_use]
    pub fn new() -> Self {
        Self { registry: Arc::new(Registry::builtin()), ..Self::default() }
    }

    /// Sets the message types that are known.
    #[must_use]
    pub fn registry(mut self, registry: Arc<Registry>) -> Self {
        self.registry = registry;
        self
    }

    /// Sets the names of operators and groups.
    #[must_use]
    pub fn aliases(mut self, aliases: Arc<Aliases>) -> Self {
        self.aliases = aliases;
        self
    }

    /// Sets what is spent on hostile input.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Adds an input.
    #[must_use]
    pub fn source(self, source: impl Source + 'static) -> Self {
        self.paced_source(source, None)
    }

    /// Adds an input that is read at so many octets a second, or as fast as it comes.
    #[must_use]
    pub fn paced_source(
        mut self,
        source: impl Source + 'static,
        octets_per_second: Option<NonZeroU64>,
    ) -> Self {
        self.sources.push((Box::new(source), octets_per_second));
        self
    }

    /// Adds an output. The order is that in which payloads are dealt.
    #[must_use]
    pub fn output(mut self, output: Output) -> Self {
        self.outputs.push(output);
        self
    }

    /// Sets the labels that every payload gets on its way out.
    #[must_use]
    pub fn labels(mut self, labels: Labels) -> Self {
        self.labels = labels;
        self
    }

    /// Sets which payloads pass.
    #[must_use]
    pub fn filter(mut self, filter: PayloadFilter) -> Self {
        self.filter = filter;
        self
    }

    /// Sets what must hold for payloads that [`Self::filter`] lets pass.
    #[must_use]
    pub fn condition(mut self, condition: Option<Where>) -> Self {
        self.condition = condition;
        self
    }

    /// Sets which filters are asked about the payloads that are left, in order. Each input has a
    /// chain of its own, which is made from the input's number, counted from 0. A filter that
    /// fails ends its input.
    #[must_use]
    pub fn filter_chain(mut self, chain: impl Fn(u64) -> FilterChain + 'static) -> Self {
        self.chain = Some(Box::new(chain));
        self
    }

    /// Ends the run when the output next in turn has so many payloads.
    #[must_use]
    pub fn count(mut self, count: Option<NonZeroU64>) -> Self {
        self.count = count;
        self
    }

    /// Ends the run when an interval is over.
    #[must_use]
    pub fn interval(mut self, interval: Option<IntervalClock>) -> Self {
        self.interval = interval;
        self
    }

    /// Sets whether count and interval start outputs anew that have files ([`Sink::rotates`]), and mean
    /// nothing to others, instead of ending the run.
    ///
    /// [`Sink::rotates`]: crate::Sink::rotates
    #[must_use]
    pub fn rotating(mut self, rotating: bool) -> Self {
        self.rotating = rotating;
        self
    }

    /// Sets how long payloads may wait in an output for others to share a container with; without, they
    /// wait until it is full.
    #[must_use]
    pub fn flush_interval(mut self, interval: Option<Duration>) -> Self {
        self.flush_interval = interval;
        self
    }

    /// Sets whether every payload goes to every output instead of to one in turn.
    #[must_use]
    pub fn mirror(mut self, mirror: bool) -> Self {
        self.mirror = mirror;
        self
    }

    /// Sets whether every payload is written at once.
    #[must_use]
    pub fn unbuffered(mut self, unbuffered: bool) -> Self {
        self.unbuffered = unbuffered;
        self
    }

    /// Sets whether the run ends at the first damage, unusable line or payload that cannot be shown.
    #[must_use]
    pub fn strict(mut self, strict: bool) -> Self {
        self.strict = strict;
        self
    }

    /// Sets whether unusable lines of text are handed to the observer with their fault.
    #[must_use]
    pub fn keep_lines(mut self, keep: bool) -> Self {
        self.keeps_lines = keep;
        self
    }

    /// Sets how many threads decode, render and make containers; the outputs are the same to the
    /// octet. Beside them there is one thread for each input that has to be waited for or is paced, and
    /// for presentation form. With one, or where every payload is written at once or the run is strict,
    /// a single input is read and written without threads, and so are any number of regular files.
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = threads;
        self
    }

    /// Sets the latch that ends the run: nothing more is read, what was read is written.
    #[must_use]
    pub fn interrupt(mut self, latch: Option<&'static Latch>) -> Self {
        self.interrupt = latch;
        self
    }

    /// Runs until all inputs have ended or there is a reason to stop; closes the outputs.
    pub fn run(self, observer: &mut dyn Observer) -> Outcome {
        let formats: Vec<OutputFormat> =
            self.outputs.iter().map(|output| output.format.clone()).collect();
        let receipts: Vec<_> = self.sources.iter().map(|(source, _)| source.receipts()).collect();
        // What workers have at hand is not followed from batch to output.
        let gives_receipts = receipts.iter().any(Option::is_some);
        let in_parallel = self.threads > 1 && !self.unbuffered && !self.strict && !gives_receipts;
        let makes_text = formats.iter().any(|format| !matches!(format, OutputFormat::Nmsg { .. }));
        let pool = in_parallel.then(|| Pool::new(self.threads, makes_text));
        let settings = LaneSettings {
            registry: &self.registry,
            aliases: &self.aliases,
            labels: self.labels,
            unbuffered: self.unbuffered,
            strict: self.strict,
            interrupt: self.interrupt,
            rotate_every: self.count.filter(|_| self.rotating),
            pool: pool.as_ref(),
            gives_receipts,
        };
        let encoders = || formats.iter().map(|format| settings.encoder(format)).collect();
        let outputs = self.outputs.into_iter().enumerate();
        let lanes = outputs.map(|(at, output)| Lane::new(at, output, settings)).collect();
        let names =
            self.sources.iter().map(|(source, _)| (source.name().to_owned(), source.is_network()));
        let run_settings = RunSettings {
            mirror: self.mirror,
            count: self.count.filter(|_| !self.rotating),
            strict: self.strict,
            interval: self.interval,
            rotating: self.rotating,
            flush_interval: self.flush_interval,
        };
        let mut run =
            Run::new(names.collect(), ReceiptBook::new(receipts), lanes, run_settings, observer);
        let finish = match Latch::new() {
            Ok(finish) => finish,
            Err(error) => {
                run.nothing_can_be_read(&error);
                return run.finish(None);
            }
        };
        let latches = [self.interrupt.unwrap_or(&finish), &finish];
        let decoding = DecodeSettings {
            filter: &self.filter,
            condition: self.condition.as_ref(),
            limits: &self.limits,
            registry: &self.registry,
            aliases: &self.aliases,
            keeps_lines: self.keeps_lines,
        };
        let feeders = self.sources.into_iter().enumerate().map(|(input, (source, rate))| Feeder {
            given_up: run.filter_input(input, self.chain.as_ref().map(|make| make(input as u64))),
            decoder: Decoder::new(source.kind(), decoding),
            source,
            pace: rate.map(Pace::new),
            latches,
        });
        let mut feeders: Vec<_> = feeders.collect();
        if feeders.len() > MANY_INPUTS {
            let spare = SpareBuffers::default();
            feeders.iter_mut().for_each(|feeder| feeder.source.save_memory(&spare));
        }
        if let Some(pool) = &pool {
            let kinds: Vec<RawKind> = feeders.iter().map(|feeder| feeder.source.kind()).collect();
            let worker = || Worker {
                pool,
                decoders: Decoders::new(&kinds, |kind| Decoder::new(kind, decoding)),
                encoders: encoders(),
            };
            let workers = (0..self.threads).map(|_| worker()).collect();
            run_parallel(&mut run, feeders, workers, pool, &finish);
            feeders = Vec::new();
        } else if let [feeder] = &mut *feeders {
            let ended = feeder.run(&mut Inline { run: &mut run, input: 0 });
            run.input_ended(0, ended);
        } else {
            let spare = Decoder::new(RawKind::Containers, decoding);
            feeders = run_several(&mut run, feeders, spare, &finish);
        }
        let outcome = run.finish(self.interrupt);
        feeders.into_iter().for_each(|feeder| feeder.source.close());
        outcome
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine")
            .field("sources", &self.sources.len())
            .field("outputs", &self.outputs)
            .finish_non_exhaustive()
    }
}
