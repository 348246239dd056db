//! What an operator watches and does on the pages: forms, moments, and a stream of events.

use reqwest::{Method, Response};

use crate::tab::Tab;

impl Tab {
    /// Fills in the form of the page that is shown, and goes where it leads.
    pub(crate) async fn act(&mut self, typed: &[(&str, &str)]) {
        let path = self.path.clone();
        self.submit(&path, typed).await;
    }

    /// Asks for an address, and for nothing that it leads to.
    pub(crate) async fn ask(&self, path: &str) -> Response {
        self.browser.request(Method::GET, path).send().await.unwrap()
    }
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
    pub(crate) async fn open(tab: &Tab, path: &str) -> Self {
        let reply = tab.ask(path).await;
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
