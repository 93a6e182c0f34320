//! Frames: four bytes of length, big-endian, then a message.

use bytes::{Buf, Bytes, BytesMut};

use crate::Error;

/// The longest frame: 16 MiB. A plan with its journeys and a second's tally are far below.
pub const FRAME_BYTES_MAX: usize = 16 << 20;

/// Takes frames out of a stream of bytes as they come.
#[derive(Debug, Default)]
pub struct Frames {
    buffer: BytesMut,
}

impl Frames {
    /// Adds bytes as they came.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole frame without its length, `None` when more bytes are needed.
    ///
    /// # Errors
    /// [`Error::FrameTooLong`], before the frame's bytes are waited for.
    pub fn next_frame(&mut self) -> Result<Option<Bytes>, Error> {
        let Some(prefix) = self.buffer.first_chunk::<4>() else { return Ok(None) };
        let length = u32::from_be_bytes(*prefix) as usize;
        if length > FRAME_BYTES_MAX {
            return Err(Error::FrameTooLong { length });
        }
        if self.buffer.len() < 4 + length {
            return Ok(None);
        }
        self.buffer.advance(4);
        Ok(Some(self.buffer.split_to(length).freeze()))
    }

    /// How many bytes there is room for, those that are held and others: fuzzing bounds it.
    #[cfg(any(test, feature = "fuzz"))]
    pub(crate) fn capacity(&self) -> usize {
        self.buffer.capacity()
    }
}

/// A message as a frame.
pub(crate) fn framed(message: &impl prost::Message) -> Result<Vec<u8>, Error> {
    let length = message.encoded_len();
    let prefix = u32::try_from(length)
        .ok()
        .filter(|_| length <= FRAME_BYTES_MAX)
        .ok_or(Error::MessageTooLong { length })?;
    let mut frame = Vec::with_capacity(4 + length);
    frame.extend_from_slice(&prefix.to_be_bytes());
    message.encode(&mut frame).map_err(|_| Error::MessageTooLong { length })?;
    Ok(frame)
}
