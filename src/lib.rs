//! heyan (核验): ask the department that holds a fact, instead of asking a resident for a certificate.

pub mod access;
pub mod api;
pub mod cache;
pub mod claims;
pub mod cli;
pub mod clock;
pub mod config;
pub mod departments;
pub mod diagnostic;
pub mod document;
pub mod domain;
pub mod gateway;
pub mod matters;
pub mod rights;
pub mod server;
pub mod simulator;
pub mod sources;
