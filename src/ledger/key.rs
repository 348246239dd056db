use std::fmt;

use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use aws_lc_rs::hmac;
use zeroize::Zeroizing;

use super::checkpoint::{NoteError, NoteKey, SignedCheckpoint, Signer};
use super::tree::Hash;

/// What a ledger is written with. It signs the checkpoints; and it stamps each row, so that whoever has it can tell the very
/// row that somebody without it has changed, even where all hashes were computed anew.
pub struct LedgerKey {
    signer: Signer,
    entries: hmac::Key,
    checkpoints: hmac::Key,
}

/// The keys of a ledger: the one that it is written with now, those that it was written with before, and of those whose
/// secret was destroyed since, what checks their signatures.
#[derive(Debug)]
pub struct LedgerKeys {
    current: LedgerKey,
    former: Vec<LedgerKey>,
    destroyed: Vec<NoteKey>,
}

/// What a row is stamped with: HMAC-SHA256.
pub type Stamp = [u8; 32];

impl LedgerKey {
    /// The key of a ledger with this name, from its seed.
    ///
    /// # Errors
    /// If a note cannot hold such a name, or no key can be made of the seed.
    pub fn new(name: &str, seed: &[u8; 32]) -> Result<Self, NoteError> {
        let root = Salt::new(HKDF_SHA256, b"heyan ledger").extract(seed);
        let derive = |purpose: &[u8]| {
            let mut derived = Zeroizing::new([0; 32]);
            let filled = root.expand(&[purpose], Length).and_then(|okm| okm.fill(&mut *derived));
            filled.map(|()| hmac::Key::new(hmac::HMAC_SHA256, &*derived)).map_err(|_| NoteError::Key)
        };
        Ok(Self {
            signer: Signer::new(name, seed)?,
            entries: derive(b"entries")?,
            checkpoints: derive(b"checkpoints")?,
        })
    }

    /// What checks its signatures.
    #[must_use]
    pub fn public(&self) -> &NoteKey {
        self.signer.key()
    }

    /// Signs the head of a tree.
    #[must_use]
    pub fn sign(&self, size: u64, root: Hash) -> SignedCheckpoint {
        self.signer.sign(size, root)
    }

    /// The stamp of an entry in its place.
    #[must_use]
    pub fn stamp_entry(&self, index: u64, leaf: &Hash) -> Stamp {
        let mut content = [0; 40];
        content[..8].copy_from_slice(&index.to_be_bytes());
        content[8..].copy_from_slice(leaf);
        stamp(hmac::sign(&self.entries, &content))
    }

    /// The stamp of a checkpoint in its place.
    #[must_use]
    pub fn stamp_checkpoint(&self, number: u64, note: &str) -> Stamp {
        let mut context = hmac::Context::with_key(&self.checkpoints);
        context.update(&number.to_be_bytes());
        context.update(note.as_bytes());
        stamp(context.sign())
    }
}

impl LedgerKeys {
    /// A ledger's keys.
    #[must_use]
    pub fn new(current: LedgerKey, former: Vec<LedgerKey>, destroyed: Vec<NoteKey>) -> Self {
        Self { current, former, destroyed }
    }

    /// What is written now is written with this one.
    #[must_use]
    pub fn current(&self) -> &LedgerKey {
        &self.current
    }

    /// All that there are, the current one first.
    pub fn all(&self) -> impl Iterator<Item = &LedgerKey> {
        std::iter::once(&self.current).chain(&self.former)
    }

    /// What checks signatures of all times.
    pub fn public(&self) -> impl Iterator<Item = &NoteKey> {
        self.all().map(LedgerKey::public).chain(&self.destroyed)
    }
}

struct Length;

impl KeyType for Length {
    fn len(&self) -> usize {
        32
    }
}

fn stamp(tag: hmac::Tag) -> Stamp {
    let mut stamp = Stamp::default();
    stamp.copy_from_slice(tag.as_ref());
    stamp
}

impl fmt::Debug for LedgerKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "LedgerKey({}, …)", self.public())
    }
}
