use std::fmt::Write as _;

use qrcode::{Color, EcLevel, QrCode};

/// A QR code (ISO/IEC 18004), of which 15 in a hundred modules may be spoilt (level M).
#[derive(Debug, Clone)]
pub struct Qr {
    modules: Vec<bool>,
    /// How many modules a side has.
    pub(super) side: usize,
}

/// The white frame around it, in modules (ISO/IEC 18004, section 6.3.8).
pub(super) const QUIET_ZONE: usize = 4;

impl Qr {
    /// The code of a text. `None`: the text is longer than any code holds.
    pub(super) fn new(text: &str) -> Option<Self> {
        let code = QrCode::with_error_correction_level(text, EcLevel::M).ok()?;
        let side = code.width();
        let modules = code.into_colors().into_iter().map(|colour| colour == Color::Dark).collect();
        Some(Self { modules, side })
    }

    /// Its dark parts, each a row, a column and so many modules from there to the right: where they touch, no hairline may be
    /// seen between them.
    pub(super) fn bars(&self) -> impl Iterator<Item = (usize, usize, usize)> + '_ {
        self.modules.chunks(self.side).enumerate().flat_map(|(row, modules)| {
            let mut start = 0;
            modules.chunk_by(|one, other| one == other).filter_map(move |bar| {
                let column = start;
                start += bar.len();
                bar.first().is_some_and(|dark| *dark).then_some((row, column, bar.len()))
            })
        })
    }

    /// How many modules a side has, with the white frame.
    #[must_use]
    pub fn extent(&self) -> usize {
        self.side + 2 * QUIET_ZONE
    }

    /// Its dark parts as a path (SVG 2 section 9.3), a module being 1 wide and the frame being around it.
    #[must_use]
    pub fn path(&self) -> String {
        let mut path = String::new();
        for (row, column, length) in self.bars() {
            // Writing to a string cannot fail.
            let _ = write!(path, "M{} {}h{length}v1h-{length}z", column + QUIET_ZONE, row + QUIET_ZONE);
        }
        path
    }
}
