//! The pages of figures, and that nobody stands in any page.

use crate::town::Town;
use crate::watching::Events;

const PAGES: [&str; 10] = [
    "/operator",
    "/operator/departments/police",
    "/operator/departments/court",
    "/operator/agencies",
    "/operator/pending",
    "/operator/ledger",
    "/operator/caches",
    "/operator/certificates",
    "/operator/configuration",
    "/operator/traces",
];

#[tokio::test]
async fn every_page_is_there_and_names_nobody() {
    let town = Town::start();
    let people = town.people().await;
    for person in &people[..20] {
        town.ask(person).await;
    }
    town.demo.fault("police", "refuse").await;
    for person in &people[20..40] {
        town.ask(person).await;
    }
    let mut browser = town.operator().await;
    let mut events = Events::open(&browser, "/operator/live").await;
    let mut all = events.next().await.unwrap().1;
    for path in PAGES {
        browser.go(path).await;
        assert_eq!((browser.page.status, &*browser.path), (200, path));
        let said = browser.text();
        assert!(["console.", "causes", "states.", "outcomes."].iter().all(|key| !said.contains(key)), "{path}: {said}");
        all.push_str(&browser.page.text);
    }
    for person in &people {
        let (name, number) = (person["name"].as_str().unwrap(), person["id_number"].as_str().unwrap());
        assert!(!all.contains(number) && !all.contains(&number[6..14]), "a number");
        assert!(name.chars().count() < 3 || !all.contains(name), "{name}");
    }
    for figure in ["演示用证部门", "条目"] {
        assert!(all.contains(figure), "{figure}");
    }
    assert!(all.contains("href=\"/operator/agencies\" aria-current=\"page\""));
}
