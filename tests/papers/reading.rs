//! Other programs, which read what we print. They are Debian's: poppler-utils and qpdf.

use std::io::Write as _;
use std::process::{Command, Stdio};

/// A paper on the disk for as long as it is read.
pub(crate) struct Paper(std::path::PathBuf);

impl Paper {
    /// A paper under a name that no other has.
    pub(crate) fn new(name: &str, bytes: &[u8]) -> Self {
        let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("papers");
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join(format!("{name}.pdf"));
        std::fs::File::create(&path).unwrap().write_all(bytes).unwrap();
        Self(path)
    }

    /// What can be selected on it, without what only parts lines.
    pub(crate) fn text(&self) -> String {
        squeezed(&self.run("pdftotext", &["-layout", "-enc", "UTF-8"], &["-"]))
    }

    /// How many pages it has, and what it says of itself.
    pub(crate) fn about(&self) -> String {
        self.run("pdfinfo", &[], &[])
    }

    /// Its structure, as it is read aloud.
    pub(crate) fn structure(&self) -> String {
        // It writes the titles of headings in another encoding than the text.
        String::from_utf8_lossy(&self.bytes("pdfinfo", &["-struct-text"], &[])).into_owned()
    }

    /// Whether another program finds it sound.
    pub(crate) fn is_sound(&self) -> bool {
        self.run("qpdf", &["--check"], &[]).contains("No syntax or stream encoding errors found")
    }

    /// What the QR codes say that can be seen on it.
    pub(crate) fn qr_codes(&self) -> Vec<String> {
        let image = self.bytes("pdftoppm", &["-gray", "-r", "150"], &[]);
        let (width, height, pixels) = graymap(&image);
        let mut image = rqrr::PreparedImage::prepare_from_greyscale(width, height, |x, y| pixels[y * width + x]);
        image.detect_grids().iter().map(|grid| grid.decode().unwrap().1).collect()
    }

    fn run(&self, program: &str, before: &[&str], after: &[&str]) -> String {
        String::from_utf8(self.bytes(program, before, after)).unwrap()
    }

    fn bytes(&self, program: &str, before: &[&str], after: &[&str]) -> Vec<u8> {
        let command = Command::new(program).args(before).arg(&self.0).args(after).stderr(Stdio::piped()).output();
        let output = command.unwrap_or_else(|error| panic!("{program}: {error} (Debian has it: poppler-utils, qpdf)"));
        assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    }
}

/// What the QR codes say that can be seen where a path is drawn (SVG 2 section 9.3), as a page has it.
pub(crate) fn drawn(qr: &heyan::papers::Qr) -> Vec<String> {
    const SCALE: usize = 4;
    let side = qr.extent() * SCALE;
    let mut pixels = vec![255_u8; side * side];
    for bar in qr.path().split('M').skip(1) {
        let (place, rest) = bar.split_once('h').unwrap();
        let (column, row) = place.split_once(' ').unwrap();
        let number = |text: &str| text.parse::<usize>().unwrap();
        let (left, top, length) = (number(column), number(row), number(rest.split('v').next().unwrap()));
        for y in top * SCALE..(top + 1) * SCALE {
            pixels[y * side + left * SCALE..y * side + (left + length) * SCALE].fill(0);
        }
    }
    let mut image = rqrr::PreparedImage::prepare_from_greyscale(side, side, |x, y| pixels[y * side + x]);
    image.detect_grids().iter().map(|grid| grid.decode().unwrap().1).collect()
}

/// A text without spaces and line breaks: where a line ends is no part of what it says.
pub(crate) fn squeezed(text: &str) -> String {
    text.chars().filter(|character| !character.is_whitespace()).collect()
}

/// A binary portable graymap (PGM): its width, its height, its pixels.
fn graymap(image: &[u8]) -> (usize, usize, &[u8]) {
    let mut fields = image.splitn(4, u8::is_ascii_whitespace);
    assert_eq!(fields.next(), Some(&b"P5"[..]));
    let mut number = || std::str::from_utf8(fields.next().unwrap()).unwrap().parse::<usize>().unwrap();
    let (width, height) = (number(), number());
    let pixels = fields.next().unwrap().strip_prefix(b"255\n").unwrap();
    (width, height, pixels)
}
