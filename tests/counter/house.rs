use heyan::accounts::Role;

use crate::scene::{PASSWORD, Scene};
use crate::tab::Tab;

/// A gateway with one committee. No department answers.
impl Scene {
    /// One whose committee has these grants.
    pub(crate) async fn granting(grants: &str) -> Self {
        let mut scene = Self::at("2026-11-23T08:00:00Z".parse().unwrap());
        scene.grant(grants);
        scene.start(&[], |_| {});
        scene.account("wang", Role::Committee, Some("east")).await;
        scene
    }

    /// Writes down that the committee has these grants.
    pub(crate) fn grant(&self, grants: &str) {
        let agency = format!("[[agencies]]\nid = \"east\"\nname = \"东街社区居民委员会\"\n\n{grants}");
        self.write("config/agencies/all.toml", &agency);
    }

    /// A worker who has signed in.
    pub(crate) async fn worker(&self) -> Tab {
        let mut tab = Tab::new(&self.base());
        tab.go("/sign-in").await;
        tab.submit("/sign-in", &[("user", "wang"), ("password", PASSWORD)]).await;
        assert_eq!(tab.path, "/", "{}", tab.text());
        tab
    }
}
