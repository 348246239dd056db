//! heyan (核验): ask the department that holds a fact, instead of asking a resident for a certificate.

pub mod domain;
