//! As much of a browser as pages need that work without JavaScript: cookies, redirects, forms.

use std::collections::BTreeMap;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::town::client;

#[derive(Clone)]
pub(crate) struct Browser {
    pub(crate) base: String,
    pub(crate) cookies: BTreeMap<String, String>,
    /// The path of the page that is shown.
    pub(crate) path: String,
    pub(crate) status: u16,
    pub(crate) html: String,
    /// Every address that was asked for.
    pub(crate) asked: Vec<String>,
}

/// A form on the page.
#[derive(Debug, Clone)]
pub(crate) struct Form {
    pub(crate) action: String,
    pub(crate) html: String,
}

impl Browser {
    pub(crate) fn new(base: &str) -> Self {
        let (base, path) = (base.to_owned(), String::new());
        Self { base, cookies: BTreeMap::new(), path, status: 0, html: String::new(), asked: Vec::new() }
    }

    /// Opens an address, and where that leads.
    pub(crate) async fn go(&mut self, path: &str) {
        self.request(path, None).await;
    }

    /// Sends the page's form of this action with its hidden fields, and these.
    pub(crate) async fn submit(&mut self, action: &str, fields: &[(&str, &str)]) {
        let form = self.form(action);
        self.send(&form, fields).await;
    }

    /// Sends a form.
    pub(crate) async fn send(&mut self, form: &Form, fields: &[(&str, &str)]) {
        let mut all = form.hidden();
        all.retain(|(name, _)| !fields.iter().any(|(other, _)| other == name));
        all.extend(fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        self.post(&form.action, &all).await;
    }

    pub(crate) async fn post(&mut self, action: &str, fields: &[(String, String)]) {
        let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let pairs = fields.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value)));
        let body = pairs.collect::<Vec<_>>().join("&");
        self.request(action, Some(body)).await;
    }

    async fn request(&mut self, path: &str, body: Option<String>) {
        let (mut path, mut body) = (path.to_owned(), body);
        for _ in 0..5 {
            self.asked.push(path.clone());
            let address = format!("{}{path}", self.base);
            let request = match body.take() {
                Some(body) => client()
                    .post(address)
                    .header("content-type", "application/x-www-form-urlencoded")
                    .header("sec-fetch-site", "same-origin")
                    .body(body),
                None => client().get(address),
            };
            let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let request = request.header("cookie", cookies.join("; ")).header("accept", "text/html");
            let reply = request.header("accept-language", "zh-CN").send().await.unwrap();
            for field in reply.headers().get_all("set-cookie") {
                let field = field.to_str().unwrap();
                let (name, value) = field.split(';').next().unwrap().split_once('=').unwrap();
                if value.is_empty() {
                    self.cookies.remove(name);
                } else {
                    self.cookies.insert(name.to_owned(), value.to_owned());
                }
            }
            self.status = reply.status().as_u16();
            let place = reply.headers().get("location").map(|place| place.to_str().unwrap().to_owned());
            self.html = String::from_utf8_lossy(&reply.bytes().await.unwrap()).into_owned();
            match place {
                Some(place) if self.status == 303 => path = place,
                _ => {
                    path.split('#').next().unwrap().clone_into(&mut self.path);
                    let is_page = self.html.starts_with("<!doctype");
                    assert!(!is_page || self.html.len() < 60_000, "{}: {} bytes", self.path, self.html.len());
                    return;
                }
            }
        }
        panic!("{path} leads round in circles");
    }

    /// All forms that are sent by POST.
    pub(crate) fn forms(&self) -> Vec<Form> {
        let parts = self.html.split("<form ").skip(1);
        let form = |part: &str| {
            let html = part.split("</form>").next().unwrap().to_owned();
            Form { action: unescaped(&attribute(&html, "action")), html }
        };
        parts.map(form).collect()
    }

    /// The form of this action.
    pub(crate) fn form(&self, action: &str) -> Form {
        let found = self.forms().into_iter().find(|form| form.action == action);
        found.unwrap_or_else(|| panic!("{} has no form to {action}: {}", self.path, self.html))
    }

    /// The form that begins to check this claim.
    pub(crate) fn check(&self, claim: &str) -> Option<Form> {
        let value = format!("value=\"{claim}\"");
        self.forms().into_iter().find(|form| form.action == "/checks" && form.html.contains(&value))
    }

    /// The form to fill in: the first within the content.
    pub(crate) fn step(&self) -> Form {
        self.forms().into_iter().find(|form| form.action == self.path).unwrap_or_else(|| panic!("{}", self.html))
    }

    /// The main heading's text.
    pub(crate) fn heading(&self) -> String {
        let heading = self.html.split("<h1").nth(1).unwrap_or_default().split("</h1>").next().unwrap_or_default();
        text(&format!("<h1{heading}"))
    }

    /// What the page says, without marks.
    pub(crate) fn text(&self) -> String {
        text(self.html.split("<main").nth(1).unwrap_or_default())
    }

    /// Every address that the content's links lead to.
    pub(crate) fn links(&self) -> Vec<String> {
        let main = self.html.split("<main").nth(1).unwrap_or_default();
        let links = main.split("href=\"").skip(1).map(|part| part.split('"').next().unwrap());
        links.map(unescaped).collect()
    }
}

impl Form {
    fn hidden(&self) -> Vec<(String, String)> {
        let inputs = self.html.split("<input ").skip(1).map(|part| part.split('>').next().unwrap());
        let hidden = inputs.filter(|input| input.contains("type=\"hidden\""));
        hidden.map(|input| (attribute(input, "name"), unescaped(&attribute(input, "value")))).collect()
    }

    /// Whether it has a field of this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.html.contains(&format!(" name=\"{name}\""))
    }

    /// What stands in a field.
    pub(crate) fn value(&self, name: &str) -> String {
        let mut inputs = self.html.split("<input ").skip(1).map(|part| part.split('>').next().unwrap());
        let input = inputs.find(|input| attribute(input, "name") == name).unwrap_or_default();
        unescaped(&attribute(input, "value"))
    }
}

fn attribute(html: &str, name: &str) -> String {
    let marked = format!(" {html}");
    let found = marked.split(&format!(" {name}=\"")).nth(1).and_then(|rest| rest.split('"').next());
    found.unwrap_or_default().to_owned()
}

fn text(html: &str) -> String {
    let mut text = String::new();
    for part in html.split('<') {
        text.push_str(part.split_once('>').map_or(part, |(_, after)| after));
    }
    unescaped(&text)
}

fn unescaped(text: &str) -> String {
    [("&#34;", "\""), ("&#38;", "&"), ("&#39;", "'"), ("&#60;", "<"), ("&#62;", ">"), ("&amp;", "&")]
        .iter()
        .fold(text.to_owned(), |text, (mark, character)| text.replace(mark, character))
}
