//! Names and numbers where none belong.

use reqwest::header::HeaderValue;
use serde_json::{Value, json};

use super::life::Life;
use super::people::text;
use super::town::{client, is_named};

impl Life {
    /// Names and numbers where none belong: in every field of a body, in broken bodies, in addresses and headers.
    pub(super) async fn is_asked_nonsense(&self) {
        for person in self.living().into_iter().skip(300).take(6) {
            for odd in [text(person, "name"), text(person, "id_number")] {
                for body in odd_bodies(person, odd) {
                    let reply = self.post("an odd body", "/v1/verifications", "fund", body).await;
                    assert!((400..500).contains(&reply.status), "{reply:?}");
                }
                let told =
                    json!({"text": format!("给{odd}开证明"), "demanded_by": odd, "legal_basis": odd}).to_string();
                self.post("triage", "/v1/triage", "", told).await;
                let told = json!({"text": 1, odd: odd}).to_string();
                self.post("odd triage", "/v1/triage", "", told).await;
                for path in [
                    format!("/v1/verifications/{odd}"),
                    format!("/v1/verifications?name={odd}"),
                    format!("/v1/matters/{odd}"),
                    format!("/problems/{odd}"),
                    format!("/v1/ledger/proof/{odd}"),
                    format!("/v1/ledger/consistency?from={odd}"),
                    format!("/{odd}"),
                ] {
                    self.get(&path).await;
                }
                self.post("an event for nobody", &format!("/v1/sources/{odd}/events"), "demo-police-events", "{}")
                    .await;
                self.send_odd_headers(person, odd).await;
            }
        }
    }

    async fn send_odd_headers(&self, person: &Value, odd: &str) {
        let value = HeaderValue::from_bytes(odd.as_bytes()).unwrap();
        for name in [
            "accept-language",
            "traceparent",
            "tracestate",
            "x-request-id",
            "idempotency-key",
            "prefer",
            "user-agent",
            "cookie",
            "if-none-match",
            "content-type",
            "expect",
            "origin",
            "x-forwarded-for",
            "authorization",
        ] {
            let address = format!("http://{}/v1/verifications", self.gateway.address);
            let mut request = client().post(address).body(is_named(person).to_string()).header(name, value.clone());
            if name != "authorization" {
                request = request.bearer_auth("fund");
            }
            if name != "content-type" {
                request = request.header("content-type", "application/json");
            }
            self.send(&format!("an odd {name}"), request).await;
        }
        let token = HeaderValue::from_bytes(format!("Bearer {odd}").as_bytes()).unwrap();
        let request = client().get(format!("http://{}/v1/me", self.gateway.address)).header("authorization", token);
        assert_eq!(self.send("an odd token", request).await.status, 401);
    }
}

/// Bodies with a name or a number where none belongs.
fn odd_bodies(person: &Value, odd: &str) -> Vec<String> {
    let right = is_named(person);
    let mut all: Vec<String> = Vec::new();
    for place in ["matter", "claim", "subjects", "parameters", "purpose", "max_age", "extra", odd] {
        let mut body = right.clone();
        body[place] = json!(odd);
        all.push(body.to_string());
        body[place] = json!({odd: odd});
        all.push(body.to_string());
        body[place] = json!([odd, {odd: odd}]);
        all.push(body.to_string());
    }
    for place in ["name", "id_number", "sex", odd] {
        let mut body = right.clone();
        body["subjects"]["person"][place] = json!(format!("{odd}\u{7}{odd}"));
        all.push(body.to_string());
        body["subjects"]["person"][place] = json!({odd: odd});
        all.push(body.to_string());
    }
    let mut body = right.clone();
    body["subjects"][odd] = right["subjects"]["person"].clone();
    all.push(body.to_string());
    let mut body = right.clone();
    body["parameters"] = json!({odd: odd, "on": odd});
    all.push(body.to_string());
    let text = right.to_string();
    all.push(text[..text.len() - 1].to_owned());
    all.push(format!("{text}{odd}"));
    all.push(odd.to_owned());
    all.push(format!("\"{odd}\""));
    all.push(format!("{{\"{odd}\": 1, \"{odd}\": 2}}"));
    all.push(text.replacen("\"purpose\"", &format!("\"case\":\"{}\",\"purpose\"", odd.repeat(40)), 1));
    all.push(format!("{text}{}", " ".repeat(70_000)));
    all
}
