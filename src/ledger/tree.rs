//! The Merkle tree of RFC 9162 section 2.1 (the one of RFC 6962), with SHA-256.
//!
//! It is our own because of what is kept: crates.io's `ct-merkle` has the whole tree in memory, and numbers nodes so that those
//! at the right edge change with every entry. Here a tree is read through [`Nodes`], which names complete subtrees alone:
//! they never change once they are there. The tests hold it against `ct-merkle`, against Certificate Transparency's published
//! roots, and against a transcription of the RFC.

use aws_lc_rs::digest::{Context, SHA256, digest};

/// A SHA-256 hash.
pub type Hash = [u8; 32];

/// The hash of an entry's bytes (RFC 9162 section 2.1.1).
#[must_use]
pub fn leaf_hash(leaf: &[u8]) -> Hash {
    let mut context = Context::new(&SHA256);
    context.update(&[0]);
    context.update(leaf);
    bytes(context.finish().as_ref())
}

/// The hash of a node over two others.
#[must_use]
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let mut content = [1; 65];
    content[1..33].copy_from_slice(left);
    content[33..].copy_from_slice(right);
    bytes(digest(&SHA256, &content).as_ref())
}

/// A complete subtree: over the `2^level` entries from `index * 2^level` on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Node {
    /// How many nodes are above an entry, up to this one. An entry itself: 0.
    pub level: u32,
    /// Its place among those of its level, from the left.
    pub index: u64,
}

/// Where hashes of complete subtrees come from.
pub trait Nodes {
    /// Why one cannot be had.
    type Error;

    /// The hash of a complete subtree.
    ///
    /// # Errors
    /// If it cannot be had.
    fn node(&mut self, node: Node) -> Result<Hash, Self::Error>;
}

/// Why there is no proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoProof<E> {
    /// It would be about entries that the tree does not have, or, of two trees, an empty one or a later one comes first.
    Outside,
    /// A hash cannot be had.
    Nodes(E),
}

/// The proof that an entry is in the tree of the first `size` entries (RFC 9162 section 2.1.3.1).
///
/// # Errors
/// If that tree has no such entry, or a hash cannot be had.
pub fn inclusion<N: Nodes>(nodes: &mut N, index: u64, size: u64) -> Result<Vec<Hash>, NoProof<N::Error>> {
    if index >= size {
        return Err(NoProof::Outside);
    }
    let (mut begin, mut end) = (0, size);
    let mut ranges = Vec::new();
    while end - begin > 1 {
        let split = split(begin, end);
        if index < split {
            ranges.push((split, end));
            end = split;
        } else {
            ranges.push((begin, split));
            begin = split;
        }
    }
    hashes(nodes, &ranges)
}

/// The proof that the tree of the first `first` entries is the beginning of that of the first `second` ones (RFC 9162 section
/// 2.1.4.1).
///
/// # Errors
/// If `first` is 0 or more than `second`, or a hash cannot be had.
pub fn consistency<N: Nodes>(nodes: &mut N, first: u64, second: u64) -> Result<Vec<Hash>, NoProof<N::Error>> {
    if first == 0 || first > second {
        return Err(NoProof::Outside);
    }
    let (mut begin, mut end) = (0, second);
    let mut is_known = true;
    let mut ranges = Vec::new();
    while first != end {
        let split = split(begin, end);
        if first <= split {
            ranges.push((split, end));
            end = split;
        } else {
            ranges.push((begin, split));
            begin = split;
            is_known = false;
        }
    }
    if !is_known {
        ranges.push((begin, end));
    }
    hashes(nodes, &ranges)
}

/// A tree's right edge: all that it takes to go on with it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    /// The complete subtrees that the tree is made of, from the left, each smaller than the one before.
    peaks: Vec<Hash>,
}

