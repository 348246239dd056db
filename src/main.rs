//! The `heyan` binary.

fn main() {}
