//! heyan (核验): ask the department that holds a fact, instead of asking a resident for a certificate.

pub mod claims;
pub mod clock;
pub mod departments;
pub mod diagnostic;
pub mod document;
pub mod domain;
pub mod matters;
