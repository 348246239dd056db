use std::collections::BTreeSet;

use super::demo::Demo;

/// Everything that is logged, at every level, and every reply: no name and no number of anybody.
#[tokio::test]
async fn nobody_is_named_in_logs_or_replies() {
    let demo = Demo::logging("trace", &["--population", "1000"]);
    let people = demo.population().await;
    let mut replies = String::new();
    for sample in demo.list("samples").to_vec() {
        replies += &demo.verify(&sample["request"]).await.body.to_string();
        let mut wrong = sample["request"].clone();
        wrong["surplus"] = wrong["subjects"].clone();
        replies += &demo.verify(&wrong).await.body.to_string();
    }
    let log = demo.log.text();
    assert!(!log.is_empty());
    let numbers: BTreeSet<&str> = people.iter().filter_map(|person| person["id_number"].as_str()).collect();
    // Names of two characters are also words: where a sentence of ours holds one, it names nobody.
    let names = people.iter().filter_map(|person| person["name"].as_str()).filter(|name| name.chars().count() > 2);
    for personal in numbers.into_iter().chain(names.collect::<BTreeSet<_>>()) {
        assert!(!log.contains(personal), "somebody is named in the log");
        assert!(!replies.contains(personal), "somebody is named in a reply");
    }
}
