//! RFC 9162 section 2, as it is written there: slow, and without a line of the program.

use sha2::{Digest as _, Sha256};

pub(crate) type Hash = [u8; 32];

pub(crate) fn leaf_hash(leaf: &[u8]) -> Hash {
    Sha256::new().chain_update([0]).chain_update(leaf).finalize().into()
}

fn node_hash(left: &Hash, right: &Hash) -> Hash {
    Sha256::new().chain_update([1]).chain_update(left).chain_update(right).finalize().into()
}

/// The largest power of two smaller than `n`.
fn k(n: usize) -> usize {
    let mut k = 1;
    while k * 2 < n {
        k *= 2;
    }
    k
}

/// `MTH(D_n)` of section 2.1.1, over the entries' hashes.
pub(crate) fn mth(d: &[Hash]) -> Hash {
    match d {
        [] => Sha256::new().finalize().into(),
        [one] => *one,
        _ => node_hash(&mth(&d[..k(d.len())]), &mth(&d[k(d.len())..])),
    }
}

/// `PATH(m, D_n)` of section 2.1.3.1.
pub(crate) fn path(m: usize, d: &[Hash]) -> Vec<Hash> {
    if d.len() == 1 {
        return Vec::new();
    }
    let k = k(d.len());
    let (mut path, last) = if m < k { (path(m, &d[..k]), mth(&d[k..])) } else { (path(m - k, &d[k..]), mth(&d[..k])) };
    path.push(last);
    path
}

/// `PROOF(m, D_n)` of section 2.1.4.1.
pub(crate) fn proof(m: usize, d: &[Hash]) -> Vec<Hash> {
    subproof(m, d, true)
}

fn subproof(m: usize, d: &[Hash], b: bool) -> Vec<Hash> {
    if m == d.len() {
        return if b { Vec::new() } else { vec![mth(d)] };
    }
    let k = k(d.len());
    let (mut proof, last) =
        if m <= k { (subproof(m, &d[..k], b), mth(&d[k..])) } else { (subproof(m - k, &d[k..], false), mth(&d[..k])) };
    proof.push(last);
    proof
}

/// The root that an inclusion proof leads to, by the definition of `PATH`.
pub(crate) fn root_of(m: usize, n: usize, leaf: &Hash, path: &[Hash]) -> Option<Hash> {
    if n == 1 {
        return path.is_empty().then_some(*leaf);
    }
    let (last, path) = path.split_last()?;
    let k = k(n);
    Some(if m < k {
        node_hash(&root_of(m, k, leaf, path)?, last)
    } else {
        node_hash(last, &root_of(m - k, n - k, leaf, path)?)
    })
}

/// The tree of seven leaves that the section draws, with its node's names.
#[test]
fn the_example_of_section_2_1_5_is_met() {
    let leaves: Vec<Hash> = (0..7).map(|number| leaf_hash(&[number])).collect();
    let over = |left: &Hash, right: &Hash| node_hash(left, right);
    let [node_g, node_h, node_i] = [0, 2, 4].map(|at| over(&leaves[at], &leaves[at + 1]));
    let node_j = leaves[6];
    let (node_k, node_l) = (over(&node_g, &node_h), over(&node_i, &node_j));
    assert_eq!(mth(&leaves), over(&node_k, &node_l));
    assert_eq!(path(0, &leaves), [leaves[1], node_h, node_l]);
    assert_eq!(path(3, &leaves), [leaves[2], node_g, node_l]);
    assert_eq!(path(4, &leaves), [leaves[5], node_j, node_k]);
    assert_eq!(path(6, &leaves), [node_i, node_k]);
    assert_eq!(proof(3, &leaves), [leaves[2], leaves[3], node_g, node_l]);
    assert_eq!(proof(4, &leaves), [node_l]);
    assert_eq!(proof(6, &leaves), [node_i, node_j, node_k]);
}
