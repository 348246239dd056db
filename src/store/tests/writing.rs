//! How things are written: together, in their order, or not at all.

use std::sync::mpsc;

use futures_util::future::join_all;
use serde_json::json;

use super::*;

/// Lets every task go as far as it can.
async fn settle() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

/// Keeps the writer busy until it is let go, so that what comes meanwhile is waiting when it is.
async fn hold(store: &Arc<Store>) -> (mpsc::Sender<()>, tokio::task::JoinHandle<Result<bool, NotSaved>>) {
    let (go, wait) = mpsc::channel::<()>();
    let store = store.clone();
    let held = tokio::spawn(async move { store.writer.run(move |_| Ok(wait.recv().is_ok())).await });
    settle().await;
    (go, held)
}

#[tokio::test]
async fn those_that_come_together_are_written_together_and_fail_alone() {
    let store = Arc::new(Scene::new().store);
    let (go, held) = hold(&store).await;
    let before = store.commits();
    let keep = |number| {
        let store = store.clone();
        tokio::spawn(async move { store.keep(&open_question(number)).await })
    };
    let first: Vec<_> = (0..300).map(keep).collect();
    let constrained = {
        let (store, sql) = (store.clone(), "DELETE FROM open_questions; INSERT INTO meta VALUES ('key check', x'00')");
        tokio::spawn(async move { store.writer.run(move |tables| tables.connection().execute_batch(sql)).await })
    };
    let second: Vec<_> = (300..600).map(keep).collect();
    settle().await;
    go.send(()).unwrap();
    held.await.unwrap().unwrap();
    assert!(join_all(first.into_iter().chain(second)).await.into_iter().all(|kept| kept.unwrap() == Ok(())));
    assert_eq!(constrained.await.unwrap(), Err(NotSaved));
    assert_eq!(store.open_questions().await.unwrap().len(), 600, "nothing of what failed was done");
    assert!(store.commits() - before <= 3, "{} transactions for 600 questions", store.commits() - before);
}

#[tokio::test]
async fn what_is_under_way_follows_the_order_of_what_is_written_together() {
    let store = Arc::new(Scene::new().store);
    let (ends, begins) = (question(None, &json!({"a": 1})), question(None, &json!({"a": 2})));
    store.applying(&begins).await.unwrap();
    let (go, held) = hold(&store).await;
    let (one, other) = (store.clone(), store.clone());
    let (first, second) = (ends.clone(), begins.clone());
    let ending = tokio::spawn(async move { tokio::join!(one.applying(&first), one.application_ended(&first)) });
    let beginning =
        tokio::spawn(async move { tokio::join!(other.application_ended(&second), other.applying(&second)) });
    settle().await;
    go.send(()).unwrap();
    held.await.unwrap().unwrap();
    assert_eq!((ending.await.unwrap(), beginning.await.unwrap()), ((Ok(()), Ok(())), (Ok(()), Ok(()))));
    assert!(store.application(&ends).await == Ok(None));
    assert!(store.application(&begins).await == Ok(Some(Application::Unknown)));
}

#[tokio::test]
async fn a_full_disk_saves_nothing_and_all_goes_on_when_there_is_room() {
    let scene = Scene::new();
    let asked = question(None, &json!({}));
    scene.store.keep(&open_question(0)).await.unwrap();
    // Less than there is already counts as what there is.
    scene.sql("PRAGMA max_page_count = 1").await;
    let mut kept = vec![Uuid::from_u128(0)];
    for number in 1..200 {
        if scene.store.keep(&open_question(number)).await.is_ok() {
            kept.push(Uuid::from_u128(number as u128));
        }
    }
    assert!(kept.len() < 200, "the file cannot have grown");
    let large = vec![("n".to_owned(), "x".repeat(100_000))];
    assert_eq!(scene.store.applied(&asked, &large).await, Err(NotSaved));
    assert!(scene.store.application(&asked).await == Ok(None), "what was not saved is not there");
    assert_eq!(scene.open().await, kept, "what was kept is there, and nothing else");
    scene.sql("PRAGMA max_page_count = 100000").await;
    scene.store.applied(&asked, &large).await.unwrap();
    scene.store.keep(&open_question(1000)).await.unwrap();
    assert_eq!(scene.open().await.len(), kept.len() + 1);
    assert!(scene.store.application(&asked).await == Ok(Some(Application::Made(large))));
}

#[tokio::test]
async fn a_disk_that_cannot_be_written_can_still_be_read() {
    let scene = Scene::new();
    scene.store.keep(&open_question(1)).await.unwrap();
    scene.sql("PRAGMA query_only = ON").await;
    assert_eq!(scene.store.keep(&open_question(2)).await, Err(NotSaved));
    assert_eq!(scene.store.close(&closed_question(1), &[], Timestamp::MAX, true).await, Err(NotSaved));
    assert_eq!(scene.open().await, [Uuid::from_u128(1)]);
    scene.sql("PRAGMA query_only = OFF").await;
    scene.store.close(&closed_question(1), &[], Timestamp::MAX, true).await.unwrap();
    assert!(scene.open().await.is_empty());
}

#[tokio::test]
async fn whoever_goes_away_keeps_nobody_from_being_told() {
    let store = Arc::new(Scene::new().store);
    let (go, held) = hold(&store).await;
    let impatient = {
        let store = store.clone();
        tokio::spawn(async move { store.keep(&open_question(1)).await })
    };
    settle().await;
    impatient.abort();
    go.send(()).unwrap();
    held.await.unwrap().unwrap();
    store.keep(&open_question(2)).await.unwrap();
    assert_eq!(store.open_questions().await.unwrap().len(), 2, "what was asked for is written all the same");
}
