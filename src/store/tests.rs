mod writing;

use std::time::Duration;

use jiff::ToSpan as _;
use serde_json::{Value, json};

use super::*;
use crate::clock::ManualClock;
use crate::departments::{Occasion, OperationRef};
use crate::domain::{AgencyId, Person};
use crate::durable::Allower;

struct Scene {
    store: Store,
    clock: Arc<ManualClock>,
}

impl Scene {
    fn new() -> Self {
        let clock = Arc::new(ManualClock::new(moment("2026-11-25T08:00:00Z")));
        Self { store: Store::in_memory(&StoreKey::generate().unwrap(), clock.clone()).unwrap(), clock }
    }

    async fn open(&self) -> Vec<Uuid> {
        self.store.open_questions().await.unwrap().iter().map(|question| question.id).collect()
    }

    async fn due(&self) -> Vec<(Uuid, u32)> {
        let notices = self.store.notices(self.clock.now()).await.unwrap();
        notices.iter().map(|(closed, tries)| (closed.id, *tries)).collect()
    }

    async fn count(&self, table: &'static str) -> i64 {
        let sql = format!("SELECT count(*) FROM {table}");
        self.store.writer.run(move |tables| tables.connection().query_row(&sql, [], |row| row.get(0))).await.unwrap()
    }

    async fn sql(&self, sql: &'static str) {
        self.store.writer.run(move |tables| tables.connection().execute_batch(sql)).await.unwrap();
    }

    /// Lets the writer clean, which it does after a transaction when it is time.
    async fn clean(&self) {
        self.clock.advance(Duration::from_mins(2));
        self.count("meta").await;
        self.count("meta").await;
    }
}

