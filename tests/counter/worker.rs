//! What a committee's worker does on the pages.

use crate::browser::{Form, attribute, unescaped};
use crate::tab::{Tab, text};

impl Tab {
    /// The form that begins to check this claim.
    pub(crate) fn check(&self, claim: &str) -> Option<Form> {
        let value = format!("value=\"{claim}\"");
        self.page.forms().into_iter().find(|form| form.action == "/checks" && form.html.contains(&value))
    }

    /// The form to fill in: the first within the content.
    pub(crate) fn step(&self) -> Form {
        self.page
            .forms()
            .into_iter()
            .find(|form| form.action == self.path)
            .unwrap_or_else(|| panic!("{}", self.page.text))
    }

    /// The main heading's text.
    pub(crate) fn heading(&self) -> String {
        let heading = self.page.text.split("<h1").nth(1).unwrap_or_default().split("</h1>").next().unwrap_or_default();
        text(&format!("<h1{heading}"))
    }

    /// Every address that the content's links lead to.
    pub(crate) fn links(&self) -> Vec<String> {
        let main = self.page.text.split("<main").nth(1).unwrap_or_default();
        let links = main.split("href=\"").skip(1).map(|part| part.split('"').next().unwrap());
        links.map(unescaped).collect()
    }
}

impl Form {
    /// Whether it has a field of this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.html.contains(&format!(" name=\"{name}\""))
    }

    /// What stands in a field.
    pub(crate) fn value(&self, name: &str) -> String {
        let mut inputs = self.html.split("<input ").skip(1).map(|part| part.split('>').next().unwrap());
        attribute(inputs.find(|input| attribute(input, "name") == name).unwrap_or_default(), "value")
    }
}
