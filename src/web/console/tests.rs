//! The words of causes and states.

use super::wording;
use crate::document::DocumentSchema;
use crate::domain::Cause;
use crate::situation::State;
use crate::words::{Languages, WordsFile};

fn languages() -> Languages {
    let schema = DocumentSchema::new("words", include_str!("../../../schemas/words.schema.json")).unwrap();
    let chinese = WordsFile { tag: "zh-CN", shown: "zh-CN", text: include_str!("../../../config/words/zh-CN.toml") };
    let english = WordsFile { tag: "en", shown: "en", text: include_str!("../../../config/words/en.toml") };
    Languages::load([chinese, english], &schema).unwrap_or_else(|wrong| panic!("{wrong:#?}"))
}

#[test]
fn every_cause_and_every_state_has_words() {
    for words in languages().iter() {
        for cause in Cause::ALL {
            for table in ["causes", "causes_mean", "causes_do"] {
                assert!(
                    words.has(&format!("{table}.{}", cause.as_str())),
                    "{} {table} {}",
                    words.tag(),
                    cause.as_str()
                );
            }
        }
        for state in State::ALL {
            assert!(words.has(&format!("states.{}", state.as_str())), "{} {}", words.tag(), state.as_str());
        }
        let measures = ["subjects", "mismatch", "no-record", "names", "counterparts"];
        let kinds = ["gateway", "agencies-authority", "revocation-list", "identity", "authority"];
        assert!(measures.iter().all(|measure| words.has(&format!("watch.{measure}"))));
        assert!(kinds.iter().all(|kind| words.has(&format!("certificates.{kind}"))));
    }
}

#[test]
fn a_length_of_time_has_no_part_that_is_nothing() {
    let languages = languages();
    let chinese = languages.find("zh-CN").unwrap();
    let spans = [0, 59, 60, 61, 3599, 3600, 3660, 86_399, 86_400, 90_000];
    let spans = spans.map(|seconds| wording::span(chinese, std::time::Duration::from_secs(seconds)));
    let expected = [
        "0 秒",
        "59 秒",
        "1 分钟",
        "1 分 1 秒",
        "59 分 59 秒",
        "1 小时",
        "1 小时 1 分",
        "23 小时 59 分",
        "1 天",
        "1 天 1 小时",
    ];
    assert_eq!(spans, expected);
}

/// There is one truth about what a cause means and what to do: `docs/resilience.md` has it in English, and so has the console.
#[test]
fn the_console_says_of_a_cause_what_the_documentation_says() {
    let languages = languages();
    let english = languages.find("en").unwrap();
    let text = include_str!("../../../docs/resilience.md").replace("](", "] (");
    for cause in Cause::ALL {
        let row = text.lines().find(|line| line.starts_with(&format!("| `{}` |", cause.as_str()))).unwrap();
        let cells: Vec<String> = row.split('|').map(|cell| plain(cell.trim())).collect();
        assert_eq!(cells.len(), 8, "{row}");
        assert_eq!(plain(&wording::meaning(english, cause)), cells[2]);
        assert_eq!(plain(&wording::advice(english, cause)), cells[6]);
    }
}

/// Without the marks of code, and however it begins.
fn plain(text: &str) -> String {
    let text = text.replace('`', "");
    let mut characters = text.chars();
    characters.next().map(|first| first.to_lowercase().chain(characters).collect()).unwrap_or_default()
}
