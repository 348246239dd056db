use std::collections::BTreeSet;
use std::sync::OnceLock;

use reqwest::{Method, Url};
use serde_json::Value;

use super::super::Exchange;
use super::super::decode::Step;
use super::super::reply::{Codes, Envelope, OnStatus, Own};
use super::super::request::{Body, FormField, INPUTS, JsonTemplate, Part, RequestTemplate, has_dot_segment};
use super::super::template::Template;
use super::super::text::{
    BodyText, CodeText, EnvelopeText, FormText, JsonText, Meaning, OwnText, ReadText, RequestText, StatusText,
};
use super::Loader;

impl Loader<'_> {
    /// A request and how its reply is read, with the reply's schema as JSON.
    pub(super) fn exchange(
        &mut self,
        place: &str,
        text: &RequestText,
        common: Option<&EnvelopeText>,
        address: &Url,
        captured: &[&str],
    ) -> Option<(Exchange, Value)> {
        let request = self.request(place, text, address, captured);
        let mut steps = Vec::new();
        for (index, step) in text.decode.iter().enumerate() {
            let place = format!("{place}/decode/{index}");
            if (index == 0) != step.at.as_deref().is_none_or(str::is_empty) {
                self.wrong(&place, "the first step decodes the body and has no \"at\"; every other one has one");
            }
            steps.extend(self.keep(&place, Step::new(step)));
        }
        let schema = self.response_schema(&format!("{place}/schema"), &text.schema);
        let envelope = match (&text.envelope, common) {
            (Some(own), _) => self.envelope(&format!("{place}/envelope"), own, schema.as_ref().map(|(_, json)| json)),
            (None, Some(common)) => self.envelope("/envelope", common, schema.as_ref().map(|(_, json)| json)),
            (None, None) => {
                self.wrong(
                    place,
                    "how does the reply say how it went? Give an \"envelope\", here or for the whole source",
                );
                None
            }
        };
        let (schema, json) = schema?;
        for (index, step) in text.decode.iter().enumerate().skip(1) {
            self.pointer(&format!("{place}/decode/{index}"), &json, step.at.as_deref().unwrap_or_default());
        }
        if !captured.is_empty() {
            let is_pending = |meaning| meaning == Meaning::Pending;
            if !envelope.as_ref().is_some_and(|envelope| envelope.meanings().any(is_pending)) {
                self.wrong(
                    place,
                    "no result of this fetch means \"pending\"; which one says that it is not ready yet?",
                );
            }
        }
        Some((Exchange { request: request?, steps, schema, envelope: envelope? }, json))
    }

    fn request(
        &mut self,
        place: &str,
        text: &RequestText,
        address: &Url,
        captured: &[&str],
    ) -> Option<RequestTemplate> {
        let inputs = Known { captured, parts: &[] };
        let method = text.method.parse::<Method>().map_err(|_| "not a method".to_owned());
        let method = self.keep(&format!("{place}/method"), method);
        let path = self.template(&format!("{place}/path"), &text.path, &inputs);
        if has_dot_segment(&text.path) {
            self.wrong(&format!("{place}/path"), "a path cannot hold the segments . and ..: say where they lead");
        }
        let mut query = Vec::new();
        for (name, template) in &text.query {
            let template = self.template(&format!("{place}/query/{name}"), template, &inputs);
            query.extend(template.map(|template| (name.clone(), template)));
        }
        let mut headers = Vec::new();
        for (name, template) in &text.headers {
            let place = format!("{place}/headers/{name}");
            headers.extend(self.header(&place, name).zip(self.template(&place, template, &inputs)));
        }
        let body = self.body(&format!("{place}/body"), &text.body, captured);
        Some(RequestTemplate {
            method: method?,
            address: address.clone(),
            always: OnceLock::new(),
            path: path?,
            query,
            headers,
            body: body?,
        })
    }

    fn body(&mut self, place: &str, text: &BodyText, captured: &[&str]) -> Option<Body> {
        let inputs = Known { captured, parts: &[] };
        match (&text.json, &text.form, &text.xml) {
            (None, None, None) => Some(Body::None),
            (Some(json), None, None) => self.json(&format!("{place}/json"), json, &inputs).map(Body::Json),
            (None, Some(form), None) => {
                let mut fields = Vec::new();
                for (name, value) in form {
                    let place = format!("{place}/form/{name}");
                    let field = match value {
                        FormText::Json { json } => {
                            self.json(&format!("{place}/json"), json, &inputs).map(FormField::Json)
                        }
                        FormText::Text(text) => self.template(&place, text, &inputs).map(FormField::Text),
                    };
                    fields.extend(field.map(|field| (name.clone(), field)));
                }
                Some(Body::Form(fields))
            }
            (None, None, Some(xml)) => {
                let parts: Vec<&str> = text.parts.keys().map(String::as_str).collect();
                let template = self.template(&format!("{place}/xml"), xml, &Known { captured, parts: &parts });
                for unused in parts.iter().filter(|part| !xml.contains(&format!("{{part.{part}}}"))) {
                    let message = format!("nothing uses this part; the body says {{part.{unused}}} where it belongs");
                    self.wrong(&format!("{place}/parts/{unused}"), message);
                }
                let mut loaded = std::collections::BTreeMap::new();
                for (name, part) in &text.parts {
                    let template = self.template(&format!("{place}/parts/{name}/xml"), &part.xml, &inputs)?;
                    loaded.insert(name.clone(), Part { template, charset: part.charset, base64: part.base64 });
                }
                Some(Body::Xml { template: template?, charset: text.charset, parts: loaded })
            }
            _ => {
                self.wrong(place, "a body is one of json, form and xml, not several");
                None
            }
        }
    }

    fn json(&mut self, place: &str, value: &JsonText, inputs: &Known<'_>) -> Option<JsonTemplate> {
        let mut template = JsonTemplate::default();
        self.write_json(place, value, inputs, &mut template).then_some(template)
    }

    /// Appends a value to a template. Returns whether it is sound; what comes after one that is not is checked all the same.
    fn write_json(&mut self, place: &str, value: &JsonText, inputs: &Known<'_>, json: &mut JsonTemplate) -> bool {
        let mut sound = true;
        match value {
            JsonText::Text(text) => match self.template(place, text, inputs) {
                Some(template) => match template.literal() {
                    Some(literal) => json.push_fixed(&Value::from(literal).to_string()),
                    None => json.push_text(template),
                },
                None => sound = false,
            },
            JsonText::Array(items) => {
                json.push_fixed("[");
                for (index, item) in items.iter().enumerate() {
                    json.push_fixed(if index > 0 { "," } else { "" });
                    sound &= self.write_json(&format!("{place}/{index}"), item, inputs, json);
                }
                json.push_fixed("]");
            }
            JsonText::Object(members) => {
                json.push_fixed("{");
                for (index, (name, value)) in members.iter().enumerate() {
                    json.push_fixed(if index > 0 { "," } else { "" });
                    json.push_fixed(&Value::from(name.as_str()).to_string());
                    json.push_fixed(":");
                    sound &= self.write_json(&format!("{place}/{name}"), value, inputs, json);
                }
                json.push_fixed("}");
            }
            JsonText::Fixed(fixed) => json.push_fixed(&fixed.to_string()),
        }
        sound
    }

    fn template(&mut self, place: &str, text: &str, inputs: &Known<'_>) -> Option<Template> {
        let names = inputs.names();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let is_known =
            |name: &str| names.contains(&name) || name.strip_prefix("parameters.").is_some_and(|name| !name.is_empty());
        self.keep(place, Template::parse(text, is_known, &names))
    }

    /// How a reply, which fits `schema`, says how it went.
    fn envelope(&mut self, place: &str, text: &EnvelopeText, schema: Option<&Value>) -> Option<Envelope> {
        let codes = text.at.as_deref().map(|at| self.codes(place, at, &text.codes, schema));
        if codes.as_ref().is_some_and(|codes| !codes.codes.iter().any(|(_, meaning)| *meaning == Meaning::Ok)) {
            self.wrong(&format!("{place}/codes"), "no code means \"ok\"");
        }
        let mut by_status = Vec::new();
        for (status, on_status) in &text.status {
            let place = format!("{place}/status/{status}");
            let on_status = match on_status {
                StatusText::Means(meaning) => OnStatus::Means(*meaning),
                StatusText::Read(ReadText::Read) => {
                    if codes.is_none() {
                        self.wrong(&place, "nothing in the body would say what it means: give \"at\" and \"codes\"");
                    }
                    OnStatus::Read
                }
                StatusText::Own(own) => OnStatus::Own(Box::new(self.own(&place, own, schema)?)),
            };
            by_status.extend(status.parse().ok().map(|status| (status, on_status)));
        }
        Some(Envelope { status: by_status, codes })
    }

    /// A body that comes with a status other than 200.
    fn own(&mut self, place: &str, text: &OwnText, schema: Option<&Value>) -> Option<Own> {
        let own = match &text.schema {
            Some(path) => Some(self.response_schema(&format!("{place}/schema"), path)?),
            None => None,
        };
        let codes = self.codes(place, &text.at, &text.codes, own.as_ref().map(|(_, json)| json).or(schema));
        if codes.codes.iter().any(|(_, meaning)| *meaning == Meaning::Ok) {
            let message = "no code of this body can mean \"ok\": it is no record; for a body as with 200, say \"read\"";
            self.wrong(&format!("{place}/codes"), message);
        }
        Some(Own { schema: own.map(|(schema, _)| schema), codes })
    }

    fn codes(&mut self, place: &str, at: &str, texts: &[CodeText], schema: Option<&Value>) -> Codes {
        if let Some(schema) = schema {
            self.pointer(&format!("{place}/at"), schema, at);
        }
        let mut seen = BTreeSet::new();
        for (index, code) in texts.iter().enumerate() {
            if !seen.insert(code.code.to_string()) {
                self.wrong(&format!("{place}/codes/{index}"), format!("the code {} is listed twice", code.code));
            }
        }
        Codes { at: at.to_owned(), codes: texts.iter().map(|code| (code.code.clone(), code.means)).collect() }
    }
}

/// The inputs that a template may use.
struct Known<'a> {
    captured: &'a [&'a str],
    parts: &'a [&'a str],
}

impl Known<'_> {
    fn names(&self) -> Vec<String> {
        let captured = self.captured.iter().map(|name| format!("captured.{name}"));
        let parts = self.parts.iter().map(|name| format!("part.{name}"));
        INPUTS.iter().map(|name| (*name).to_owned()).chain(captured).chain(parts).collect()
    }
}
