//! Signed tree heads: the note of C2SP `signed-note`, holding the text of C2SP `tlog-checkpoint`, signed with Ed25519.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::tree::Hash;

/// What a signature is about: the tree of the first `size` entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Whose ledger it is.
    pub origin: String,
    /// How many entries there are.
    pub size: u64,
    /// The hash of the tree.
    pub root: Hash,
}

/// A checkpoint with the note that says so. It exists only if somebody signed it whose key is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedCheckpoint {
    /// What it says.
    pub checkpoint: Checkpoint,
    /// The note, as it is handed out.
    pub note: String,
}

/// Checks signatures of one key. Its text is what C2SP `signed-note` calls a verifier key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteKey {
    name: String,
    id: [u8; 4],
    public: [u8; 32],
}

/// Signs checkpoints.
pub struct Signer {
    key: NoteKey,
    pair: Ed25519KeyPair,
}

/// Why a note is not accepted, or a key is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// It is no signed note.
    #[error("it is no signed note (C2SP signed-note)")]
    Note,
    /// It is a note about something else.
    #[error("it is a signed note, but no checkpoint (C2SP tlog-checkpoint)")]
    Checkpoint,
    /// Nobody signed it whose key is known.
    #[error("none of the known keys has signed it")]
    Unknown,
    /// A known key has signed it under another name.
    #[error("one of the known keys has signed it under another name, so that it is of a ledger with another origin")]
    Origin,
    /// A known key did not sign this.
    #[error("its signature does not fit: it was altered")]
    Forged,
    /// The key is none.
    #[error("it is no Ed25519 key of a note: name+hash+base64 (C2SP signed-note)")]
    Key,
    /// A name that notes cannot hold.
    #[error("the name of a key has no spaces, no control characters and no plus sign, and is not empty")]
    Name,
}

impl Signer {
    /// A signer with the name that its notes carry, which is the ledger's origin too, and the seed of its key.
    ///
    /// # Errors
    /// If a note cannot hold such a name, or no key can be made of the seed.
    pub fn new(name: &str, seed: &[u8; 32]) -> Result<Self, NoteError> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| NoteError::Key)?;
        let public = pair.public_key().as_ref().try_into().map_err(|_| NoteError::Key)?;
        Ok(Self { key: NoteKey::new(name, public)?, pair })
    }

    /// What checks its signatures.
    #[must_use]
    pub fn key(&self) -> &NoteKey {
        &self.key
    }

    /// Signs the head of a tree.
    #[must_use]
    pub fn sign(&self, size: u64, root: Hash) -> SignedCheckpoint {
        let checkpoint = Checkpoint { origin: self.key.name.clone(), size, root };
        let text = checkpoint.text();
        let signature = [&self.key.id[..], self.pair.sign(text.as_bytes()).as_ref()].concat();
        let note = format!("{text}\n{SIGNED}{} {}\n", self.key.name, STANDARD.encode(signature));
        SignedCheckpoint { checkpoint, note }
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Signer({}, …)", self.key)
    }
}

impl Checkpoint {
    fn text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, STANDARD.encode(self.root))
    }

    /// Reads a note's text. Lines behind the third are an extension's.
    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.strip_suffix('\n')?.split('\n');
        let (origin, size, root) = (lines.next()?, lines.next()?, lines.next()?);
        let is_plain = size == "0" || (!size.starts_with('0') && size.bytes().all(|byte| byte.is_ascii_digit()));
        if origin.is_empty() || !is_plain || lines.any(str::is_empty) {
            return None;
        }
        let root = STANDARD.decode(root).ok()?.try_into().ok()?;
        Some(Self { origin: origin.to_owned(), size: size.parse().ok()?, root })
    }
}

impl SignedCheckpoint {
    /// Opens a note that at least one of these keys has signed, and whose origin is that key's name. Says which one it was.
    ///
    /// # Errors
    /// If it is no note, no known key has signed it, or only under another name, one of them did not, or it is not about a
    /// ledger.
    pub fn open<'a>(note: &str, keys: impl IntoIterator<Item = &'a NoteKey>) -> Result<(Self, &'a NoteKey), NoteError> {
        let (text, signatures) = parts(note)?;
        let (mut signer, mut is_of_other_name) = (None, false);
        for key in keys {
            is_of_other_name |= signatures.iter().any(|(name, signature)| key.has_signed_as(name, text, signature));
            for (_, signature) in signatures.iter().filter(|(name, bytes)| *name == key.name && bytes[..4] == key.id) {
                key.check(text, &signature[4..])?;
                signer = signer.or(Some(key));
            }
        }
        let unknown = if is_of_other_name { NoteError::Origin } else { NoteError::Unknown };
        let signer = signer.ok_or(unknown)?;
        let checkpoint = Checkpoint::parse(text).filter(|checkpoint| checkpoint.origin == signer.name);
        let checkpoint = checkpoint.ok_or(NoteError::Checkpoint)?;
        Ok((Self { checkpoint, note: note.to_owned() }, signer))
    }

    /// The key that a note says it is signed with, as a verifier key begins: its name and its hash. Nothing is checked.
    pub(crate) fn signer(note: &str) -> Option<String> {
        let (_, signatures) = parts(note).ok()?;
        let (name, signature) = signatures.first()?;
        let id = signature.first_chunk::<4>()?;
        Some(format!("{name}+{:08x}", u32::from_be_bytes(*id)))
    }

    /// Reads a note whose origin somebody else vouches for, such as a MAC over it: its signatures are not checked.
    pub(crate) fn read(note: &str) -> Result<Checkpoint, NoteError> {
        let (text, _) = parts(note)?;
        Checkpoint::parse(text).ok_or(NoteError::Checkpoint)
    }
}

