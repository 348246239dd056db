use std::time::Duration;

use serde_json::Value;

use crate::scene::Scene;

const CLOSE: &str = "/operator/departments/police/close";

/// Closes the police for an hour.
async fn close(scene: &Scene) -> u16 {
    let mut operator = scene.signed_in("wang").await;
    let page = operator.get(CLOSE).await;
    operator.submit(&page, CLOSE, &[("term", "1h"), ("reason", "升级")]).await.status
}

/// Whether the console says that the police are closed.
async fn is_closed(scene: &Scene) -> bool {
    let mut operator = scene.signed_in("wang").await;
    operator.get("/operator/departments/police").await.text.contains("已手工关闭")
}

/// What is on record but for who came and went.
fn acts(scene: &Scene) -> Vec<(Value, Value, Value)> {
    let entries = scene.entries().into_iter().filter(|entry| entry["act"] != "sign-in");
    entries.map(|entry| (entry["act"].clone(), entry["object"].clone(), entry["reason"].clone())).collect()
}

#[tokio::test]
async fn a_closure_ends_at_its_time() {
    let scene = Scene::new().await;
    assert_eq!(close(&scene).await, 303);
    assert!(is_closed(&scene).await);
    assert_eq!(acts(&scene), [("close-source".into(), "police".into(), "升级".into())]);
    let entry = scene.entries().into_iter().find(|entry| entry["act"] == "close-source").unwrap();
    assert_eq!(entry["until"], "2027-01-15T09:00:00Z");
    scene.wait(Duration::from_mins(59));
    assert!(is_closed(&scene).await);
    scene.wait(Duration::from_mins(1));
    assert!(!is_closed(&scene).await, "nobody has to open it");
}

/// The ledger tells what holds also where what it was told cannot be done.
#[tokio::test]
async fn a_closure_that_cannot_be_kept_is_on_record_as_not_done() {
    let scene = Scene::new().await;
    let tables = rusqlite::Connection::open(scene.data().join("desk.sqlite")).unwrap();
    let refuse =
        |on: &str| format!("CREATE TRIGGER refuse_{on} BEFORE {on} ON closures BEGIN SELECT RAISE(ABORT, 'no'); END");
    tables.execute_batch(&refuse("INSERT")).unwrap();
    assert_eq!(close(&scene).await, 503);
    assert!(!is_closed(&scene).await);
    let closed = ("close-source".into(), "police".into(), "升级".into());
    assert_eq!(acts(&scene), [closed, ("not-done".into(), "police".into(), "close-source".into())]);
    tables.execute_batch("DROP TRIGGER refuse_INSERT").unwrap();
    assert_eq!(close(&scene).await, 303);
    tables.execute_batch(&refuse("DELETE")).unwrap();
    let mut operator = scene.signed_in("wang").await;
    let path = "/operator/departments/police/open";
    let page = operator.get(path).await;
    assert_eq!(operator.submit(&page, path, &[("reason", "升级完成")]).await.status, 503);
    assert!(is_closed(&scene).await);
    assert_eq!(acts(&scene).pop(), Some(("not-done".into(), "police".into(), "open-source".into())));
}
