//! Layer 4: the REST contract.

mod context;
mod json;
mod problem;
mod verification_request;
