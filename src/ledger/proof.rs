//! Checks proofs, as anybody outside does.

use super::tree::{Hash, node_hash};

/// Whether a proof shows that the tree of this size and root has this hash as its entry `index` (RFC 9162 section 2.1.3.2).
#[must_use]
pub fn includes(root: &Hash, size: u64, index: u64, leaf: &Hash, proof: &[Hash]) -> bool {
    if index >= size {
        return false;
    }
    let (mut number, mut last) = (index, size - 1);
    let mut hash = *leaf;
    for part in proof {
        if last == 0 {
            return false;
        }
        if number % 2 == 1 || number == last {
            hash = node_hash(part, &hash);
            while number % 2 == 0 && number != 0 {
                number >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, part);
        }
        number >>= 1;
        last >>= 1;
    }
    last == 0 && hash == *root
}

/// Whether a proof shows that the second tree continues the first one, each given as its size and root (RFC 9162 section
/// 2.1.4.2). Every tree continues the empty one, and itself, without a proof.
#[must_use]
pub fn continues(first: (u64, &Hash), second: (u64, &Hash), proof: &[Hash]) -> bool {
    let ((size, root), (later_size, later_root)) = (first, second);
    if size > later_size {
        return false;
    }
    if size == later_size {
        return proof.is_empty() && root == later_root;
    }
    if size == 0 {
        return proof.is_empty();
    }
    // A complete tree is itself the first part.
    let own = size.is_power_of_two().then_some(root);
    let mut parts = own.into_iter().chain(proof);
    let Some(start) = parts.next() else { return false };
    let (mut number, mut last) = (size - 1, later_size - 1);
    while number % 2 == 1 {
        number >>= 1;
        last >>= 1;
    }
    let (mut hash, mut later_hash) = (*start, *start);
    for part in parts {
        if last == 0 {
            return false;
        }
        if number % 2 == 1 || number == last {
            hash = node_hash(part, &hash);
            later_hash = node_hash(part, &later_hash);
            while number % 2 == 0 && number != 0 {
                number >>= 1;
                last >>= 1;
            }
        } else {
            later_hash = node_hash(&later_hash, part);
        }
        number >>= 1;
        last >>= 1;
    }
    last == 0 && hash == *root && later_hash == *later_root
}
