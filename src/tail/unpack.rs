//! Compressed content as a stream, within bounds: gzip (RFC 1952, any number of members) and zstd (RFC 8878, any
//! number of frames), told apart by their first bytes.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use flate2::bufread::MultiGzDecoder;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use super::Limits;

/// Up to here the ratio is not asked: a short log may well be one line a thousand times over.
const RATIO_FROM_BYTES: u64 = 64 << 20;

/// The largest window of a zstd frame, as RFC 8878 (3.1.1.1.2) recommends.
const ZSTD_WINDOW_BYTES: u64 = 8 << 20;

const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Why nothing more comes out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum End {
    /// Everything was there.
    Clean,
    /// It is cut off, or not what its name says: the reason.
    Damaged(String),
    /// It goes on for longer than is unpacked.
    TooLarge(String),
}

/// Reads a file from its start, wherever its descriptor stands.
pub(super) struct FromStart {
    file: Arc<File>,
    at: u64,
}

impl Read for FromStart {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.file.read_at(buffer, self.at)?;
        self.at += n as u64;
        Ok(n)
    }
}

enum Decoder {
    Gzip(Box<MultiGzDecoder<BufReader<FromStart>>>),
    Zstd(Box<Zstd>),
}

/// What comes out of one compressed file, from its start on.
pub(super) struct Unpacker {
    decoder: Decoder,
    /// Bytes of the file as it is, and bytes that came out of it.
    packed: u64,
    unpacked: u64,
    limits: Limits,
    pub end: Option<End>,
}

impl Unpacker {
    /// # Errors
    /// Those of reading the file.
    pub fn new(file: Arc<File>, limits: Limits) -> io::Result<Unpacker> {
        let packed = file.metadata()?.len();
        let mut source = BufReader::new(FromStart { file, at: 0 });
        let decoder = match source.fill_buf()?.starts_with(&GZIP_MAGIC) {
            true => Decoder::Gzip(Box::new(MultiGzDecoder::new(source))),
            false => Decoder::Zstd(Box::new(Zstd::new(source))),
        };
        Ok(Unpacker { decoder, packed, unpacked: 0, limits, end: None })
    }

    /// Puts what comes next into the buffer; 0 at the end, of which [`Unpacker::end`] tells the kind.
    ///
    /// # Errors
    /// Those of the operating system: what is wrong with the content is an end.
    pub fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.end.is_some() {
            return Ok(0);
        }
        let read = match &mut self.decoder {
            Decoder::Gzip(gzip) => gzip.read(buffer),
            Decoder::Zstd(zstd) => zstd.read(buffer),
        };
        match read {
            Ok(n) if 0 < n => {
                self.unpacked += n as u64;
                self.end = self.excess();
                Ok(if self.end.is_some() { 0 } else { n })
            }
            Ok(_) => {
                self.end = Some(End::Clean);
                Ok(0)
            }
            Err(e) if e.kind() == io::ErrorKind::Interrupted => self.read(buffer),
            Err(e) if e.raw_os_error().is_some() => Err(e),
            Err(e) => {
                self.end = Some(End::Damaged(e.to_string()));
                Ok(0)
            }
        }
    }

    /// Bytes of the file that were not used yet.
    pub fn left(&self) -> u64 {
        let source = match &self.decoder {
            Decoder::Gzip(gzip) => gzip.get_ref(),
            Decoder::Zstd(zstd) => &zstd.source,
        };
        let used = source.get_ref().at.saturating_sub(source.buffer().len() as u64);
        self.packed.saturating_sub(used)
    }

    fn excess(&self) -> Option<End> {
        let Limits { unpacked_bytes, unpacked_ratio, .. } = self.limits;
        if unpacked_bytes < self.unpacked {
            return Some(End::TooLarge(format!("more than {unpacked_bytes} bytes come out of it")));
        }
        let most = self.packed.saturating_mul(unpacked_ratio).max(RATIO_FROM_BYTES);
        (most < self.unpacked).then(|| {
            let text = format!("more than {unpacked_ratio} times its {} bytes", self.packed);
            End::TooLarge(format!("{text} come out of it"))
        })
    }
}

/// Frames one after the other; those that are to be skipped are.
struct Zstd {
    source: BufReader<FromStart>,
    decoder: FrameDecoder,
    is_in_frame: bool,
}

impl Zstd {
    fn new(source: BufReader<FromStart>) -> Zstd {
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(ZSTD_WINDOW_BYTES);
        Zstd { source, decoder, is_in_frame: false }
    }

    fn begin_frame(&mut self) -> io::Result<()> {
        match self.decoder.reset(&mut self.source) {
            Ok(()) => self.is_in_frame = true,
            Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                length,
                ..
            })) => {
                io::copy(&mut self.source.by_ref().take(length.into()), &mut io::sink())?;
            }
            Err(e) => return Err(io::Error::other(e.to_string())),
        }
        Ok(())
    }

    fn end_frame(&mut self) -> io::Result<()> {
        self.is_in_frame = false;
        let told = self.decoder.get_checksum_from_data();
        if told.is_some() && told != self.decoder.get_calculated_checksum() {
            return Err(io::Error::other("its checksum is another"));
        }
        Ok(())
    }

    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if !self.is_in_frame {
                if self.source.fill_buf()?.is_empty() {
                    return Ok(0);
                }
                self.begin_frame()?;
            } else if 0 < self.decoder.can_collect() {
                return self.decoder.read(buffer);
            } else if self.decoder.is_finished() {
                self.end_frame()?;
            } else {
                let one = BlockDecodingStrategy::UptoBlocks(1);
                self.decoder
                    .decode_blocks(&mut self.source, one)
                    .map_err(|e| io::Error::other(e.to_string()))?;
            }
        }
    }
}

#[cfg(test)]
mod tests;
