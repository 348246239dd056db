//! What came of it, a line for each cell.

use std::collections::BTreeMap;
use std::fmt::Write as _;

#[derive(Default)]
pub(crate) struct Row {
    pub(crate) fault: &'static str,
    pub(crate) operation: String,
    pub(crate) share: f64,
    pub(crate) questions: u64,
    pub(crate) outcomes: BTreeMap<String, u64>,
    pub(crate) causes: BTreeMap<String, u64>,
    /// Milliseconds.
    pub(crate) slowest: u128,
    /// Replies that came later than the gateway promises.
    pub(crate) late: u64,
    pub(crate) calls: u64,
    /// Calls beyond those of questions that no open circuit stopped: at most so many were retries.
    pub(crate) retries: u64,
    /// From the end of the fault to the last right answer, in milliseconds.
    pub(crate) recovery: u128,
    /// What should not have been.
    pub(crate) mistakes: Vec<String>,
}

pub(crate) fn print(rows: &[Row]) -> String {
    let mut text = String::new();
    let head = ["fault", "operation", "share", "asked", "slowest", "late", "calls", "retries", "recovery"];
    let [fault, operation, share, asked, slowest, late, calls, retries, recovery] = head;
    let _ = writeln!(
        text,
        "{fault:<14} {operation:<24} {share:>5} {asked:>5} {slowest:>7} {late:>4} {calls:>5} {retries:>7} {recovery:>8}  \
         outcomes | causes"
    );
    let mut total = Row { fault: "total", ..Row::default() };
    for row in rows {
        text.push_str(&line(row));
        total.questions += row.questions;
        total.late += row.late;
        total.calls += row.calls;
        total.retries += row.retries;
        total.slowest = total.slowest.max(row.slowest);
        total.recovery = total.recovery.max(row.recovery);
        add(&mut total.outcomes, &row.outcomes);
        add(&mut total.causes, &row.causes);
    }
    text.push_str(&line(&total));
    text
}

fn add(total: &mut BTreeMap<String, u64>, counts: &BTreeMap<String, u64>) {
    for (name, count) in counts {
        *total.entry(name.clone()).or_default() += count;
    }
}

fn line(row: &Row) -> String {
    let counts = |counts: &BTreeMap<String, u64>| {
        counts.iter().map(|(name, count)| format!("{name} {count}")).collect::<Vec<_>>().join(", ")
    };
    let Row { fault, operation, share, questions, slowest, late, calls, retries, recovery, .. } = row;
    let (outcomes, causes) = (counts(&row.outcomes), counts(&row.causes));
    format!(
        "{fault:<14} {operation:<24} {share:>5} {questions:>5} {slowest:>7} {late:>4} {calls:>5} {retries:>7} \
         {recovery:>8}  {outcomes} | {causes}\n"
    )
}
