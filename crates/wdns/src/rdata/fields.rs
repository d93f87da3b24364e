//! The cursor over record data, alone or inside a message.

use crate::name::{self, ChainEnds, NameBuf};
use crate::{Error, TextBuffer};

/// Record data that is read piece by piece.
#[derive(Clone, Copy)]
pub(crate) struct Fields<'a> {
    /// The message, or the record data alone.
    octets: &'a [u8],
    at: usize,
    end: usize,
    /// Names may be compressed and lead anywhere before themselves in `octets`.
    in_message: bool,
    chains: Option<&'a ChainEnds>,
}

impl<'a> Fields<'a> {
    /// Record data alone, in which names have no compression.
    pub(crate) fn alone(rdata: &'a [u8]) -> Self {
        Self { octets: rdata, at: 0, end: rdata.len(), in_message: false, chains: None }
    }

    /// Record data at `at..end` of a message.
    pub(crate) fn in_message(
        message: &'a [u8],
        at: usize,
        end: usize,
        chains: Option<&'a ChainEnds>,
    ) -> Self {
        Self { octets: message, at, end, in_message: true, chains }
    }

    /// What was not read yet.
    #[inline(always)]
    pub(crate) fn rest(&self) -> &'a [u8] {
        &self.octets[self.at..self.end]
    }

    #[inline(always)]
    pub(crate) fn is_empty(&self) -> bool {
        self.at == self.end
    }

    /// The next `n` octets; `None` when there are fewer.
    #[inline(always)]
    pub(crate) fn take(&mut self, n: usize) -> Option<&'a [u8]> {
        let taken = self.rest().get(..n)?;
        self.at += n;
        Some(taken)
    }

    /// The next `N` octets; `None` when there are fewer.
    #[inline(always)]
    pub(crate) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let array = *self.rest().first_chunk::<N>()?;
        self.at += N;
        Some(array)
    }

    #[inline(always)]
    pub(crate) fn u8(&mut self) -> Option<u8> {
        self.array().map(|[octet]| octet)
    }

    #[inline(always)]
    pub(crate) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    #[inline(always)]
    pub(crate) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    /// A length octet and as many octets; `None` when there are fewer.
    #[inline(always)]
    pub(crate) fn counted(&mut self) -> Option<&'a [u8]> {
        let rest = self.rest();
        let counted = rest.get(1..1 + usize::from(*rest.first()?))?;
        self.at += 1 + counted.len();
        Some(counted)
    }

    /// Everything to the end.
    #[inline(always)]
    pub(crate) fn take_rest(&mut self) -> &'a [u8] {
        let rest = self.rest();
        self.at = self.end;
        rest
    }

    /// The next name when its labels lie together, so that it needs no room of its own.
    fn contiguous_name(&mut self) -> Option<&'a [u8]> {
        if self.in_message {
            let (name, consumed) = name::contiguous(self.octets, self.at)?;
            self.advance_over_name(consumed).ok()?;
            return Some(name);
        }
        self.take(name::uncompressed_len(self.rest()).ok()?)
    }

    /// The next name without compression; `room` is used where it has some.
    pub(crate) fn name<'n>(&mut self, room: &'n mut NameBuf) -> Result<&'n [u8], Error>
    where
        'a: 'n,
    {
        if let Some(name) = self.contiguous_name() {
            return Ok(name);
        }
        if self.in_message {
            let read = name::unpack_with(self.octets, self.at, self.chains, room)?;
            self.advance_over_name(read.consumed)?;
            return Ok(room.as_bytes());
        }
        let len = name::uncompressed_len(self.rest())?;
        self.take(len).ok_or(Error::OutOfBounds)
    }

    /// Appends the text of the next name; as the inside of a JSON string with `JSON`.
    #[inline]
    pub(crate) fn write_name<const JSON: bool>(
        &mut self,
        out: &mut TextBuffer,
    ) -> Result<(), Error> {
        let written = if self.in_message {
            name::write_together::<JSON>(out, self.octets, self.at, self.end)
        } else {
            name::write_plain::<JSON>(out, self.octets, self.at, self.end)
        };
        match written {
            Some(consumed) => self.at += consumed,
            None => self.write_unusual_name::<JSON>(out)?,
        }
        Ok(())
    }

    #[inline(never)]
    fn write_unusual_name<const JSON: bool>(&mut self, out: &mut TextBuffer) -> Result<(), Error> {
        name::write::<JSON>(out, self.name(&mut NameBuf::new())?);
        Ok(())
    }

    /// Steps over the next name and returns the length of its chains of pointers.
    #[inline]
    pub(crate) fn skip_name(&mut self) -> Result<usize, Error> {
        let read = name::resolve(self.octets, self.at, self.chains)?;
        self.advance_over_name(read.consumed)?;
        Ok(read.hops)
    }

    fn advance_over_name(&mut self, consumed: usize) -> Result<(), Error> {
        if consumed > self.end - self.at {
            return Err(Error::OutOfBounds);
        }
        self.at += consumed;
        Ok(())
    }
}
