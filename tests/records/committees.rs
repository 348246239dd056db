use std::fs;
use std::path::PathBuf;

use heyan::accounts::Role;
use heyan::clock::Clock as _;

use crate::browser::Shown;
use crate::scene::Scene;

/// The day on which the clock stands, in Asia/Shanghai.
pub(crate) const TODAY: &str = "2026-11-23";

/// A gateway with two committees, `east` and `west`, each with a worker of that name, a supervisor `over` and an operator `ops`.
impl Scene {
    pub(crate) async fn new() -> Self {
        let agency = |(id, name): (&str, &str)| {
            format!(
                "[[agencies]]\nid = \"{id}\"\nname = \"{name}\"\n\n\
                 [[agencies.grants]]\nclaims = [\"*\"]\npurposes = [\"*\"]\n\n"
            )
        };
        let agencies =
            [("east", "东街社区居民委员会"), ("west", "西街社区居民委员会"), ("fund", "沈阳市公积金管理中心")];
        let mut scene = Self::at("2026-11-23T08:00:00Z".parse().unwrap());
        scene.write("config/agencies/all.toml", &agencies.map(agency).concat());
        scene.start(&[], |_| ());
        for (user, role, agency) in [
            ("east", Role::Committee, Some("east")),
            ("west", Role::Committee, Some("west")),
            ("over", Role::Supervisor, None),
            ("ops", Role::Operator, None),
        ] {
            scene.account(user, role, agency).await;
        }
        scene
    }

    /// The day on which the clock stands now.
    pub(crate) fn today(&self) -> String {
        self.clock.today().to_string()
    }

    /// Ends the gateway, and starts another one on the same folder.
    pub(crate) fn restart(&mut self) {
        self.stop();
        self.start(&[], |_| ());
    }

    /// Every byte that was written.
    pub(crate) fn written(&self) -> Vec<u8> {
        let files = fs::read_dir(self.data()).unwrap().map(|entry| entry.unwrap().path());
        files.filter(|path| path.is_file()).flat_map(|path| fs::read(path).unwrap()).collect()
    }

    /// A file of the test's own.
    pub(crate) fn scratch(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

impl Shown {
    /// Whether a text stands on the page.
    pub(crate) fn says(&self, text: &str) -> bool {
        self.text.contains(text)
    }
}
