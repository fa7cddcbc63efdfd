//! Where a request's body ends, and the next head begins (RFC 9112 sections 6 and 7.1). What a body holds is
//! nothing to it.

use crate::head::Framing;

/// The longest line of a chunk's size with its extensions, or of a trailer.
const MAX_LINE: usize = 4 * 1024;

/// A body on its way.
#[derive(Debug)]
pub(crate) enum Body {
    /// So many bytes are left.
    Length(u64),
    /// In chunks.
    Chunked(Chunks),
}

/// Chunks on their way.
#[derive(Debug, Default)]
pub(crate) struct Chunks {
    place: Place,
    line: Vec<u8>,
}

#[derive(Debug, Clone, Copy, Default)]
enum Place {
    #[default]
    Size,
    /// So many bytes are left of a chunk.
    Data(u64),
    /// The end of a chunk's line.
    DataEnd,
    Trailers,
}

/// The chunks are none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BadChunk;

impl Body {
    pub(crate) fn new(framing: Framing) -> Self {
        match framing {
            Framing::Length(length) => Self::Length(length),
            Framing::Chunked => Self::Chunked(Chunks::default()),
        }
    }

    /// How many of these bytes are the body's, and whether it ends with them.
    pub(crate) fn take(&mut self, bytes: &[u8]) -> Result<(usize, bool), BadChunk> {
        match self {
            Self::Length(left) => {
                let taken = skip(left, bytes.len());
                Ok((taken, *left == 0))
            }
            Self::Chunked(chunks) => chunks.take(bytes),
        }
    }
}

impl Chunks {
    fn take(&mut self, bytes: &[u8]) -> Result<(usize, bool), BadChunk> {
        let mut at = 0;
        while let Some(byte) = bytes.get(at).copied() {
            if let Place::Data(left) = &mut self.place {
                at += skip(left, bytes.len() - at);
                if *left == 0 {
                    self.place = Place::DataEnd;
                }
                continue;
            }
            at += 1;
            self.line.push(byte);
            if self.line.len() > MAX_LINE {
                return Err(BadChunk);
            }
            if byte == b'\n' && self.end_line()? {
                return Ok((at, true));
            }
        }
        Ok((at, false))
    }

    /// Whether the body ends with this line.
    fn end_line(&mut self) -> Result<bool, BadChunk> {
        let line = std::mem::take(&mut self.line);
        let line = line.strip_suffix(b"\r\n").ok_or(BadChunk)?;
        self.place = match self.place {
            Place::Size => match size(line).ok_or(BadChunk)? {
                0 => Place::Trailers,
                size => Place::Data(size),
            },
            Place::DataEnd if line.is_empty() => Place::Size,
            Place::Trailers if line.is_empty() => return Ok(true),
            Place::Trailers => Place::Trailers,
            Place::Data(_) | Place::DataEnd => return Err(BadChunk),
        };
        Ok(false)
    }
}

/// Leaves out as many as there are of so many bytes.
fn skip(left: &mut u64, there: usize) -> usize {
    let taken = usize::try_from(*left).map_or(there, |left| left.min(there));
    *left -= u64::try_from(taken).unwrap_or(*left);
    taken
}

/// The size at the beginning of a chunk's line, before its extensions.
fn size(line: &[u8]) -> Option<u64> {
    let size = line.split(|byte| *byte == b';').next()?.trim_ascii();
    let is_hex = !size.is_empty() && size.iter().all(u8::is_ascii_hexdigit);
    let digits = std::str::from_utf8(size).ok().filter(|_| is_hex)?;
    u64::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many bytes belong to a body that comes in pieces of so many; `None` where it does not end.
    fn length(mut body: Body, bytes: &[u8], size: usize) -> Result<Option<usize>, BadChunk> {
        let mut length = 0;
        for piece in bytes.chunks(size) {
            let (taken, is_over) = body.take(piece)?;
            length += taken;
            if is_over {
                return Ok(Some(length));
            }
            assert_eq!(taken, piece.len());
        }
        Ok(None)
    }

    #[test]
    fn a_body_ends_where_its_length_or_its_last_chunk_says() {
        let chunked = b"5\r\nab\r\nc\r\n0A;x=\"y\"\r\n0123456789\r\n0\r\nAfter: 1\r\n\r\nGET";
        for size in 1..chunked.len() {
            let body = Body::new(Framing::Chunked);
            assert_eq!(length(body, chunked, size), Ok(Some(chunked.len() - 3)));
            let body = Body::new(Framing::Length(7));
            assert_eq!(length(body, chunked, size), Ok(Some(7)));
        }
        assert_eq!(
            length(Body::new(Framing::Chunked), &chunked[..20], 3),
            Ok(None)
        );
    }

    #[test]
    fn chunks_that_are_none_are_found() {
        let long = format!("1;{}", "x".repeat(MAX_LINE));
        for bytes in [
            "zz\r\n",
            "\r\n",
            "-1\r\n",
            "1\n",
            "1\r\nab\r\n",
            "1 1\r\n",
            "ffffffffffffffffff\r\n",
            &long,
        ] {
            for size in [1, bytes.len()] {
                let body = Body::new(Framing::Chunked);
                assert_eq!(
                    length(body, bytes.as_bytes(), size),
                    Err(BadChunk),
                    "{bytes:?}"
                );
            }
        }
    }
}
