//! As much of a browser as the console needs without JavaScript: a session, links, forms, and a stream of events.

use std::collections::BTreeMap;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Response;

use crate::town::client;

#[derive(Clone)]
pub(crate) struct Browser {
    base: String,
    cookies: BTreeMap<String, String>,
    /// The path of the page that is shown.
    pub(crate) path: String,
    pub(crate) status: u16,
    pub(crate) html: String,
}

impl Browser {
    pub(crate) fn new(base: &str) -> Self {
        Self { base: base.to_owned(), cookies: BTreeMap::new(), path: String::new(), status: 0, html: String::new() }
    }

    /// Opens an address, and where that leads.
    pub(crate) async fn go(&mut self, path: &str) {
        self.request(path, None).await;
    }

    /// Sends the form of the page that is shown, with its hidden fields and these.
    pub(crate) async fn send(&mut self, fields: &[(&str, &str)]) {
        let path = self.path.clone();
        let fields = self.with_hidden(fields);
        self.post(&path, &fields).await;
    }

    /// The fields that the page's own form sends, with these.
    pub(crate) fn with_hidden(&self, fields: &[(&str, &str)]) -> Vec<(String, String)> {
        let main = self.html.split("<main").nth(1).unwrap();
        let hidden = |name: &str| {
            let mark = format!("name=\"{name}\" value=\"");
            main.split(&mark).nth(1).unwrap().split('"').next().unwrap().to_owned()
        };
        let mut all: Vec<(String, String)> = ["csrf", "form"].map(|name| (name.to_owned(), hidden(name))).into();
        all.extend(fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        all
    }

    pub(crate) async fn post(&mut self, path: &str, fields: &[(String, String)]) {
        let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let pairs = fields.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value)));
        self.request(path, Some(pairs.collect::<Vec<_>>().join("&"))).await;
    }

    /// Asks for an address, and for nothing that it leads to.
    pub(crate) async fn ask(&self, path: &str, body: Option<String>) -> Response {
        let address = format!("{}{path}", self.base);
        let request = match body {
            Some(body) => client().post(address).header("content-type", "application/x-www-form-urlencoded").body(body),
            None => client().get(address),
        };
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = request.header("cookie", cookies.join("; ")).header("accept", "text/html");
        request.header("accept-language", "zh-CN").send().await.unwrap()
    }

    async fn request(&mut self, path: &str, body: Option<String>) {
        let (mut path, mut body) = (path.to_owned(), body);
        for _ in 0..5 {
            let reply = self.ask(&path, body.take()).await;
            for field in reply.headers().get_all("set-cookie") {
                let (name, value) = field.to_str().unwrap().split(';').next().unwrap().split_once('=').unwrap();
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
            self.status = reply.status().as_u16();
            let place = reply.headers().get("location").map(|place| place.to_str().unwrap().to_owned());
            self.html = reply.text().await.unwrap();
            match place {
                Some(place) if self.status == 303 => path = place,
                _ => {
                    assert!(self.html.len() < 60_000, "{path}: {} bytes", self.html.len());
                    self.path = path;
                    return;
                }
            }
        }
        panic!("{path} leads round in circles");
    }

    /// What the page says, without marks.
    pub(crate) fn text(&self) -> String {
        text(self.html.split("<main").nth(1).unwrap_or_default())
    }
}

/// What a piece of a page says, without marks.
pub(crate) fn text(html: &str) -> String {
    let mut text = String::new();
    for part in html.split('<') {
        text.push_str(part.split_once('>').map_or(part, |(_, after)| after));
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A page's moments, as programs read them.
pub(crate) fn moments(html: &str) -> Vec<jiff::Timestamp> {
    html.split("<time datetime=\"").skip(1).map(|part| part.split('"').next().unwrap().parse().unwrap()).collect()
}

/// A stream of server-sent events.
pub(crate) struct Events {
    reply: Response,
    text: String,
}

impl Events {
    pub(crate) async fn open(browser: &Browser, path: &str) -> Self {
        let reply = browser.ask(path, None).await;
        assert_eq!(reply.status(), 200);
        assert_eq!(reply.headers()["content-type"], "text/event-stream");
        Self { reply, text: String::new() }
    }

    /// The next event: its name and its data; `None`: the stream has ended.
    pub(crate) async fn next(&mut self) -> Option<(String, String)> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let field = |name: &str| {
                    event.lines().filter_map(|line| line.strip_prefix(name)).collect::<Vec<_>>().join("\n")
                };
                let (name, data) = (field("event: ").trim().to_owned(), field("data: "));
                let rest = rest.to_owned();
                self.text = rest;
                if !name.is_empty() {
                    return Some((name, data));
                }
                continue;
            }
            let piece = self.reply.chunk().await.ok()??;
            self.text.push_str(std::str::from_utf8(&piece).unwrap());
        }
    }
}
