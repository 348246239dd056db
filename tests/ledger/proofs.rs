//! Proofs, held against the RFC's own definitions.

use heyan::ledger::{Ledger as _, continues, includes};

use crate::rfc::{self, Hash};
use crate::scene::Scene;

const ENTRIES: usize = 70;

#[tokio::test]
async fn every_proof_is_the_one_of_the_rfc() {
    let scene = Scene::new();
    let store = scene.open();
    let mut leaves: Vec<Hash> = Vec::new();
    let mut roots = vec![rfc::mth(&[])];
    for number in 0..ENTRIES as u64 {
        let entry = scene.entry(number);
        leaves.push(rfc::leaf_hash(&entry.encode().unwrap()));
        roots.push(rfc::mth(&leaves));
        assert_eq!(store.record(&entry).await, Ok(number));
        assert_eq!(store.checkpoint().checkpoint.root, *roots.last().unwrap());
        // A part of them each time, so that trees of every size are met.
        for index in (0..=number).filter(|index| (index + number) % 5 == 0 || index + 3 > number) {
            let proof = store.inclusion(index).await.unwrap();
            let at = usize::try_from(index).unwrap();
            assert_eq!(proof.leaf, leaves[at]);
            assert_eq!(proof.hashes, rfc::path(at, &leaves), "entry {index} of {}", number + 1);
            assert_eq!(proof.checkpoint, store.checkpoint());
            let root = rfc::root_of(at, leaves.len(), &proof.leaf, &proof.hashes);
            assert_eq!(root, Some(proof.checkpoint.checkpoint.root));
        }
    }
    for second in 1..=ENTRIES {
        for first in 1..=second {
            let proof = store.consistency(first as u64, Some(second as u64)).await.unwrap().hashes;
            assert_eq!(proof, rfc::proof(first, &leaves[..second]), "{first} and {second}");
            let accepted = |first_root, second_root, proof: &[Hash]| {
                continues((first as u64, first_root), (second as u64, second_root), proof)
            };
            assert!(accepted(&roots[first], &roots[second], &proof));
            assert!(!accepted(&roots[first], &[0; 32], &proof));
            assert!(!accepted(&[0; 32], &roots[second], &proof));
            let longer: Vec<Hash> = proof.iter().copied().chain([[0; 32]]).collect();
            assert!(!accepted(&roots[first], &roots[second], &longer));
            if let Some(shorter) = proof.len().checked_sub(1) {
                assert!(!accepted(&roots[first], &roots[second], &proof[..shorter]));
            }
        }
    }
}

#[test]
fn a_proof_fits_its_entry_and_its_tree_alone() {
    let leaves: Vec<Hash> = (0..40_u8).map(|number| rfc::leaf_hash(&[number])).collect();
    for size in 1..=leaves.len() {
        let root = rfc::mth(&leaves[..size]);
        for index in 0..size {
            let proof = rfc::path(index, &leaves[..size]);
            let accepted = |root: &Hash, size: usize, index: usize, leaf: &Hash, proof: &[Hash]| {
                includes(root, size as u64, index as u64, leaf, proof)
            };
            assert!(accepted(&root, size, index, &leaves[index], &proof));
            assert!(!accepted(&[1; 32], size, index, &leaves[index], &proof));
            assert!(!accepted(&root, size, index, &[1; 32], &proof));
            assert!(!accepted(&root, size, size, &leaves[index], &proof));
            for other in (0..size).filter(|other| *other != index) {
                assert!(!accepted(&root, size, other, &leaves[index], &proof), "{index} is not {other} of {size}");
            }
            for at in 0..proof.len() {
                let mut wrong = proof.clone();
                wrong[at][0] ^= 1;
                assert!(!accepted(&root, size, index, &leaves[index], &wrong));
                assert!(!accepted(&root, size, index, &leaves[index], &proof[..at]));
            }
            let longer: Vec<Hash> = proof.iter().copied().chain([root]).collect();
            assert!(!accepted(&root, size, index, &leaves[index], &longer));
        }
    }
}
