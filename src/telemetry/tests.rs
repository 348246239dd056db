use super::recent::Query;
use super::*;
use crate::clock::ManualClock;
use crate::domain::{AgencyId, Cause, ClaimRef, Outcome};

const CALLER: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

struct Scene {
    telemetry: Arc<Telemetry>,
}

impl Scene {
    fn new(bytes: usize, slow: Duration) -> Self {
        let clock = Arc::new(ManualClock::new("2026-11-26T00:00:00Z".parse().unwrap()));
        let telemetry = Telemetry::new(clock, Memory { bytes, slow }, &Exports::default());
        Self { telemetry }
    }

    fn answering(&self) -> Answering {
        let request = Request { method: Method::Post, ..Request::default() };
        self.telemetry.answering(request, [CALLER].into_iter(), ["vendor=1"].into_iter())
    }

    /// What was told, oldest first.
    fn told(&self) -> Vec<Arc<Trace>> {
        let mut told = self.telemetry.recent().find(&Query::default(), usize::MAX);
        told.reverse();
        told
    }

    /// A request in which one department is asked, which ends so.
    async fn asked(&self, end: AskEnd, status: u16) {
        let answering = self.answering();
        answering
            .around(async {
                let mut question = question();
                question
                    .around(async {
                        ask(end);
                    })
                    .await;
                let outcome = if end == AskEnd::Answered { Outcome::Confirmed } else { Outcome::Unavailable };
                came_to(&mut question, outcome);
            })
            .await;
        answering.end(status);
    }
}

fn claim() -> ClaimRef {
    "alive/alive".parse().unwrap()
}

fn question() -> Open {
    open(|| {
        What::Question(Question {
            claim: claim(),
            agency: AgencyId("fund".parse().unwrap()),
            is_behind: false,
            outcome: None,
            witnesses: Box::default(),
        })
    })
}

fn came_to(open: &mut Open, outcome: Outcome) {
    open.say(|what| {
        if let What::Question(question) = what {
            question.outcome = Some(outcome);
        }
    });
}

fn ask(end: AskEnd) {
    note(|| What::Ask(Ask { source: "police".parse().unwrap(), operation: "person".parse().unwrap(), end }));
}

fn names(trace: &Trace) -> Vec<&'static str> {
    let name = |span: &Span| match &span.what {
        What::Request(_) => "request",
        What::Question(_) => "question",
        What::Ask(_) => "ask",
        What::Join(_) => "join",
        What::Exchange(_) => "exchange",
        What::Record(_) => "record",
        What::Decide(_) => "decide",
    };
    trace.spans.iter().map(name).collect()
}

#[tokio::test]
async fn a_request_is_told_once_with_all_that_worked_for_it() {
    let scene = Scene::new(1 << 20, Duration::from_secs(1));
    scene.asked(AskEnd::Answered, 200).await;
    let told = scene.told();
    let [trace] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!(names(trace), ["ask", "question", "request"]);
    let caller: Parent = CALLER.parse().unwrap();
    assert_eq!((trace.id, trace.is_sampled), (caller.trace, true));
    let parents: Vec<_> = trace.spans.iter().map(|span| span.parent).collect();
    assert_eq!(parents, [Some(trace.spans[1].id), Some(trace.spans[2].id), Some(caller.span)]);
    let request = trace.request().unwrap();
    assert_eq!(
        (request.status, request.outcome, &request.claim),
        (Some(200), Some(Outcome::Confirmed), &Some(claim()))
    );
    assert!(!trace.has_failed());
}

#[tokio::test]
async fn what_goes_on_behind_a_reply_is_told_when_it_ends() {
    let scene = Scene::new(1 << 20, Duration::from_secs(1));
    let answering = scene.answering();
    let behind = answering.around(async { Behind::of(&scene.telemetry, None, None) }).await;
    answering.end(202);
    assert_eq!(scene.told().len(), 1);
    behind
        .around(async {
            drop(question());
            tell();
            ask(AskEnd::Answered);
        })
        .await;
    let told = scene.told();
    assert_eq!(
        told.iter().map(|trace| names(trace)).collect::<Vec<_>>(),
        [vec!["request"], vec!["question"], vec!["ask"]]
    );
    assert!(told.iter().all(|trace| trace.id == told[0].id));
    assert_eq!(told[1].spans[0].parent, Some(told[0].spans[0].id));
}

#[tokio::test]
async fn a_caller_of_an_earlier_process_is_worked_for_too() {
    let scene = Scene::new(1 << 20, Duration::from_secs(1));
    let behind = Behind::of(&scene.telemetry, Some(CALLER), Some("vendor=1"));
    let handed_on = behind.around(async { question().state().map(str::to_owned) }).await;
    assert_eq!(handed_on.as_deref(), Some("vendor=1"));
    let caller: Parent = CALLER.parse().unwrap();
    let told = scene.told();
    assert_eq!((told[0].id, told[0].spans[0].parent), (caller.trace, Some(caller.span)));
}

#[tokio::test]
async fn whoever_goes_away_is_told_of_without_a_status() {
    let scene = Scene::new(1 << 20, Duration::from_secs(1));
    drop(scene.answering());
    assert_eq!(scene.told()[0].request().unwrap().status, None);
}

#[tokio::test]
async fn spans_hand_their_own_names_on() {
    let scene = Scene::new(1 << 20, Duration::from_secs(1));
    let answering = scene.answering();
    let (own, within, state) = answering
        .around(async {
            let span = question();
            let within = span.around(async { parent() }).await;
            (span.parent(), within, span.state().map(str::to_owned))
        })
        .await;
    answering.end(200);
    let trace = scene.told().remove(0);
    assert_eq!(own, within);
    assert_eq!(own.unwrap().span, trace.spans[0].id);
    assert_eq!(state.as_deref(), Some("vendor=1"));
    assert_eq!(parent(), None);
}

