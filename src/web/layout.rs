//! What every page has around its own content.

use std::fmt::{Display, Write as _};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::assets;
use super::form::{Draft, ID, TOKEN};
use super::visit::Visit;
use crate::accounts::{Account, Role};

/// What `base.html` needs, and what every template asks for words.
pub struct Page {
    /// What the page is called.
    pub title: String,
    visit: Visit,
    is_wrong: bool,
}

/// An entry of the navigation.
pub struct Place {
    /// Its address.
    pub path: &'static str,
    /// What it is called.
    pub name: String,
    /// Whether the page belongs to it.
    pub is_here: bool,
}

/// Where each role can go: address and text. The first is where it begins.
fn places(role: Role) -> &'static [(&'static str, &'static str)] {
    match role {
        Role::Committee => &[
            ("/", "counter.nav_home"),
            ("/results", "counter.results_title"),
            ("/demands", "demands.nav"),
            ("/deliberations", "deliberations.nav"),
            ("/account", "layout.nav_account"),
        ],
        Role::Supervisor => {
            &[("/demands", "demands.nav"), ("/deliberations", "deliberations.nav"), ("/account", "layout.nav_account")]
        }
        Role::Operator => &[("/operator", "layout.nav_operator"), ("/account", "layout.nav_account")],
    }
}

/// Where a role begins after signing in.
pub(super) fn home(role: Role) -> &'static str {
    places(role).first().map_or("/account", |(path, _)| path)
}

impl Page {
    pub(super) fn new(visit: Visit, title: String) -> Self {
        Self { title, visit, is_wrong: false }
    }

    /// The same page with a title that is filled in.
    #[must_use]
    pub fn titled(mut self, title: String) -> Self {
        self.title = title;
        self
    }

    /// The same page; its title says first if there is something wrong with a form on it.
    #[must_use]
    pub fn with(mut self, draft: &Draft) -> Self {
        self.is_wrong = draft.is_wrong();
        self
    }

    /// Whether there is something wrong with a form on it.
    #[must_use]
    pub fn is_wrong(&self) -> bool {
        self.is_wrong
    }

    /// The language (RFC 5646).
    #[must_use]
    pub fn lang(&self) -> &str {
        self.visit.words().tag()
    }

    /// A text.
    #[must_use]
    pub fn t<'a>(&'a self, key: &'a str) -> &'a str {
        self.visit.words().text(key)
    }

    /// A text with one thing filled in.
    #[must_use]
    pub fn fill(&self, key: &str, name: &str, value: impl Display) -> String {
        self.visit.words().fill(key, &[(name, &value)])
    }

    /// A text with several things filled in.
    #[must_use]
    pub fn fill_all(&self, key: &str, values: &[(&str, &dyn Display)]) -> String {
        self.visit.words().fill(key, values)
    }

    /// The address of a style sheet, script or picture.
    #[must_use]
    pub fn asset(&self, name: &str) -> &'static str {
        assets::address(name)
    }

    /// Who has signed in.
    #[must_use]
    pub fn account(&self) -> Option<&Account> {
        self.visit.account()
    }

    /// What was asked for.
    #[must_use]
    pub fn path(&self) -> &str {
        self.visit.path()
    }

    /// What every form has in it: its token, and its id, which no other has. Plain HTML.
    #[must_use]
    pub fn form(&self) -> String {
        let mut id = [0; 16];
        // Without random numbers the form has no id, and what it is for is not done.
        let id = getrandom::fill(&mut id).map(|()| URL_SAFE_NO_PAD.encode(id)).unwrap_or_default();
        let mut html = String::new();
        for (name, value) in [(TOKEN, self.visit.token()), (ID, &id)] {
            // Both are plain characters.
            let _ = write!(html, "<input type=\"hidden\" name=\"{name}\" value=\"{value}\">");
        }
        html
    }

    /// Where the reader can go.
    #[must_use]
    pub fn places(&self) -> Vec<Place> {
        let role = self.account().map(|account| account.duty.role());
        let path = self.path().split('?').next().unwrap_or("/");
        let is_under = |place: &str| path == place || place != "/" && path.starts_with(&format!("{place}/"));
        let place = |(path, name): &(&'static str, &'static str)| Place {
            path,
            name: self.t(name).to_owned(),
            is_here: is_under(path),
        };
        role.map(|role| places(role).iter().map(place).collect()).unwrap_or_default()
    }

    /// Where the reader begins.
    #[must_use]
    pub fn home(&self) -> &'static str {
        self.account().map_or("/", |account| home(account.duty.role()))
    }

    /// What the reader's role is called.
    #[must_use]
    pub fn role_name(&self) -> &str {
        match self.account().map(|account| account.duty.role()) {
            Some(Role::Committee) => self.t("roles.committee"),
            Some(Role::Operator) => self.t("roles.operator"),
            Some(Role::Supervisor) => self.t("roles.supervisor"),
            None => "",
        }
    }

    /// The languages that there are beside this one: tag and name.
    #[must_use]
    pub fn other_languages(&self) -> Vec<(String, String)> {
        let others = self.visit.languages().iter().filter(|words| words.tag() != self.lang());
        others.map(|words| (words.tag().to_owned(), words.language().to_owned())).collect()
    }
}
