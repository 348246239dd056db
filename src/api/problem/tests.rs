use std::collections::BTreeSet;

use axum::http::HeaderMap;
use futures_util::FutureExt as _;
use http_body_util::BodyExt as _;

use serde_json::Value;

use super::*;
use crate::api::problems::every;
use crate::domain::{DivisionError, IdNumberError, PersonNameError};

fn context(language: &str) -> Context {
    let mut headers = HeaderMap::new();
    headers.insert(header::ACCEPT_LANGUAGE, language.parse().unwrap());
    Context::new(&headers)
}

fn sent(problem: &Problem, language: &str) -> (Response<()>, Value) {
    let (parts, body) = problem.respond(&context(language)).into_parts();
    let body = body.collect().now_or_never().unwrap().unwrap().to_bytes();
    (Response::from_parts(parts, ()), serde_json::from_slice(&body).unwrap())
}

fn reasons() -> Vec<Reason> {
    vec![
        Reason::Syntax(1, 2),
        Reason::Depth,
        Reason::DuplicateKey,
        Reason::Nul,
        Reason::UnknownField(vec!["a".to_owned()]),
        Reason::Missing,
        Reason::Type(Kind::Object),
        Reason::Type(Kind::String),
        Reason::Type(Kind::Integer),
        Reason::Length(1, 2),
        Reason::ControlCharacter,
        Reason::NotOneOf(vec!["a".to_owned()]),
        Reason::Range(1, 2),
        Reason::Date,
        Reason::Future,
        Reason::Duration,
        Reason::UnknownClaim,
        Reason::UnknownPurpose,
        Reason::SamePerson,
        Reason::IdNumber(IdNumberError::CheckCharacter),
        Reason::HoldsIdNumber,
        Reason::Demanded,
        Reason::Name(PersonNameError::Empty),
        Reason::Division(DivisionError::Unknown),
        Reason::IdempotencyKey,
        Reason::OfficerOfToken,
        Reason::Shape("A0".to_owned().try_into().unwrap()),
    ]
}

#[test]
fn each_code_stands_for_one_problem_with_words_in_both_languages() {
    let problems = every();
    let codes: BTreeSet<&str> = problems.iter().map(Problem::code).collect();
    assert_eq!(codes.len(), problems.len());
    for problem in &problems {
        let [(title, detail), (english, plain)] = problem.words();
        assert!(!title.is_ascii() && !detail.is_ascii(), "{title} {detail}");
        assert!(
            english.is_ascii() && plain.is_ascii() && !english.is_empty() && !plain.is_empty(),
            "{english} {plain}"
        );
        assert!(problem.status().is_client_error() || problem.status().is_server_error());
        assert_eq!(problem.status().is_server_error(), problem.origin() == Origin::Gateway, "{}", problem.code());
    }
    for again in [Problem::InvalidToken, Problem::InvalidCertificate, Problem::TwoAgencies, Problem::PurposeNotGranted]
    {
        assert!(codes.contains(again.code()));
    }
}

#[test]
fn every_reason_has_words_in_both_languages() {
    for reason in reasons() {
        assert!(!reason.text(false).is_ascii(), "{reason:?}");
        assert!(reason.text(true).is_ascii() && !reason.text(true).is_empty(), "{reason:?}");
    }
}

#[test]
fn problem_details_are_as_the_contract_has_them() {
    for problem in every() {
        let (response, body) = sent(&problem, "en");
        assert_eq!(response.status(), problem.status());
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/problem+json");
        assert_eq!(response.headers()[header::CONTENT_LANGUAGE], "en");
        assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
        assert_eq!(body["type"], format!("/problems/{}", problem.code()));
        assert_eq!(body["status"], problem.status().as_u16());
        assert!(body["trace_id"].as_str().unwrap().parse::<crate::telemetry::TraceId>().is_ok());
        let keys: Vec<&str> = body.as_object().unwrap().keys().map(String::as_str).collect();
        let expected =
            ["code", "detail", "errors", "origin", "request_id", "retryable", "status", "title", "trace_id", "type"];
        assert_eq!(keys, expected);
    }
}

#[test]
fn words_follow_the_language() {
    let problem = Problem::field("/subjects/person/id_number", Reason::IdNumber(IdNumberError::CheckCharacter));
    let (response, body) = sent(&problem, "fr");
    assert_eq!(response.headers()[header::CONTENT_LANGUAGE], "zh-CN");
    assert_eq!(body["title"], "请求不符合要求");
    assert_eq!(body["errors"][0]["pointer"], "/subjects/person/id_number");
    assert_eq!(body["errors"][0]["reason"], "校验码不正确，请核对号码");
    let (_, body) = sent(&problem, "en");
    assert_eq!(body["errors"][0]["reason"], "the check character does not fit the digits");
}

#[test]
fn a_challenge_says_whether_a_token_was_wrong() {
    let challenge = |problem| sent(&problem, "en").0.headers()[header::WWW_AUTHENTICATE].clone();
    assert_eq!(challenge(Problem::Unauthorized), "Bearer realm=\"heyan\"");
    assert_eq!(challenge(Problem::InvalidCertificate), "Bearer realm=\"heyan\"");
    for wrong in [Problem::InvalidToken, Problem::TwoAgencies] {
        assert_eq!(challenge(wrong), "Bearer realm=\"heyan\", error=\"invalid_token\"");
    }
}

#[test]
fn headers_say_what_to_do_next() {
    let (response, _) = sent(&Problem::MethodNotAllowed("GET, HEAD"), "en");
    assert_eq!(response.headers()[header::ALLOW], "GET, HEAD");
    for problem in
        [Problem::RateLimited { limit: 1, seconds: 7 }, Problem::Overloaded(7), Problem::LedgerUnavailable(7)]
    {
        let (response, body) = sent(&problem, "en");
        assert_eq!(response.headers()[header::RETRY_AFTER], "7");
        assert_eq!(body["retryable"], true);
    }
    assert!(!sent(&Problem::NotFound, "en").0.headers().contains_key(header::RETRY_AFTER));
}
