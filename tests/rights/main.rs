//! Who may ask, how often, and what becomes of guessing: a gateway and departments, each a process, and agencies that try.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

mod grants;
mod quotas;
#[expect(dead_code, reason = "the days need more of the town than these tests do")]
#[path = "../days/town.rs"]
mod town;
mod unsaid;
mod watch;

use heyan::domain::TokenHash;

/// An agency whose token is its id, with these grants: each the lines of one.
fn agency(id: &str, grants: &[&str]) -> String {
    let head = format!("[[agencies]]\nid = \"{id}\"\nname = \"甲\"\ntokens = [\"{}\"]\n", TokenHash::of(id));
    let grants = grants.iter().map(|lines| format!("[[agencies.grants]]\n{lines}\n"));
    let all = std::iter::once(head).chain(grants).collect::<String>();
    if all.contains("agencies.grants") { all } else { all + "grants = []\n" }
}

/// Everything, for every purpose, with these further lines.
fn everything(lines: &str) -> String {
    format!("claims = [\"*\"]\npurposes = [\"*\"]\n{lines}")
}
