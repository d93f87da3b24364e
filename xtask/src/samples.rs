//! Sample files: small ones for the repository, large ones for measurements.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use nmsg::container::{ContainerBuilder, Deflater, Fullness, MAX_BUFFER};
use nmsg::{MsgType, Payload, Timestamp, VendorId};
use nmsg_capture::LinkType;
use nmsg_capture::savefile::{Precision, Writer};

use crate::packets::ethernet;
use crate::traffic::{Exchange, Traffic};

/// Seed of everything that is generated.
const SEED: u64 = 0x6e6d_7367;

/// A kind of record that [`Traffic`] can make.
#[derive(Clone, Copy)]
struct Kind {
    vendor: u32,
    msgtype: u32,
    make: fn(&mut Traffic, &mut Vec<u8>),
}

const DNSDEDUPE: Kind = Kind { vendor: 2, msgtype: 1, make: Traffic::dnsdedupe };
const DNSQR: Kind = Kind { vendor: 1, msgtype: 9, make: Traffic::dnsqr };
const IPCONN: Kind = Kind { vendor: 1, msgtype: 5, make: Traffic::ipconn };
const HTTP: Kind = Kind { vendor: 1, msgtype: 4, make: Traffic::http };
const LOGLINE: Kind = Kind { vendor: 1, msgtype: 6, make: Traffic::logline };

/// Writes `samples/`: a few thousand records of several types, plain and compressed.
pub(crate) fn write(directory: &Path) -> io::Result<()> {
    fs::create_dir_all(directory)?;
    let mixed = [DNSDEDUPE, DNSQR, DNSDEDUPE, IPCONN, HTTP, DNSDEDUPE, LOGLINE];
    for (name, kinds, count, zlib) in [
        ("mixed.nmsg", &mixed[..], 2_100, false),
        ("dnsdedupe.nmsg", &[DNSDEDUPE], 2_000, false),
        ("dnsdedupe-zlib.nmsg", &[DNSDEDUPE], 2_000, true),
        ("dnsqr-zlib.nmsg", &[DNSQR], 1_000, true),
    ] {
        write_file(&directory.join(name), kinds, count, zlib)?;
    }
    Ok(())
}

/// Writes the files that measurements run on, unless they are there already.
pub(crate) fn write_large(directory: &Path) -> io::Result<()> {
    fs::create_dir_all(directory)?;
    for (name, kind, count) in
        [("dnsdedupe.nmsg", DNSDEDUPE, 1_000_000), ("dnsqr.nmsg", DNSQR, 300_000)]
    {
        let path = directory.join(name);
        if !path.exists() {
            write_file(&path, &[kind], count, false)?;
        }
    }
    for (name, frames) in [
        ("dns.pcap", (|emit| exchanges(585_000, emit)) as fn(Frames<'_>) -> io::Result<()>),
        ("unanswered.pcap", queries_alone),
        ("one-key.pcap", one_query),
    ] {
        let path = directory.join(name);
        if !path.exists() {
            write_capture(&path, frames)?;
        }
    }
    Ok(())
}

/// Writes the files that instructions are counted on, with this many records or frames each.
pub(crate) fn write_small(directory: &Path, count: usize) -> io::Result<()> {
    fs::create_dir_all(directory)?;
    for (name, kind) in [("dnsdedupe.nmsg", DNSDEDUPE), ("dnsqr.nmsg", DNSQR)] {
        write_file(&directory.join(name), &[kind], count, false)?;
    }
    write_capture(&directory.join("dns.pcap"), |emit| exchanges(count, emit))
}

/// Takes frames with their times, in nanoseconds.
type Frames<'f> = &'f mut dyn FnMut(u64, &[u8]) -> io::Result<()>;

fn write_capture(path: &Path, frames: impl Fn(Frames<'_>) -> io::Result<()>) -> io::Result<()> {
    let out = BufWriter::new(File::create(path)?);
    let mut writer = Writer::new(out, LinkType::ETHERNET, 65_535, Precision::Microseconds)?;
    frames(&mut |time, packet| {
        let (sec, nsec) = ((time / 1_000_000_000) as i64, (time % 1_000_000_000) as u32);
        writer.write(Timestamp { sec, nsec }, &ethernet(packet))
    })?;
    writer.into_inner().flush()
}

/// Frames: queries and their responses as they overlap at a busy resolver. Some queries are
/// sent twice, some stay without response.
fn exchanges(count: usize, emit: Frames<'_>) -> io::Result<()> {
    let mut traffic = Traffic::new(SEED);
    let mut waiting = BinaryHeap::new();
    let mut left = count;
    while left > 0 {
        traffic.tick();
        let Exchange { query_packet, response_packet, time, delay, .. } = traffic.exchange();
        if delay > 1_000_000 && delay % 50 == 0 {
            waiting.push(Reverse((time + delay / 2, query_packet.clone())));
        }
        if delay % 40 != 1 {
            waiting.push(Reverse((time + delay, response_packet)));
        }
        waiting.push(Reverse((time, query_packet)));
        while let Some(Reverse((due, _))) = waiting.peek()
            && *due <= time
            && left > 0
            && let Some(Reverse((due, packet))) = waiting.pop()
        {
            emit(due, &packet)?;
            left -= 1;
        }
    }
    Ok(())
}

/// Half a million queries within a minute, none of them answered: more than are kept.
fn queries_alone(emit: Frames<'_>) -> io::Result<()> {
    let mut traffic = Traffic::new(SEED);
    for _ in 0..500_000 {
        traffic.tick();
        let exchange = traffic.exchange();
        emit(exchange.time, &exchange.query_packet)?;
    }
    Ok(())
}

/// One query, ten thousand times.
fn one_query(emit: Frames<'_>) -> io::Result<()> {
    let mut traffic = Traffic::new(SEED);
    let query = traffic.exchange().query_packet;
    for _ in 0..10_000 {
        traffic.tick();
        let time = traffic.exchange().time;
        emit(time, &query)?;
    }
    Ok(())
}

fn write_file(path: &Path, kinds: &[Kind], count: usize, zlib: bool) -> io::Result<()> {
    let mut out = BufWriter::new(File::create(path)?);
    let mut traffic = Traffic::new(SEED);
    let mut builder = ContainerBuilder::new(MAX_BUFFER, false);
    let mut deflater = Deflater::new();
    let mut body = Vec::new();
    let mut flush = |builder: &mut ContainerBuilder| {
        let container =
            if zlib { builder.finish_zlib(None, &mut deflater) } else { builder.finish(None) };
        out.write_all(container.map_err(io::Error::other)?)?;
        builder.clear();
        io::Result::Ok(())
    };
    for (_, kind) in (0..count).zip(kinds.iter().cycle()) {
        let (sec, nsec) = traffic.tick();
        body.clear();
        (kind.make)(&mut traffic, &mut body);
        let payload = Payload {
            vendor: VendorId(kind.vendor),
            msgtype: MsgType(kind.msgtype),
            time: Timestamp { sec, nsec },
            source: Some(0xa1ba_02cf),
            body: Some(&body),
            ..Payload::default()
        };
        if builder.add(&payload, None).map_err(io::Error::other)? == Fullness::Full {
            flush(&mut builder)?;
            builder.add(&payload, None).map_err(io::Error::other)?;
        }
    }
    flush(&mut builder)?;
    out.flush()
}
