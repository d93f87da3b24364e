use nmsg::Timestamp;
use nmsg_capture::{Frame, LinkType};
use nmsg_os::pcap::{Capture, Interface, Statistics, library};
use nmsg_os::{Latch, Ready};
use std::io;
use std::time::{Duration, Instant};

use super::conversion::{Conversion, push_fault};
use super::{CaptureError, CaptureSettings, FULL, MOST_FRAMES};
use crate::batch::Batch;
use crate::fault::Fault;
use crate::rotate::time_since_1970;
use crate::source::{Event, RawBatch, RawKind, Source};

/// How often the kernel is asked what it dropped, and at most between two looks at the time of day.
const LOOK: Duration = Duration::from_secs(1);

/// A network interface whose packets become messages.
#[derive(Debug)]
pub struct CaptureInterfaceSource {
    name: String,
    capture: Capture,
    link: LinkType,
    conversion: Conversion,
    filter_text: Option<String>,
    /// What the kernel counted, as far as was told.
    statistics: Statistics,
    next_look: Instant,
    /// Why nothing more can be captured; told once everything that was captured is given out.
    failure: Option<io::Error>,
}

impl CaptureInterfaceSource {
    /// Starts capturing.
    ///
    /// # Errors
    ///
    /// See [`CaptureError`].
    pub fn open(interface: &Interface, settings: &CaptureSettings) -> Result<Self, CaptureError> {
        let library = library().map_err(CaptureError::Libpcap)?;
        let mut capture = Capture::open(library, interface).map_err(CaptureError::Interface)?;
        let link = LinkType(capture.link());
        let (converter, filter_text) = settings.converter(link)?;
        if let Some(text) = &filter_text {
            capture.set_filter(text).map_err(CaptureError::Interface)?;
        }
        Ok(Self {
            name: interface.name.clone(),
            capture,
            link,
            conversion: Conversion::new(converter),
            filter_text,
            statistics: Statistics::default(),
            next_look: Instant::now() + LOOK,
            failure: None,
        })
    }

    /// Returns the expression of the filter in full; `None` without one.
    #[must_use]
    pub fn filter_text(&self) -> Option<&str> {
        self.filter_text.as_deref()
    }

    /// Takes the frames that are there; returns their number.
    fn fill(&mut self, batch: &mut RawBatch) -> u32 {
        let mut frames = 0;
        while frames < MOST_FRAMES && batch.payloads.octets.len() < FULL {
            match self.capture.next_packet() {
                Ok(Some(packet)) => {
                    let (sec, microseconds) = packet.time;
                    let time = Timestamp { sec, nsec: microseconds.saturating_mul(1000) };
                    let (link, octets) = (self.link, packet.octets);
                    let frame = Frame { time, link, original_len: packet.original_len, octets };
                    self.conversion.frame(&frame, &mut batch.payloads);
                    batch.consumed += octets.len() as u64;
                    frames += 1;
                }
                Ok(None) => break,
                Err(error) => {
                    self.failure = Some(io::Error::other(error));
                    self.conversion.finish(&mut batch.payloads);
                    break;
                }
            }
        }
        frames
    }

    /// Tells about frames that were dropped since the last time.
    fn note_drops(&mut self, batch: &mut Batch) {
        let Ok(statistics) = self.capture.statistics() else { return };
        let before = std::mem::replace(&mut self.statistics, statistics);
        let lost = |statistics: &Statistics| statistics.dropped + statistics.interface_dropped;
        let frames = lost(&statistics).saturating_sub(lost(&before));
        if frames > 0 {
            push_fault(batch, Fault::DroppedFrames { frames });
        }
    }
}

fn now() -> Timestamp {
    let time = time_since_1970();
    Timestamp { sec: time.as_secs() as i64, nsec: time.subsec_nanos() }
}

impl Source for CaptureInterfaceSource {
    fn name(&self) -> &str {
        &self.name
    }

    fn kind(&self) -> RawKind {
        RawKind::Payloads
    }

    fn is_network(&self) -> bool {
        true
    }

    fn read(&mut self, batch: &mut RawBatch) -> io::Result<Event> {
        batch.clear();
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        let frames = self.fill(batch);
        let (now, payloads) = (now(), &mut batch.payloads);
        if self.conversion.next_deadline().is_some_and(|second| second <= now.sec) {
            self.conversion.expire(now, payloads);
        }
        if self.next_look <= Instant::now() {
            self.next_look = Instant::now() + LOOK;
            self.note_drops(payloads);
        }
        let is_idle = frames == 0 && payloads.is_empty() && payloads.problems.is_empty();
        if is_idle && self.failure.is_none() {
            return Ok(Event::Idle);
        }
        self.conversion.account(Some(self.statistics), payloads);
        Ok(Event::Batch)
    }

    fn wait(&mut self, latches: &[&Latch], until: Option<Instant>) -> io::Result<Ready> {
        let expiry = self.conversion.next_deadline().map(|second| {
            let second = Duration::from_secs(u64::try_from(second).unwrap_or(0));
            let left = second.saturating_sub(time_since_1970());
            // The clock may be set meanwhile.
            Instant::now() + left.min(LOOK)
        });
        self.capture.wait(latches, [until, expiry].into_iter().flatten().min())
    }

    fn finish(&mut self, batch: &mut RawBatch) {
        batch.clear();
        self.note_drops(&mut batch.payloads);
        self.conversion.finish(&mut batch.payloads);
        self.conversion.account(Some(self.statistics), &mut batch.payloads);
    }
}
