use libdeflater::{CompressionLvl, DecompressionError, Decompressor};

use crate::Limits;
use crate::error::{Error, InflateFault};

/// Octets in front of a zlib stream that tell the size of what it inflates to.
const PREFIX: usize = 4;

/// Most octets that one octet of a deflate stream can become: 258 for every two bits.
const MOST_PER_OCTET: u64 = 1032;

/// Inflates container bodies. Keep one per thread: it is costly to make and has no state between
/// two bodies, whatever happened to the first (`decisions` CZ-2).
pub struct Inflater {
    decompressor: Decompressor,
}

impl Default for Inflater {
    fn default() -> Self {
        Self::new()
    }
}

impl Inflater {
    /// Makes an inflater.
    #[must_use]
    pub fn new() -> Self {
        Self { decompressor: Decompressor::new() }
    }

    /// Most octets that a body can inflate to: what it declares, or what a stream of its length can at most
    /// become.
    #[must_use]
    #[inline]
    pub fn bound(body: &[u8]) -> usize {
        body.split_first_chunk::<PREFIX>().map_or(0, |(prefix, stream)| {
            let most = stream.len() as u64 * MOST_PER_OCTET;
            most.min(u32::from_be_bytes(*prefix).into()) as usize
        })
    }

    /// Inflates a body (size prefix and zlib stream) into `out`, whose content is replaced and
    /// whose memory is used again. Octets behind the stream are ignored (`decisions` CZ-1).
    ///
    /// Memory is bounded by the declared size, by the limits, and by what a stream of this length
    /// could possibly become, whichever is least.
    ///
    /// # Errors
    ///
    /// No prefix, too large for the limits, not a zlib stream, or not exactly the declared size;
    /// `out` is empty then.
    pub fn inflate(
        &mut self,
        body: &[u8],
        out: &mut Vec<u8>,
        limits: &Limits,
    ) -> Result<(), Error> {
        let inflated = self.inflate_exactly(body, out, limits);
        if inflated.is_err() {
            out.clear();
        }
        inflated
    }

    fn inflate_exactly(
        &mut self,
        body: &[u8],
        out: &mut Vec<u8>,
        limits: &Limits,
    ) -> Result<(), Error> {
        let Some((prefix, stream)) = body.split_first_chunk::<PREFIX>() else {
            return Err(Error::inflate(InflateFault::NoPrefix));
        };
        let declared = u32::from_be_bytes(*prefix);
        if declared > limits.inflated_body {
            return Err(Error::too_large(declared.into(), limits.inflated_body.into()));
        }
        if u64::from(declared) > stream.len() as u64 * MOST_PER_OCTET {
            return Err(Error::inflate(InflateFault::TooShort));
        }
        let declared = declared as usize;
        out.resize(declared, 0);
        match self.decompressor.zlib_decompress(stream, out) {
            Ok(inflated) if inflated == declared => Ok(()),
            Ok(_) => Err(Error::inflate(InflateFault::TooShort)),
            Err(DecompressionError::InsufficientSpace) => {
                Err(Error::inflate(InflateFault::TooLong))
            }
            Err(DecompressionError::BadData) => Err(Error::inflate(InflateFault::Corrupt)),
        }
    }
}

impl std::fmt::Debug for Inflater {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inflater").finish_non_exhaustive()
    }
}

/// Octets of a body from which on our own encoder is asked: with less behind it, it needs more octets.
const RECORDS: usize = 32 << 10;

/// zlib level of bodies that do not suit our own encoder (`decisions` CW-10).
const LEVEL: i32 = 6;

/// Compresses container bodies at about the ratio of zlib's level 6 (`decisions` CW-10). Keep one per thread: it is
/// costly to make.
pub struct Deflater {
    compressor: nmsg_deflate::Compressor,
    /// For bodies that do not suit the first one, made when the first of them comes.
    other: Option<libdeflater::Compressor>,
}

impl Default for Deflater {
    fn default() -> Self {
        Self::new()
    }
}

impl Deflater {
    /// Makes a deflater.
    #[must_use]
    pub fn new() -> Self {
        Self { compressor: nmsg_deflate::Compressor::new(), other: None }
    }

    /// Appends size prefix and zlib stream for `body` to `out`.
    ///
    /// # Errors
    ///
    /// Too large when the size of the body does not fit the prefix's 32 bits.
    pub fn deflate(&mut self, body: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
        let Ok(size) = u32::try_from(body.len()) else {
            return Err(Error::too_large(body.len() as u64, u32::MAX.into()));
        };
        out.extend_from_slice(&size.to_be_bytes());
        if body.len() < RECORDS || self.compressor.compress_zlib(body, out).is_err() {
            self.deflate_otherwise(body, out);
        }
        Ok(())
    }

    fn deflate_otherwise(&mut self, body: &[u8], out: &mut Vec<u8>) {
        let other = self.other.get_or_insert_with(|| {
            libdeflater::Compressor::new(CompressionLvl::new(LEVEL).unwrap_or_default())
        });
        let start = out.len();
        let bound = other.zlib_compress_bound(body.len());
        out.resize(start + bound, 0);
        // The only failure is too little space, and the bound rules that out.
        let len = other.zlib_compress(body, &mut out[start..]).unwrap_or(0);
        debug_assert_ne!(len, 0, "the bound of the compressor holds");
        out.truncate(start + len);
    }
}

