use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// A map whose keys are keyed hashes already.
pub(super) type HashedMap<V> = HashMap<u64, V, BuildHasherDefault<Plain>>;

/// Takes a hash as it is.
#[derive(Default)]
pub(super) struct Plain(u64);

impl Hasher for Plain {
    fn write(&mut self, bytes: &[u8]) {
        // Keys are of 64 bits; anything else would still be told apart.
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, key: u64) {
        self.0 = key;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// When each subject was last asked about. Up to so many it knows every one; of more it keeps a sample: those whose hash
/// begins with `level` zero bits, each of which stands for as many as there are numbers of that many bits.
pub(super) struct Subjects {
    seen: HashedMap<i64>,
    most: usize,
    level: u32,
}

impl Subjects {
    pub(super) fn new(most: usize) -> Self {
        Self { seen: HashedMap::default(), most, level: 0 }
    }

    /// Whether the subject belongs to the sample.
    pub(super) fn takes(&self, subject: u64) -> bool {
        subject.leading_zeros() >= self.level
    }

    /// For how many one stands.
    pub(super) fn scale(&self, count: u32) -> u32 {
        count.saturating_mul(1_u32.checked_shl(self.level).unwrap_or(u32::MAX))
    }

    /// When the subject was last asked about.
    pub(super) fn seen(&self, subject: u64) -> Option<i64> {
        self.seen.get(&subject).copied()
    }

    /// The subject is asked about. Whether the sample has become smaller, so that what is counted of it must be counted anew.
    pub(super) fn see(&mut self, subject: u64, minute: i64) -> bool {
        if !self.takes(subject) {
            return false;
        }
        self.seen.insert(subject, minute);
        let mut has_shrunk = false;
        while self.seen.len() > self.most {
            self.level += 1;
            let level = self.level;
            self.seen.retain(|subject, _| subject.leading_zeros() >= level);
            has_shrunk = true;
        }
        has_shrunk
    }

    /// Forgets those that were last asked about before this minute. When few are left, all are known again from now on.
    pub(super) fn forget_before(&mut self, minute: i64) {
        self.seen.retain(|_, seen| *seen >= minute);
        if self.seen.is_empty() {
            self.level = 0;
        }
        self.seen.shrink_to(self.seen.len() * 2);
    }

    /// When each of the sample was last asked about.
    pub(super) fn minutes(&self) -> impl Iterator<Item = i64> {
        self.seen.values().copied()
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.seen.len()
    }
}