#[tokio::test]
async fn two_callers_are_none() {
    let scene = Scene::new(1 << 20, Duration::from_secs(1));
    let answering = scene.telemetry.answering(Request::default(), [CALLER, CALLER].into_iter(), ["a=1"].into_iter());
    let state = answering.around(async { question().state().map(str::to_owned) }).await;
    assert_eq!(state, None);
    assert_ne!(answering.trace(), Some(CALLER.parse::<Parent>().unwrap().trace));
}

#[tokio::test]
async fn recent_traces_are_found_by_what_they_are() {
    let scene = Scene::new(1 << 20, Duration::from_secs(1));
    scene.asked(AskEnd::Answered, 200).await;
    scene.asked(AskEnd::Failed(Cause::Timeout), 200).await;
    let recent = scene.telemetry.recent();
    assert!(!recent.has_lost_some());
    let count = |query: Query| recent.find(&query, 10).len();
    assert_eq!(count(Query::default()), 2);
    assert_eq!(count(Query { outcome: Some(Outcome::Unavailable), ..Query::default() }), 1);
    assert_eq!(count(Query { source: Some("police".to_owned()), ..Query::default() }), 2);
    assert_eq!(count(Query { source: Some("court".to_owned()), ..Query::default() }), 0);
    assert_eq!(count(Query { cause: Some(Cause::Timeout), ..Query::default() }), 1);
    assert_eq!(count(Query { cause: Some(Cause::Tls), ..Query::default() }), 0);
    assert_eq!(count(Query { has_failed: true, ..Query::default() }), 1);
    assert_eq!(count(Query { at_least: Some(Duration::from_mins(1)), ..Query::default() }), 0);
    assert_eq!(count(Query { trace: Some(CALLER.parse::<Parent>().unwrap().trace), ..Query::default() }), 2);
    assert_eq!(count(Query { from: Some("2026-11-27T00:00:00Z".parse().unwrap()), ..Query::default() }), 0);
    assert_eq!(count(Query { until: Some("2026-11-27T00:00:00Z".parse().unwrap()), ..Query::default() }), 2);
    assert_eq!(recent.find(&Query::default(), 1).len(), 1);
}

#[tokio::test]
async fn what_failed_stays_however_much_goes_well_and_memory_is_bounded() {
    const BYTES: usize = 64 * 1024;
    let scene = Scene::new(BYTES, Duration::from_secs(1));
    scene.asked(AskEnd::Failed(Cause::Timeout), 200).await;
    for _ in 0..1000 {
        scene.asked(AskEnd::Answered, 200).await;
    }
    let recent = scene.telemetry.recent();
    assert!(recent.has_lost_some());
    assert!(recent.bytes() <= BYTES && recent.count() < 1000, "{} bytes of {}", recent.bytes(), recent.count());
    assert_eq!(recent.find(&Query { has_failed: true, ..Query::default() }, 10).len(), 1);
    assert!(recent.find(&Query::default(), 10_000).len() > 10);
}

#[tokio::test]
async fn traces_are_counted() {
    let scene = Scene::new(1 << 20, Duration::from_secs(1));
    scene.asked(AskEnd::Answered, 200).await;
    scene.asked(AskEnd::Remembered, 200).await;
    scene.asked(AskEnd::Failed(Cause::Timeout), 503).await;
    drop(scene.answering());
    let text = scene.telemetry.page().prometheus();
    for line in [
        "heyan_questions_total{matter=\"alive\",claim=\"alive\",outcome=\"confirmed\"} 1",
        "heyan_questions_total{matter=\"alive\",claim=\"alive\",outcome=\"unavailable\"} 2",
        "heyan_department_asks_total{source=\"police\",operation=\"person\",end=\"timeout\"} 1",
        "heyan_cache_lookups_total{source=\"police\",operation=\"person\",result=\"hit\"} 1",
        "heyan_cache_lookups_total{source=\"police\",operation=\"person\",result=\"miss\"} 2",
        "http_server_request_duration_seconds_count{http_request_method=\"POST\",http_response_status_code=\"503\"} 1",
        "http_server_request_duration_seconds_count{http_request_method=\"POST\",http_response_status_code=\"499\"} 1",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
}

#[tokio::test]
async fn ten_thousand_spans_that_nobody_takes_are_each_counted() {
    let down = |name: &str| match name {
        // Nothing listens on the discard port.
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT" => Some("http://127.0.0.1:9/v1/traces".to_owned()),
        "OTEL_TRACES_SAMPLER" => Some("always_on".to_owned()),
        _ => None,
    };
    let clock = Arc::new(ManualClock::new("2026-11-26T00:00:00Z".parse().unwrap()));
    let memory = Memory { bytes: 1 << 20, slow: Duration::from_secs(1) };
    let telemetry = Telemetry::new(clock, memory, &Exports::read(&down));
    for _ in 0..10_000 {
        telemetry.answering(Request::default(), [].into_iter(), [].into_iter()).end(200);
    }
    telemetry.end();
    let page = telemetry.page().prometheus();
    let value = |series: &str| page.lines().find_map(|line| line.strip_prefix(series)?.trim().parse::<u64>().ok());
    assert_eq!(value("heyan_telemetry_dropped_total{signal=\"traces\"}"), Some(10_000), "{page}");
    assert_eq!(value("heyan_telemetry_exported_total{signal=\"traces\"}"), Some(0));
    assert!(telemetry.recent().count() > 0, "they are here all the same");
}