impl Frontier {
    /// The edge of the tree of the first `size` entries.
    ///
    /// # Errors
    /// If a hash cannot be had.
    pub fn read<N: Nodes>(nodes: &mut N, size: u64) -> Result<Self, N::Error> {
        let peaks = peaks(0, size).map(|node| nodes.node(node)).collect::<Result<_, _>>()?;
        Ok(Self { size, peaks })
    }

    /// How many entries there are.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The hash of the whole tree; without entries, that of nothing.
    #[must_use]
    pub fn root(&self) -> Hash {
        fold(&self.peaks)
    }

    /// Adds an entry. Each subtree that is complete with it is told, the entry itself first.
    pub fn push(&mut self, leaf: Hash, mut complete: impl FnMut(Node, &Hash)) {
        let mut node = Node { level: 0, index: self.size };
        let mut hash = leaf;
        complete(node, &hash);
        while node.index % 2 == 1 {
            // There is one for each bit that is set.
            let left = self.peaks.pop().unwrap_or_default();
            hash = node_hash(&left, &hash);
            node = Node { level: node.level + 1, index: node.index / 2 };
            complete(node, &hash);
        }
        self.peaks.push(hash);
        self.size += 1;
    }
}

/// The largest power of two below the number of entries, as the place where they are parted.
fn split(begin: u64, end: u64) -> u64 {
    begin + (1 << (end - begin - 1).ilog2())
}

/// The complete subtrees from `begin` on, which is where a part of a tree begins, to `end`.
fn peaks(begin: u64, end: u64) -> impl Iterator<Item = Node> {
    let mut begin = begin;
    std::iter::from_fn(move || {
        let level = (end - begin).checked_ilog2()?;
        let node = Node { level, index: begin >> level };
        begin += 1 << level;
        Some(node)
    })
}

/// A proof goes from the entry upwards.
fn hashes<N: Nodes>(nodes: &mut N, ranges: &[(u64, u64)]) -> Result<Vec<Hash>, NoProof<N::Error>> {
    let hash = |(begin, end): &(u64, u64)| {
        let peaks: Result<Vec<Hash>, N::Error> = peaks(*begin, *end).map(|node| nodes.node(node)).collect();
        peaks.map(|peaks| fold(&peaks)).map_err(NoProof::Nodes)
    };
    ranges.iter().rev().map(hash).collect()
}

fn fold(peaks: &[Hash]) -> Hash {
    let whole = peaks.iter().rev().copied().reduce(|right, left| node_hash(&left, &right));
    whole.unwrap_or_else(|| bytes(digest(&SHA256, b"").as_ref()))
}

