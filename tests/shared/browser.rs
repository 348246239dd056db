//! As much of a browser as pages need that work without JavaScript: it keeps cookies, and sends forms as they stand on a page.

use std::collections::BTreeMap;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::header::HeaderMap;
use reqwest::{Method, RequestBuilder};

use super::client::client;

#[derive(Clone)]
pub(crate) struct Browser {
    pub(crate) base: String,
    pub(crate) cookies: BTreeMap<String, String>,
    /// Sent with everything.
    pub(crate) fields: Vec<(&'static str, String)>,
}

/// What it was shown.
#[derive(Debug, Clone)]
pub(crate) struct Shown {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

/// A form on a page.
#[derive(Debug, Clone)]
pub(crate) struct Form {
    pub(crate) action: String,
    pub(crate) html: String,
}

impl Browser {
    pub(crate) fn new(base: &str) -> Self {
        let fields = vec![("accept", "text/html".to_owned())];
        Self { base: base.to_owned(), cookies: BTreeMap::new(), fields }
    }

    pub(crate) async fn get(&mut self, path: &str) -> Shown {
        let request = self.request(Method::GET, path);
        self.send(request).await
    }

    /// Sends a form with these fields, and nothing else.
    pub(crate) async fn post<N: AsRef<str>, V: AsRef<str>>(&mut self, path: &str, fields: &[(N, V)]) -> Shown {
        let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let pairs = fields.iter().map(|(name, value)| format!("{}={}", encode(name.as_ref()), encode(value.as_ref())));
        let body = pairs.collect::<Vec<_>>().join("&");
        let request = self.request(Method::POST, path).header("content-type", "application/x-www-form-urlencoded");
        let shown = self.send(request.body(body)).await;
        // A page that answers a form has an address of its own.
        if shown.location().starts_with("/replies/") { self.get(shown.location()).await } else { shown }
    }

    /// A request as it sends them.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let mut request = client().request(method, format!("{}{path}", self.base));
        for (name, value) in &self.fields {
            request = request.header(*name, value);
        }
        let pairs: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if pairs.is_empty() { request } else { request.header("cookie", pairs.join("; ")) }
    }

    pub(crate) async fn send(&mut self, request: RequestBuilder) -> Shown {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        for given in headers.get_all("set-cookie") {
            let (pair, attributes) = given.to_str().unwrap().split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            if attributes.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        // What is no text is looked at by other programs.
        let text = String::from_utf8_lossy(&response.bytes().await.unwrap()).into_owned();
        Shown { status, headers, text }
    }
}

impl Shown {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn location(&self) -> &str {
        self.header("location")
    }

    /// The title, without the product's name.
    pub(crate) fn title(&self) -> &str {
        self.text.split("<title>").nth(1).and_then(|rest| rest.split(" · ").next()).unwrap_or_default()
    }

    pub(crate) fn forms(&self) -> Vec<Form> {
        let form = |part: &str| {
            let html = part.split("</form>").next().unwrap().to_owned();
            Form { action: attribute(&html, "action"), html }
        };
        self.text.split("<form ").skip(1).map(form).collect()
    }

    /// The last form that goes to this path.
    pub(crate) fn form(&self, path: &str) -> Form {
        let found = self.forms().into_iter().rfind(|form| form.action == path);
        found.unwrap_or_else(|| panic!("no form goes to {path}: {}", self.text))
    }
}

impl Form {
    /// Its hidden fields, and what is typed, in whose place nothing hidden stays.
    pub(crate) fn with(&self, typed: &[(&str, &str)]) -> Vec<(String, String)> {
        let inputs = self.html.split("<input ").skip(1).map(|part| part.split('>').next().unwrap());
        let hidden = inputs.filter(|input| input.contains("type=\"hidden\""));
        let mut fields: Vec<_> = hidden.map(|input| (attribute(input, "name"), attribute(input, "value"))).collect();
        fields.retain(|(name, _)| !typed.iter().any(|(other, _)| other == name));
        fields.extend(typed.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        fields
    }
}

/// The value of an attribute of the first tag.
pub(crate) fn attribute(html: &str, name: &str) -> String {
    let marked = format!(" {html}");
    let found = marked.split(&format!(" {name}=\"")).nth(1).and_then(|rest| rest.split('"').next());
    unescaped(found.unwrap_or_default())
}

/// A text as it was before it was written into a page.
pub(crate) fn unescaped(text: &str) -> String {
    [("&#34;", "\""), ("&#39;", "'"), ("&#60;", "<"), ("&#62;", ">"), ("&#38;", "&"), ("&amp;", "&")]
        .iter()
        .fold(text.to_owned(), |text, (mark, character)| text.replace(mark, character))
}