impl NoteKey {
    /// A key with the name that its notes carry.
    ///
    /// # Errors
    /// If a note cannot hold such a name.
    pub fn new(name: &str, public: [u8; 32]) -> Result<Self, NoteError> {
        if !is_name(name) {
            return Err(NoteError::Name);
        }
        let hashed = digest(&SHA256, &[name.as_bytes(), b"\n", &[TYPE], &public].concat());
        let mut id = [0; 4];
        id.copy_from_slice(&hashed.as_ref()[..4]);
        Ok(Self { name: name.to_owned(), id, public })
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether the key's holder signed this, under a name that is not the key's.
    fn has_signed_as(&self, name: &str, text: &str, signature: &[u8]) -> bool {
        let other = || Self::new(name, self.public).is_ok_and(|other| other.id == signature[..4]);
        name != self.name && other() && self.check(text, &signature[4..]).is_ok()
    }

    fn check(&self, text: &str, signature: &[u8]) -> Result<(), NoteError> {
        let key = UnparsedPublicKey::new(&ED25519, self.public);
        key.verify(text.as_bytes(), signature).map_err(|_| NoteError::Forged)
    }
}

impl fmt::Display for NoteKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let public = STANDARD.encode([&[TYPE], &self.public[..]].concat());
        write!(formatter, "{}+{:08x}+{public}", self.name, u32::from_be_bytes(self.id))
    }
}

impl FromStr for NoteKey {
    type Err = NoteError;

    fn from_str(text: &str) -> Result<Self, NoteError> {
        // The key's Base64 may hold plus signs.
        let mut parts = text.trim_ascii().splitn(3, '+');
        let (name, id, public) = (parts.next(), parts.next(), parts.next());
        let (Some(name), Some(id), Some(public)) = (name, id, public) else { return Err(NoteError::Key) };
        let public = STANDARD.decode(public).map_err(|_| NoteError::Key)?;
        let public = public.strip_prefix(&[TYPE]).ok_or(NoteError::Key)?;
        let key = Self::new(name, public.try_into().map_err(|_| NoteError::Key)?)?;
        if id == format!("{:08x}", u32::from_be_bytes(key.id)) { Ok(key) } else { Err(NoteError::Key) }
    }
}

/// Whether a note can hold this as the name of a key.
pub(super) fn is_name(name: &str) -> bool {
    let is_wrong = |character: char| character.is_whitespace() || character.is_control() || character == '+';
    !name.is_empty() && !name.contains(is_wrong)
}

/// The algorithm's number: Ed25519.
const TYPE: u8 = 1;

/// What a line with a signature begins with.
const SIGNED: &str = "— ";

/// The most signatures of a note.
const MOST_SIGNATURES: usize = 16;

/// A signature of a note: the name of who signed, and the key's hash with the signature itself.
type Signature<'a> = (&'a str, Vec<u8>);

