//! Triage against what people say at a counter: `tests/data/triage-dev.tsv`, by which the vocabulary was made, and
//! `tests/data/triage-test.tsv`, which was written beforehand and is held back: its misses are counted, not shown, so that
//! nobody mends the vocabulary by it.
//!
//! A line holds a text, the ids of what is meant in the order in which it is said (`-` where nothing of the list is), and the
//! decision. A text that means two things is right only if both are found, in that order.

#![expect(clippy::expect_used, reason = "a test that cannot go on may panic")]

use std::path::Path;
use std::time::Instant;

use heyan::api::triage_answer;
use heyan::config::Folder;
use heyan::server::Installation;

const DEVELOPMENT: &str = include_str!("data/triage-dev.tsv");
const HELD_BACK: &str = include_str!("data/triage-test.tsv");

struct Phrase<'a> {
    text: &'a str,
    ids: Vec<&'a str>,
    decision: &'a str,
}

fn phrases(lines: &str) -> Vec<Phrase<'_>> {
    let phrase = |line| {
        let [text, ids, decision] = str::split(line, '\t').collect::<Vec<_>>().try_into().expect("three columns");
        Phrase { text, ids: ids.split(',').filter(|id| *id != "-").collect(), decision }
    };
    lines.lines().map(phrase).collect()
}

fn installation() -> Installation {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/heyan.toml");
    let folder = Folder::around(&file).expect("the folder is readable");
    let environment = |name: &str| (!name.ends_with("ADDRESS")).then(|| "0123456789abcdef".to_owned());
    Installation::load(&folder, &environment).unwrap_or_else(|errors| panic!("{errors:?}"))
}

/// What is found in a text, where that is not what it means.
fn miss(installation: &Installation, phrase: &Phrase<'_>) -> Option<String> {
    let found = installation.triage.rank(phrase.text);
    let answer = triage_answer(&installation.catalog, &installation.triage, phrase.text, false);
    let first: Vec<&str> = found.iter().map(|one| one.id.as_str()).take(phrase.ids.len().max(1)).collect();
    let is_right = first == phrase.ids && answer["decision"] == phrase.decision;
    (!is_right).then(|| {
        let found: Vec<String> = found.iter().map(|one| format!("{} {:.2}", one.id, one.score)).collect();
        format!("{}: {} expected, found {}", phrase.text, phrase.ids.join(","), found.join(", "))
    })
}

/// The share of phrases that are understood.
fn share(phrases: &[Phrase<'_>], misses: &[String]) -> f64 {
    let of = |count: usize| f64::from(u32::try_from(count).expect("few phrases"));
    1.0 - of(misses.len()) / of(phrases.len())
}

#[test]
fn what_is_said_at_a_counter_is_understood() {
    let installation = installation();
    let mut shares = Vec::new();
    for (name, lines, shown) in [("development", DEVELOPMENT, true), ("held back", HELD_BACK, false)] {
        let phrases = phrases(lines);
        let misses: Vec<String> = phrases.iter().filter_map(|phrase| miss(&installation, phrase)).collect();
        let share = share(&phrases, &misses);
        println!("{name}: {share:.4} ({} of {} missed)", misses.len(), phrases.len());
        if shown {
            for miss in &misses {
                println!("  {miss}");
            }
        }
        shares.push(share);
    }
    assert!(shares[0] >= 0.95, "development: {}", shares[0]);
    assert!(shares[1] >= 0.90, "held back: {}", shares[1]);
}

#[test]
fn a_triage_is_quick() {
    let installation = installation();
    let texts: Vec<&str> = DEVELOPMENT.lines().filter_map(|line| line.split('\t').next()).collect();
    let started = Instant::now();
    let found: usize = texts.iter().map(|text| installation.triage.rank(text).len()).sum();
    let each = started.elapsed().as_micros() / texts.len() as u128;
    let long: String = texts.concat().chars().take(500).collect();
    let started = Instant::now();
    let _ = installation.triage.rank(&long);
    println!("{each} µs each, {} µs for 500 characters", started.elapsed().as_micros());
    assert!(found > 0);
}

/// Who has not been understood is asked to say it otherwise; who wants a paper that no list has is asked for its basis.
#[test]
fn noise_is_told_from_papers_that_no_list_has() {
    let triage = installation().triage;
    for paper in
        ["收养证明", "监护证明", "要开一个天气很好的证明", "社区盖章", "出入证", "单方声明", "给我写个没养鸡的条子"]
    {
        assert!(triage.names_paper(paper), "{paper}");
    }
    for noise in ["你好", "😀😀", "婚", "证", "", "，，，", "12345", "今天天气怎么样", "实力证明一切", "abc", "哈哈哈"]
    {
        assert!(!triage.names_paper(noise), "{noise}");
    }
}
