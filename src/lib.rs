//! heyan (核验): ask the department that holds a fact, instead of asking a resident for a certificate.
//!
//! # The house
//!
//! A module imports those below it (`tests/layers.rs` holds it to that).
//!
//! | layer | modules |
//! | --- | --- |
//! | 5 edge | [`cli`]: one file a command |
//! | 4 faces | [`server`]: puts everything together and runs it; [`api`]: the REST contract, one file an endpoint group; [`web`]: pages for people, one file an area; [`simulator`]: departments to run against |
//! | 3 use case | [`gateway`]: authorise → plan → record → ask → decide → record → answer |
//! | 2 shell | [`sources`]: departments over HTTP, behind a resilience stack; [`cache`]: facts that are still fresh; [`config`]: files to values; [`access`]: credentials; [`keys`]: what signs and what hides subjects; [`store`]: what survives a restart; [`ledger_store`]: the ledger on the disk; [`callbacks`]: agencies are told of outcomes; [`desk`]: accounts, and what the pages keep; [`papers`]: what is printed; [`private_file`]: files that their owner alone may read |
//! | below 2 | [`telemetry`]: spans, metrics and logs for operators; it knows words alone, and whoever does something tells it |
//! | 1 core | [`claims`]: what to ask, and what the answers come to; [`matters`]: the catalog, and triage; [`counter`]: a claim as questions for people; [`rights`]: who may ask what; [`callers`]: who calls, and by what that is known; [`accounts`]: who signs in to the pages, and what for; [`words`]: what the pages say, in each language; [`watch`]: who seems to guess; [`receipt`]: signed proof of an answer; [`departments`]: what the use case needs of a department; [`durable`]: and of a store; [`ledger`]: what is written down for good; [`breaker`]: whether calls go through; [`situation`]: who fails since when, and whom that hits; [`signing`]: Ed25519, SM2 and keyed hashes; [`demands`]: improper demands and their follow-up; [`transition`]: when a committee may still act |
//! | 0 words | [`domain`]: ID numbers, names, divisions, outcomes; [`clock`]; [`diagnostic`], [`document`]: files checked with every error at once |
//!
//! Layers 0 and 1 are plain code: values in, values out.
//!
//! # One request, walked through
//!
//! `POST /v1/verifications` arrives in `api/verifications.rs`. [`access`] says who calls, by certificate or token, before any
//! handler runs that is not public; `api/json.rs` and `api/verification_request.rs` turn the body into a question, or into
//! every error in it. [`rights`] say whether the agency may ask that, `api/admission.rs` counts it and asks the [`watch`];
//! [`gateway`] opens an [`Inquiry`](claims::Inquiry). The inquiry says which questions to ask now; [`cache`] answers those that
//! it remembers and merges equal ones. Before any other is sent, the [`ledger`] has on the disk that it is asked
//! (`gateway/record.rs`); then [`sources`] sends it, and lets nothing through that is not an answer about this person. Each
//! answer is settled in the inquiry, until nothing that is missing could change the outcome. That is recorded, too, and signed
//! as a [`receipt`], before it leaves. What the departments recorded stays here; yes or no goes out. A question that takes
//! longer is kept by [`store`] before its caller is told `pending`, and travels on (`gateway/journey.rs`), in the next process
//! if this one ends.

pub mod access;
pub mod accounts;
pub mod api;
pub mod breaker;
pub mod cache;
pub mod callbacks;
pub mod callers;
pub mod claims;
pub mod cli;
pub mod clock;
pub mod config;
pub mod counter;
pub mod demands;
pub mod departments;
pub mod desk;
pub mod diagnostic;
pub mod document;
pub mod domain;
pub mod durable;
pub mod gateway;
pub mod keys;
pub mod ledger;
pub mod ledger_store;
pub mod matters;
pub mod papers;
pub mod private_file;
pub mod receipt;
pub mod rights;
pub mod server;
pub mod signing;
pub mod simulator;
pub mod situation;
pub mod sources;
pub mod store;
pub mod telemetry;
pub mod transition;
pub mod watch;
pub mod web;
pub mod words;