/// A note's text, and its signatures.
fn parts(note: &str) -> Result<(&str, Vec<Signature<'_>>), NoteError> {
    if note.chars().any(|character| character.is_control() && character != '\n') {
        return Err(NoteError::Note);
    }
    let (text, signatures) = note.rsplit_once("\n\n").ok_or(NoteError::Note)?;
    let text = &note[..=text.len()];
    let lines = signatures.strip_suffix('\n').ok_or(NoteError::Note)?.split('\n');
    let signature = |line: &'_ str| -> Option<(usize, Vec<u8>)> {
        let (name, signature) = line.strip_prefix(SIGNED)?.split_once(' ')?;
        let signature = STANDARD.decode(signature).ok().filter(|bytes| bytes.len() > 4)?;
        (!name.is_empty() && !name.contains('+')).then_some((name.len(), signature))
    };
    let mut found = Vec::new();
    for line in lines {
        let (length, bytes) = signature(line).ok_or(NoteError::Note)?;
        found.push((&line[SIGNED.len()..SIGNED.len() + length], bytes));
    }
    if found.len() > MOST_SIGNATURES { Err(NoteError::Note) } else { Ok((text, found)) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn signer(name: &str, seed: u8) -> Signer {
        Signer::new(name, &[seed; 32]).unwrap()
    }

    /// The key and the note that Go's `golang.org/x/mod/sumdb/note` has in its documentation.
    #[test]
    fn a_note_of_another_implementation_is_read() {
        let key: NoteKey = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW".parse().unwrap();
        let note = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n\
                    — PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
        assert_eq!(SignedCheckpoint::open(note, [&key]), Err(NoteError::Checkpoint), "it is signed well");
        let altered = note.replace("cryptography", "cryptocoins");
        assert_eq!(SignedCheckpoint::open(&altered, [&key]), Err(NoteError::Forged));
        assert_eq!(key.to_string(), "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW");
    }

    #[test]
    fn what_was_signed_is_opened_by_its_key_alone() {
        let (ours, same_name, other) = (signer("heyan/ledger", 1), signer("heyan/ledger", 2), signer("other", 1));
        let signed = ours.sign(7, [9; 32]);
        let note = &signed.note;
        assert_eq!(note.lines().take(4).collect::<Vec<_>>(), ["heyan/ledger", "7", &STANDARD.encode([9; 32]), ""]);
        let opened = SignedCheckpoint::open(note, [other.key(), same_name.key(), ours.key()]);
        assert_eq!(opened, Ok((signed.clone(), ours.key())));
        assert_eq!(SignedCheckpoint::open(note, [same_name.key()]), Err(NoteError::Unknown));
        assert_eq!(
            SignedCheckpoint::open(note, [same_name.key(), other.key()]),
            Err(NoteError::Origin),
            "its seed is ours"
        );
        for key in [ours.key(), other.key()] {
            assert_eq!(key.to_string().parse(), Ok(key.clone()));
        }
        // A further signature, of somebody whose key is not known, does no harm; one that another key made does.
        let line = |note: &str| note.lines().last().unwrap().to_owned();
        let witnessed = format!("{note}{}\n", line(&other.sign(8, [9; 32]).note));
        assert!(SignedCheckpoint::open(&witnessed, [ours.key()]).is_ok());
        assert_eq!(SignedCheckpoint::open(&witnessed, [ours.key(), other.key()]), Err(NoteError::Forged));
        assert!(!format!("{ours:?}").contains("0101"));
    }

    #[test]
    fn what_is_no_note_or_key_is_refused() {
        let ours = signer("heyan/ledger", 1);
        let note = ours.sign(7, [9; 32]).note;
        let open = |note: &str| SignedCheckpoint::open(note, [ours.key()]).unwrap_err();
        for (wrong, error) in [
            (String::new(), NoteError::Note),
            ("\n\n".to_owned(), NoteError::Note),
            (note.trim_end().to_owned(), NoteError::Note),
            (note.replace('—', "-"), NoteError::Note),
            (note.replace('\n', "\r\n"), NoteError::Note),
            (note.replacen('7', "8", 1), NoteError::Forged),
            (format!("{note}— a b\n").repeat(20), NoteError::Note),
        ] {
            assert_eq!(open(&wrong), error, "{wrong}");
        }
        let key = ours.key().to_string();
        for wrong in ["", "a", "a+b", "a+00000000+AAAA", &key[1..], &key[..key.len() - 4], &key.replace('+', " ")] {
            assert!(wrong.parse::<NoteKey>().is_err(), "{wrong}");
        }
        for wrong in ["", "a b", "a+b", "a\n"] {
            assert_eq!(Signer::new(wrong, &[1; 32]).unwrap_err(), NoteError::Name);
        }
    }

    #[test]
    fn a_checkpoint_says_its_size_in_one_way() {
        let root = STANDARD.encode([1; 32]);
        let parse = |size: &str| Checkpoint::parse(&format!("o\n{size}\n{root}\n")).map(|checkpoint| checkpoint.size);
        for (size, found) in [("0", Some(0)), ("18446744073709551615", Some(u64::MAX)), ("10", Some(10))] {
            assert_eq!(parse(size), found);
        }
        for wrong in ["", "00", "01", "+1", "-1", "1 ", "18446744073709551616", "x"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
        assert!(Checkpoint::parse(&format!("o\n1\n{root}\nextension\n")).is_some());
        assert!(Checkpoint::parse(&format!("o\n1\n{root}\n\n")).is_none());
        assert!(Checkpoint::parse("o\n1\nAAAA\n").is_none());
    }

    proptest! {
        #[test]
        fn one_changed_byte_is_always_found(size in any::<u64>(), root in any::<[u8; 32]>(), at in any::<usize>(), by in 1..=255_u8) {
            let ours = signer("heyan/ledger", 3);
            let signed = ours.sign(size, root);
            prop_assert_eq!(SignedCheckpoint::read(&signed.note), Ok(signed.checkpoint.clone()));
            prop_assert_eq!(SignedCheckpoint::open(&signed.note, [ours.key()]), Ok((signed.clone(), ours.key())));
            let mut bytes = signed.note.into_bytes();
            let at = at % bytes.len();
            bytes[at] ^= by;
            let Ok(changed) = String::from_utf8(bytes) else { return Ok(()) };
            prop_assert!(SignedCheckpoint::open(&changed, [ours.key()]).is_err());
        }

        #[test]
        fn any_text_is_refused_without_panic(text in "(\\PC|\n|— ){0,80}") {
            prop_assert!(SignedCheckpoint::open(&text, [signer("a", 1).key()]).is_err());
            prop_assert!(text.parse::<NoteKey>().is_err());
        }
    }
}
