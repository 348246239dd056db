//! Nobody is named in anything that a gateway writes: its whole life is lived at log level trace, and then whatever came out of
//! it is searched for every name and every ID number there is, in every writing that a program may put them in.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

mod ends;
mod leaks;
mod life;
mod nonsense;
mod people;
mod scanner;
mod tap;
#[expect(dead_code, reason = "the days need more of the town than these tests do")]
#[path = "../days/town.rs"]
mod town;
mod trouble;
