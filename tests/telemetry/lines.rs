//! The log's lines.

use serde_json::Value;

use crate::town::{Departments, Gateway, agency, is_named, until};

#[tokio::test]
async fn where_nobody_reads_along_a_line_is_one_json_object_with_its_trace() {
    let departments = Departments::start(&["--population", "200"]);
    let gateway = Gateway::started(&departments, &[agency("fund", false, "")], &[]).await;
    let person = &departments.living().await[0];
    departments.fault("police", "*", "status-500", 0).await;
    let reply = gateway.ask("fund", &is_named(person), &[]).await;
    let log = gateway.log.text();
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let line = lines.iter().find(|line| line["message"] == "a department gave no answer").unwrap();
    assert_eq!(line["trace_id"], reply.body["trace_id"]);
    assert_eq!((line["level"].as_str(), line["source.id"].as_str()), (Some("WARN"), Some("police")));
    assert_eq!(lines.iter().filter(|other| *other == line).count(), 1);
}

#[tokio::test]
async fn it_is_written_to_be_read_where_that_is_wanted() {
    let departments = Departments::start(&["--population", "200"]);
    let mut gateway = Gateway::new(&departments, &[agency("fund", false, "")], &[]);
    gateway.environment.push(("HEYAN_LOG_FORMAT".to_owned(), "pretty".to_owned()));
    gateway.start().await;
    // It is ready a moment before it says so.
    let is_said = |line: &str| line.contains("INFO heyan::") && line.contains("taking requests");
    let log = async || Some(gateway.log.text()).filter(|log| log.lines().any(is_said));
    assert!(!until("it is said that requests are taken", log).await.contains('\x1b'), "colours are for terminals");
}