fn bytes(digest: &[u8]) -> Hash {
    let mut hash = Hash::default();
    hash.copy_from_slice(digest);
    hash
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::convert::Infallible;

    use ct_merkle::mem_backed_tree::MemoryBackedTree;
    use ct_merkle::{ConsistencyProof, InclusionProof, RootHash};
    use proptest::prelude::*;
    use sha2::Sha256;

    use super::*;
    use crate::ledger::proof;

    /// A tree in memory, next to the same one of `ct-merkle`.
    #[derive(Default)]
    struct Both {
        frontier: Frontier,
        nodes: Known,
        other: MemoryBackedTree<Sha256, Vec<u8>>,
        roots: Vec<Hash>,
    }

    #[derive(Default)]
    struct Known(HashMap<Node, Hash>);

    impl Nodes for Known {
        type Error = Infallible;

        fn node(&mut self, node: Node) -> Result<Hash, Infallible> {
            Ok(self.0[&node])
        }
    }

    impl Both {
        fn push(&mut self, leaf: &[u8]) {
            self.roots.push(self.frontier.root());
            let nodes = &mut self.nodes.0;
            self.frontier.push(leaf_hash(leaf), |node, hash| assert!(nodes.insert(node, *hash).is_none()));
            self.other.push(leaf.to_vec());
        }

        fn of(leaves: &[Vec<u8>]) -> Self {
            let mut both = Self::default();
            for leaf in leaves {
                both.push(leaf);
            }
            both.roots.push(both.frontier.root());
            both
        }

        fn other_root(&self, size: u64) -> RootHash<Sha256> {
            RootHash::new(self.roots[usize::try_from(size).unwrap()].into(), size)
        }
    }

    /// The entries and roots that Certificate Transparency's implementations test with.
    #[test]
    fn the_published_roots_are_ours() {
        let leaves: [&[u8]; 8] = [
            b"",
            &[0],
            &[0x10],
            &[0x20, 0x21],
            &[0x30, 0x31],
            &[0x40, 0x41, 0x42, 0x43],
            &[0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57],
            &[0x60, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x6b, 0x6c, 0x6d, 0x6e, 0x6f],
        ];
        let both = Both::of(&leaves.map(<[u8]>::to_vec));
        let hexadecimal = |hash: &Hash| {
            let (high, low) = hash.split_at(16);
            let half = |half: &[u8]| u128::from_be_bytes(half.try_into().unwrap());
            format!("{:032x}{:032x}", half(high), half(low))
        };
        let roots: Vec<String> = both.roots.iter().map(hexadecimal).collect();
        assert_eq!(
            roots,
            [
                "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
                "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
                "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
                "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
                "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
                "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
                "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
                "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
                "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
            ]
        );
    }

    #[test]
    fn what_no_tree_has_is_not_proved() {
        let mut both = Both::of(&[vec![1], vec![2]]);
        assert_eq!(inclusion(&mut both.nodes, 2, 2), Err(NoProof::Outside));
        assert_eq!(inclusion(&mut both.nodes, 0, 0), Err(NoProof::Outside));
        for (first, second) in [(0, 0), (0, 1), (2, 1)] {
            assert_eq!(consistency(&mut both.nodes, first, second), Err(NoProof::Outside));
        }
        assert_eq!(inclusion(&mut both.nodes, 0, 1), Ok(vec![]));
        assert_eq!(consistency(&mut both.nodes, 2, 2), Ok(vec![]));
    }

    proptest! {
        #[test]
        fn each_accepts_the_others_proofs(
            leaves in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..9), 1..150),
            one in any::<proptest::sample::Index>(),
            other in any::<proptest::sample::Index>(),
        ) {
            let mut both = Both::of(&leaves);
            let size = leaves.len() as u64;
            let theirs = both.other.root();
            prop_assert_eq!(theirs.as_bytes().as_slice(), both.frontier.root());
            prop_assert_eq!(&Frontier::read(&mut both.nodes, size).unwrap(), &both.frontier);
            let index = one.index(leaves.len());
            let proof = inclusion(&mut both.nodes, index as u64, size).unwrap();
            let theirs = both.other.prove_inclusion(index);
            prop_assert_eq!(theirs.as_bytes(), proof.concat());
            let theirs = InclusionProof::<Sha256>::from_bytes(proof.concat());
            prop_assert!(both.other_root(size).verify_inclusion(&leaves[index], index as u64, &theirs).is_ok());
            let root = both.frontier.root();
            prop_assert!(proof::includes(&root, size, index as u64, &leaf_hash(&leaves[index]), &proof));
            let first = other.index(leaves.len()) as u64 + 1;
            let proof = consistency(&mut both.nodes, first, size).unwrap();
            let old = both.roots[usize::try_from(first).unwrap()];
            prop_assert!(proof::continues((first, &old), (size, &root), &proof));
            if first < size {
                let theirs = both.other.prove_consistency(usize::try_from(size - first).unwrap());
                prop_assert_eq!(theirs.as_bytes(), proof.concat());
                let theirs = ConsistencyProof::<Sha256>::try_from_bytes(proof.concat()).unwrap();
                prop_assert!(both.other_root(size).verify_consistency(&both.other_root(first), &theirs).is_ok());
            }
        }
    }
}