fn moment(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn open_question(number: usize) -> OpenQuestion {
    OpenQuestion {
        id: Uuid::from_u128(number as u128),
        agency: "fund".to_owned(),
        claim: "marital-status/married".to_owned(),
        people: vec![("11010519491231002X".to_owned(), "欧阳建国".to_owned()), (String::new(), "李四".to_owned())],
        parameters: json!({"on": "2026-01-01", "deep": {"b": [1, 2.5, null], "a": true}}).as_object().unwrap().clone(),
        purpose: "housing".to_owned(),
        officer: "王五".to_owned(),
        case: Some("案-1".to_owned()),
        legal_basis: Some("条例第三条".to_owned()),
        request_id: "request".to_owned(),
        traceparent: None,
        tracestate: None,
        not_before: Some(moment("2026-11-25T07:59:59.123456789Z")),
        asked: moment("2026-11-25T08:00:00Z"),
        expires: moment("2026-12-25T08:00:00Z"),
        again: None,
        patient: true,
        notify: false,
    }
}

fn closed_question(number: usize) -> ClosedQuestion {
    let verification = json!({"status": "done", "z": 1, "a": [{"outcome": "成立"}]});
    ClosedQuestion { id: Uuid::from_u128(number as u128), agency: "fund".to_owned(), verification }
}

fn question(name: Option<&str>, parameters: &Value) -> Question {
    let occasion = |officer: &str| Occasion {
        agency: AgencyId("a".parse().unwrap()),
        officer: officer.to_owned(),
        purpose: "p".parse().unwrap(),
        case: None,
        legal_basis: None,
        request_id: Uuid::now_v7().to_string(),
        traceparent: None,
        tracestate: None,
    };
    Question {
        operation: OperationRef { source: "police".parse().unwrap(), operation: "person".parse().unwrap() },
        about: Person {
            id_number: "11010519491231002X".parse().unwrap(),
            name: name.map(|name| name.parse().unwrap()),
        },
        parameters: Arc::new(parameters.as_object().unwrap().clone()),
        occasion: Arc::new(occasion("o")),
        not_before: None,
        within: Duration::from_secs(1),
    }
}

fn quota(seconds: u32, window: i64) -> Quota {
    Quota { of: Allower::Source("police".parse().unwrap()), seconds, window }
}

fn captured(number: &str) -> Vec<(String, String)> {
    vec![("受理号".to_owned(), number.to_owned()), ("kind".to_owned(), String::new())]
}

#[tokio::test]
async fn open_questions_come_back_as_they_were_oldest_first() {
    let scene = Scene::new();
    let first = OpenQuestion { asked: moment("2026-11-25T07:00:00Z"), ..open_question(9) };
    for question in [&open_question(2), &open_question(1), &first] {
        scene.store.keep(question).await.unwrap();
    }
    let anew = OpenQuestion { again: Some(moment("2026-11-26T01:00:00Z")), ..open_question(2) };
    scene.store.keep(&anew).await.unwrap();
    assert!(scene.store.open_questions().await.unwrap() == [first, open_question(1), anew]);
}

#[tokio::test]
async fn an_outcome_takes_the_place_of_its_question_until_its_time_is_over() {
    let scene = Scene::new();
    scene.store.keep(&open_question(1)).await.unwrap();
    scene.store.keep(&open_question(2)).await.unwrap();
    let closed = closed_question(1);
    let until = scene.clock.now() + 1.hour();
    for _ in 0..2 {
        scene.store.close(&closed, &[], until, false).await.unwrap();
    }
    assert_eq!(scene.open().await, [Uuid::from_u128(2)]);
    let found = scene.store.closed_question(closed.id).await.unwrap().unwrap();
    assert_eq!(found, closed);
    assert_eq!(found.verification.to_string(), closed.verification.to_string(), "members in their order");
    assert_eq!(scene.store.closed_question(Uuid::from_u128(2)).await, Ok(None));
    scene.clock.advance(Duration::from_hours(1));
    assert_eq!(scene.store.closed_question(closed.id).await, Ok(None));
    scene.clean().await;
    assert_eq!(scene.count("closed_questions").await, 0);
}

#[tokio::test]
async fn an_agency_is_told_until_it_was_and_the_outcome_stays_as_long() {
    let scene = Scene::new();
    let until = scene.clock.now() + 1.minute();
    for (number, notify) in [(1, true), (2, true), (3, false)] {
        scene.store.close(&closed_question(number), &[], until, notify).await.unwrap();
    }
    let [one, two] = [1, 2].map(Uuid::from_u128);
    assert_eq!(scene.due().await, [(one, 0), (two, 0)]);
    scene.store.noticed(one, Some(scene.clock.now() + 10.minutes())).await.unwrap();
    scene.store.noticed(two, None).await.unwrap();
    assert_eq!(scene.due().await, []);
    scene.clean().await;
    assert_eq!(scene.count("closed_questions").await, 1, "one is still to be told of");
    scene.clock.advance(Duration::from_mins(10));
    assert_eq!(scene.due().await, [(one, 1)]);
    scene.store.noticed(one, None).await.unwrap();
    scene.store.noticed(Uuid::from_u128(99), None).await.unwrap();
    scene.clean().await;
    assert_eq!(scene.count("closed_questions").await, 0);
}

#[tokio::test]
async fn an_application_goes_its_way() {
    let scene = Scene::new();
    let (store, asked) = (&scene.store, question(Some("张三"), &json!({"a": 1, "b": {"c": 2, "d": 3}})));
    let commits = store.commits();
    assert!(store.application(&asked).await == Ok(None));
    store.application_ended(&asked).await.unwrap();
    assert_eq!(store.commits(), commits, "nothing was there, so nothing was written");
    store.applying(&asked).await.unwrap();
    assert!(store.application(&asked).await == Ok(Some(Application::Unknown)));
    store.applied(&asked, &captured("1")).await.unwrap();
    assert!(store.application(&asked).await == Ok(Some(Application::Made(captured("1")))));
    let equal = question(Some("张三"), &json!({"b": {"d": 3, "c": 2}, "a": 1}));
    assert!(store.application(&equal).await == Ok(Some(Application::Made(captured("1")))));
    store.applying(&equal).await.unwrap();
    assert!(
        store.application(&asked).await == Ok(Some(Application::Unknown)),
        "whoever applies anew forgets the old one"
    );
    store.applied(&asked, &captured("2")).await.unwrap();
    store.application_ended(&asked).await.unwrap();
    assert!(store.application(&asked).await == Ok(None));
    assert!(store.under_way.is_empty());
    assert_eq!(scene.count("applications").await, 0);
}

#[test]
fn what_differs_in_a_question_differs_in_its_name() {
    let sealing = Sealing::new(&StoreKey::generate().unwrap()).unwrap();
    let base = question(Some("张三"), &json!({"a": "1"}));
    let mut operation = base.clone();
    operation.operation.operation = "persons".parse().unwrap();
    let mut source = base.clone();
    source.operation.source = "polic".parse().unwrap();
    source.operation.operation = "eperson".parse().unwrap();
    let mut person = base.clone();
    person.about.id_number = "110105194912310038".parse().unwrap();
    let others = [
        operation,
        source,
        person,
        question(None, &json!({"a": "1"})),
        question(Some("张三丰"), &json!({"a": "1"})),
        question(Some("张三"), &json!({"a": 1})),
        question(Some("张三"), &json!({})),
        question(Some("张三"), &json!({"a": "1", "b": null})),
    ];
    let mut names: Vec<_> = others.iter().chain([&base]).map(|question| sealing.name(question)).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), others.len() + 1);
    let foreign = Sealing::new(&StoreKey::generate().unwrap()).unwrap();
    assert_ne!(sealing.name(&base), foreign.name(&base), "without the key nobody can name a question");
}