impl std::fmt::Debug for Deflater {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Deflater").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    fn deflated(body: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        Deflater::new().deflate(body, &mut out).unwrap();
        out
    }

    fn inflated(body: &[u8]) -> Result<Vec<u8>, ErrorKind> {
        let mut out = b"old content".to_vec();
        match Inflater::new().inflate(body, &mut out, &Limits::default()) {
            Ok(()) => Ok(out),
            Err(error) => {
                assert!(out.is_empty());
                Err(error.kind())
            }
        }
    }

    fn with_size(mut body: Vec<u8>, size: u32) -> Vec<u8> {
        body[..PREFIX].copy_from_slice(&size.to_be_bytes());
        body
    }

    #[test]
    fn cr_3_the_bound_is_known_before_anything_is_inflated() {
        let body = deflated(&[0; 5000]);
        for (name, body, want) in [
            ("nothing", &b""[..], 0),
            ("no prefix", b"\0\0\x01", 0),
            ("as declared", &body, 5000),
            ("4 GiB in two octets", b"\xff\xff\xff\xff\x78\x9c", 2064),
        ] {
            assert_eq!(Inflater::bound(body), want, "{name}");
        }
    }

    #[test]
    fn what_is_deflated_inflates() {
        let noise: Vec<u8> = (0..100_000_u32).map(|n| (n.wrapping_mul(n) >> 7) as u8).collect();
        let prose: Vec<u8> = noise.iter().flat_map(|n| [b'a', n % 16, n % 3]).collect();
        let records: Vec<u8> = noise.chunks(6).flat_map(|n| [n, b"\x08\x01www"].concat()).collect();
        for body in [&b""[..], b"a", &[b'a'; 5000], &noise, &noise[..1], &prose, &records] {
            assert_eq!(inflated(&deflated(body)).as_deref(), Ok(body));
        }
        let stream = deflated(&[b'a'; 5000]);
        assert_eq!(stream[..6], *b"\0\0\x13\x88\x78\x9c", "size, then a zlib header of level 6");
    }

    #[test]
    fn cz_1_exactly_the_declared_size() {
        let body = deflated(b"exactly this");
        let fault = |fault| Err(ErrorKind::Inflate(fault));
        let mut corrupt = body.clone();
        *corrupt.last_mut().unwrap() ^= 1;
        for (name, octets, want) in [
            ("exact", body.clone(), Ok(b"exactly this".to_vec())),
            ("trailing octets", [&body[..], b"trailing"].concat(), Ok(b"exactly this".to_vec())),
            ("one less declared", with_size(body.clone(), 11), fault(InflateFault::TooLong)),
            ("nothing declared", with_size(body.clone(), 0), fault(InflateFault::TooLong)),
            ("one more declared", with_size(body.clone(), 13), fault(InflateFault::TooShort)),
            ("wrong Adler-32", corrupt, fault(InflateFault::Corrupt)),
            ("stream cut", body[..body.len() - 5].to_vec(), fault(InflateFault::Corrupt)),
            ("no stream", b"\0\0\0\x01".to_vec(), fault(InflateFault::TooShort)),
            ("no stream for nothing", b"\0\0\0\0".to_vec(), fault(InflateFault::Corrupt)),
            ("three octets", b"\0\0\0".to_vec(), fault(InflateFault::NoPrefix)),
            ("nothing", Vec::new(), fault(InflateFault::NoPrefix)),
        ] {
            assert_eq!(inflated(&octets), want, "{name}");
        }
    }

    #[test]
    fn cz_2_a_bad_body_leaves_no_trace() {
        let mut inflater = Inflater::new();
        let (mut out, limits) = (Vec::new(), Limits::default());
        let good = deflated(b"good");
        for cut in 0..good.len() {
            assert!(inflater.inflate(&good[..cut], &mut out, &limits).is_err(), "{cut} octets");
            inflater.inflate(&good, &mut out, &limits).unwrap();
            assert_eq!(out, b"good", "after a body of {cut} octets");
        }
    }

    #[test]
    fn cr_3_nothing_is_allocated_on_a_declared_size() {
        let (mut inflater, mut out, limits) = (Inflater::new(), Vec::new(), Limits::default());
        let huge = with_size(deflated(b"small"), u32::MAX);
        let error = inflater.inflate(&huge, &mut out, &limits).unwrap_err();
        let declared = u64::from(u32::MAX);
        assert_eq!(error.kind(), ErrorKind::TooLarge { declared, limit: 16 << 20 });
        let large = with_size(deflated(b"small"), 16 << 20);
        let error = inflater.inflate(&large, &mut out, &limits).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Inflate(InflateFault::TooShort));
        assert_eq!(out.capacity(), 0);

        // The densest stream there is: its size must pass the bound.
        let zeros = vec![0; 16 << 20];
        let dense = deflated(&zeros);
        assert!(dense.len() < 17_000);
        inflater.inflate(&dense, &mut out, &limits).unwrap();
        assert_eq!(out, zeros);
        let bomb = with_size(dense, 1000);
        let error = inflater.inflate(&bomb, &mut out, &limits).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Inflate(InflateFault::TooLong));
    }
}
