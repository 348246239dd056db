//! A browser's tab, in which pages follow one another.

use super::browser::{Browser, Form, Shown, unescaped};

#[derive(Clone)]
pub(crate) struct Tab {
    pub(crate) browser: Browser,
    /// The path of the page that is shown.
    pub(crate) path: String,
    pub(crate) page: Shown,
    /// Every address that was asked for.
    pub(crate) asked: Vec<String>,
}

impl Tab {
    pub(crate) fn new(base: &str) -> Self {
        let page = Shown { status: 0, headers: reqwest::header::HeaderMap::new(), text: String::new() };
        Self { browser: Browser::new(base), path: String::new(), page, asked: Vec::new() }
    }

    /// Opens an address, and where that leads.
    pub(crate) async fn go(&mut self, path: &str) {
        let shown = self.browser.get(path).await;
        self.follow(path, shown).await;
    }

    /// Fills in the page's form of this action, and goes where it leads.
    pub(crate) async fn submit(&mut self, action: &str, typed: &[(&str, &str)]) {
        let form = self.page.form(action);
        self.send(&form, typed).await;
    }

    /// Fills in a form, and goes where it leads.
    pub(crate) async fn send(&mut self, form: &Form, typed: &[(&str, &str)]) {
        self.post(&form.action, &form.with(typed)).await;
    }

    /// Sends these fields, and nothing else, and goes where they lead.
    pub(crate) async fn post<N: AsRef<str>, V: AsRef<str>>(&mut self, action: &str, fields: &[(N, V)]) {
        let shown = self.browser.post(action, fields).await;
        self.follow(action, shown).await;
    }

    async fn follow(&mut self, path: &str, shown: Shown) {
        let (mut path, mut shown) = (path.to_owned(), shown);
        self.asked.push(path.clone());
        for _ in 0..5 {
            if shown.status != 303 {
                let (length, is_page) = (shown.text.len(), shown.text.starts_with("<!doctype"));
                assert!(!is_page || (length < 60_000 && !shown.title().is_empty()), "{path}: {length} bytes");
                path.split('#').next().unwrap().clone_into(&mut self.path);
                self.page = shown;
                return;
            }
            shown.location().clone_into(&mut path);
            self.asked.push(path.clone());
            shown = self.browser.get(&path).await;
        }
        panic!("{:?} leads round in circles", self.asked);
    }

    /// What the page says, without marks.
    pub(crate) fn text(&self) -> String {
        text(self.page.text.split("<main").nth(1).unwrap_or_default())
    }
}

/// What a piece of a page says, without marks.
pub(crate) fn text(html: &str) -> String {
    let mut text = String::new();
    for part in html.split('<') {
        text.push_str(part.split_once('>').map_or(part, |(_, after)| after));
    }
    unescaped(&text).split_whitespace().collect::<Vec<_>>().join(" ")
}