#[tokio::test]
async fn the_largest_reservation_of_a_window_stands() {
    let scene = Scene::new();
    let (hour, day) = (quota(3600, 5), quota(86400, 5));
    assert_eq!(scene.store.reserved(&hour).await, Ok(0));
    for (up_to, stands) in [(100, 100), (200, 200), (150, 200), (u32::MAX, u32::MAX)] {
        scene.store.reserve(&hour, up_to).await.unwrap();
        assert_eq!(scene.store.reserved(&hour).await, Ok(stands));
    }
    assert_eq!(scene.store.reserved(&day).await, Ok(0));
    assert_eq!(scene.store.reserved(&quota(3600, 6)).await, Ok(0));
}

#[tokio::test]
async fn windows_that_are_past_do_not_pile_up() {
    let scene = Scene::new();
    let seconds = scene.clock.now().as_second() + 8 * 3600;
    let window = |length: u32| seconds / i64::from(length);
    for kept in [quota(3600, window(3600)), quota(3600, window(3600) - 1), quota(86400, window(86400))] {
        scene.store.reserve(&kept, 7).await.unwrap();
    }
    let old = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200000) \
               INSERT INTO quotas SELECT 'source-' || (i % 100), 3600 + 82800 * (i % 2), i / 100, 7 FROM n";
    scene.sql(old).await;
    assert_eq!(scene.count("quotas").await, 200_003);
    scene.clock.advance(Duration::from_mins(2));
    // Of each of a hundred, the latest eight stay.
    let mut served = 0;
    while served % 20 != 0 || scene.count("quotas").await > 803 {
        scene.store.reserve(&quota(3600, window(3600)), 7).await.unwrap();
        served += 1;
    }
    assert!(served >= 40, "{served} others are served meanwhile, at least one after each piece");
    assert_eq!(scene.store.reserved(&quota(3600, window(3600) - 1)).await, Ok(7), "the clock may be set back a little");
    for hour in 0..1000 {
        scene.store.reserve(&quota(3600, window(3600) + hour), 7).await.unwrap();
        scene.clock.advance(Duration::from_hours(1));
    }
    scene.clean().await;
    assert!(scene.count("quotas").await <= 812);
}

#[tokio::test]
async fn a_window_outlives_a_clock_that_was_a_year_ahead() {
    let scene = Scene::new();
    let (today, later) = (quota(86400, 20_000), quota(86400, 20_365));
    scene.store.reserve(&today, 7).await.unwrap();
    scene.clock.advance(Duration::from_hours(365 * 24));
    scene.store.reserve(&later, 1).await.unwrap();
    scene.clean().await;
    assert_eq!(scene.store.reserved(&today).await, Ok(7));
    for day in 0..8 {
        scene.store.reserve(&quota(86400, 20_366 + day), 1).await.unwrap();
    }
    scene.clean().await;
    assert_eq!(scene.store.reserved(&today).await, Ok(0));
}

#[tokio::test]
async fn what_was_sealed_for_another_place_is_refused() {
    let scene = Scene::new();
    let asked = question(None, &json!({}));
    for number in [1, 2] {
        scene.store.keep(&OpenQuestion { id: Uuid::from_u128(number), ..open_question(1) }).await.unwrap();
    }
    scene.store.applied(&asked, &captured("1")).await.unwrap();
    let swap = "CREATE TEMP TABLE old AS SELECT id, sealed FROM open_questions; \
                UPDATE open_questions SET sealed = (SELECT sealed FROM old WHERE old.id <> open_questions.id); \
                DROP TABLE old";
    scene.sql(swap).await;
    assert!(scene.store.open_questions().await == Err(NotSaved));
    scene.sql(swap).await;
    assert_eq!(scene.open().await.len(), 2, "back in its place it opens");
    for change in [
        "UPDATE applications SET sealed = (SELECT sealed FROM open_questions)",
        "UPDATE applications SET sealed = x'00'",
        "UPDATE applications SET sealed = zeroblob(100)",
    ] {
        scene.sql(change).await;
        assert!(scene.store.application(&asked).await == Err(NotSaved), "{change}");
    }
}

#[test]
fn a_store_shows_nothing() {
    assert_eq!(format!("{:?}", Scene::new().store), "Store { commits: 0, .. }");
}
