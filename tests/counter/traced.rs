//! A question from the counter is in the traces and the figures, like one from a program.

use crate::client::client;
use crate::demo::Demo;
use crate::errands::check;
use crate::tab::Tab;

async fn questions(town: &Demo) -> f64 {
    let page = client().get(format!("{}/metrics", town.text("gateway"))).send().await.unwrap().text().await.unwrap();
    let lines = page.lines().filter(|line| line.starts_with("heyan_questions_total{"));
    lines.map(|line| line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap()).sum()
}

#[tokio::test]
async fn a_question_from_the_counter_is_counted_and_traced() {
    let town = Demo::new();
    let before = questions(&town).await;
    let mut browser = town.worker().await;
    browser.go("/matters/marital-status").await;
    check(&mut browser, town.sample("夫妻")).await;
    assert!((questions(&town).await - before - 1.0).abs() < f64::EPSILON);

    let mut operator = Tab::new(&town.text("gateway"));
    town.sign_in(&mut operator, "operator").await;
    operator.go("/operator/traces?claim=marital-status%2Fspouses&source=civil-affairs").await;
    let trace =
        operator.page.text.split("href=\"/operator/traces/").nth(1).unwrap().split('"').next().unwrap().to_owned();
    operator.go(&format!("/operator/traces/{trace}")).await;
    let said = operator.text();
    for told in ["/checks/", "civil-affairs", "marriages", "confirmed"] {
        assert!(said.contains(told), "{told}: {said}");
    }
}
