//! Broken configurations: each error names file, line and what to do; none is missed, none panics.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use heyan::config::Folder;
use heyan::server::Installation;

/// A folder of its own for each broken configuration.
struct Overlay(PathBuf);

impl Overlay {
    fn new() -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::SeqCst);
        let path = std::env::temp_dir().join(format!("heyan-check-{}-{number}", std::process::id()));
        fs::create_dir_all(path.join("config")).unwrap();
        Self(path)
    }

    fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.0.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn errors(&self) -> Vec<String> {
        let folder = match Folder::embedded().overlay(&self.0) {
            Ok(folder) => folder,
            Err(errors) => return errors.iter().map(ToString::to_string).collect(),
        };
        let variables = |name: &str| {
            name.ends_with("SECRET")
                .then(|| "s".to_owned())
                .or_else(|| (name.ends_with("KEY") || name.ends_with("TOKEN")).then(|| "s".to_owned()))
        };
        match Installation::load(&folder, &variables) {
            Ok(_) => Vec::new(),
            Err(errors) => errors.iter().map(ToString::to_string).collect(),
        }
    }
}

impl Drop for Overlay {
    fn drop(&mut self) {
        // What is left in the folder for temporary files harms nobody.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A file of the defaults, what is replaced in it by what, and what the error says.
const BROKEN: [(&str, &str, &str, &str); 43] = [
    ("config/heyan.toml", "answer_within", "answr_within", "did you mean \"answer_within\"?"),
    ("config/heyan.toml", "\"3s\"", "\"soon\"", "must be a length of time"),
    ("config/heyan.toml", "\"3s\"", "3", "must be a string"),
    ("config/heyan.toml", "127.0.0.1:8080", "localhost", "address and port"),
    ("config/heyan.toml", "[server]", "[server", "not TOML"),
    ("config/heyan.toml", "workers = 0", "workers = -1", "workers"),
    ("config/heyan.toml", "id = \"pension\"", "id = \"Pension\"", "lower-case letters"),
    ("config/heyan.toml", "id = \"pension\"", "id = \"passport\"", "already"),
    ("config/matters/08-marital-status.toml", "number = 8", "number = 7", "the same number"),
    ("config/matters/08-marital-status.toml", "id = \"marital-status\"", "id = \"kinship\"", "the same id"),
    (
        "config/matters/08-marital-status.toml",
        "disposition = \"verify\"",
        "disposition = \"verfy\"",
        "did you mean \"verify\"?",
    ),
    ("config/matters/08-marital-status.toml", "citation =", "citaton =", "did you mean \"citation\"?"),
    (
        "config/matters/08-marital-status.toml",
        "civil-affairs.marriages",
        "civil-affairs.mariages",
        "did you mean \"civil-affairs.marriages\"?",
    ),
    ("config/matters/08-marital-status.toml", "m.ended_by", "m.endedby", "did you mean \"ended_by\"?"),
    ("config/matters/08-marital-status.toml", "rule = \"all\"", "rule = \"most\"", "valid: all, any, first"),
    (
        "config/matters/08-marital-status.toml",
        "confirms = \"in_force\"",
        "confirms = \"in_farce\"",
        "did you mean \"in_force\"?",
    ),
    ("config/matters/08-marital-status.toml", "confirms = \"in_force\"", "confirms = \"couple\"", "it must yield bool"),
    (
        "config/matters/08-marital-status.toml",
        "confirms = \"in_force\"",
        "confirms = \"in_force &&\"",
        "not an expression",
    ),
    ("config/matters/08-marital-status.toml", "kind = \"date\"", "kind = \"day\"", "kind"),
    (
        "config/matters/08-marital-status.toml",
        "of = \"spouse\", when",
        "of = \"spose\", when",
        "did you mean \"spouse\"?",
    ),
    (
        "config/matters/01-kinship.toml",
        "claim = \"marital-status/spouses\"",
        "claim = \"marital-status/spouse\"",
        "did you mean \"marital-status/spouses\"?",
    ),
    (
        "config/matters/08-marital-status.toml",
        "[[claims.witnesses]]\nsource = \"court\"",
        "[[claims.witnesses]]\nclaim = \"kinship/spouse\"\n[[claims.witnesses]]\nsource = \"court\"",
        "built from itself",
    ),
    ("config/matters/14-childbearing.toml", "min = 0", "min = \"none\"", "must be an integer"),
    ("config/policy.toml", "[transition]", "[transitional]", "did you mean \"transition\"?"),
    ("config/retained.toml", "legal_basis =", "basis =", "\"legal_basis\" is missing"),
    ("config/triage.toml", "matter = \"alive\"", "matter = \"alife\"", "did you mean \"alive\"?"),
    ("config/triage.toml", "<pair> 关系", "<pairs> 关系", "did you mean \"pair\"?"),
    ("config/sources/police.toml", "/PayLoad/Code", "/PayLoad/Cde", "did you mean \"Code\"?"),
    ("config/sources/police.toml", "{id_number|quoted}", "{id_nmber|quoted}", "did you mean \"id_number\"?"),
    ("config/sources/police.toml", "algorithm = \"SM3\"", "algorithm = \"SM4\"", "SM3"),
    ("config/sources/police.toml", "as = \"id-number\"", "as = \"idnumber\"", "did you mean \"id-number\"?"),
    ("config/sources/police.toml", "police/person.json", "police/persons.json", "did you mean \"police/person.json\"?"),
    (
        "config/sources/police.toml",
        "name = \"registration\"",
        "name = \"registrations\"",
        "did you mean \"registration\"?",
    ),
    ("config/sources/police.toml", "division = \"/SSXQ\"\n", "", "\"division\" is not filled"),
    (
        "config/sources/police.toml",
        "{ code = \"001\", means = \"no-record\" }",
        "{ code = \"000\", means = \"no-record\" }",
        "listed twice",
    ),
    ("config/sources/police.toml", "means = \"busy\"", "means = \"bussy\"", "did you mean \"busy\"?"),
    ("config/sources/police.toml", "http://127.0.0.1:9101", "127.0.0.1", "not an address"),
    ("config/sources/police.toml", "HEYAN_POLICE_SECRET", "HEYAN_POLICE_PASSWORD", "HEYAN_POLICE_PASSWORD is not set"),
    ("config/sources/police.toml", "format = \"%Y%m%d\"", "format = \"%Y\"", "does not tell a day"),
    ("config/sources/civil-affairs.toml", "service = \"MZ-MARRIAGE\"\n", "", "\"service\" is missing"),
    ("config/sources/court.toml", "{ code = \"2\", means = \"pending\" },", "", "means \"pending\""),
    ("config/sources/health.toml", "kind = \"header\"", "kind = \"headr\"", "did you mean \"header\"?"),
    ("config/sources/court.toml", "about.at = [\"/sfzh\"]\n", "", "\"about\" is missing"),
];

#[test]
fn each_mistake_is_told_with_its_file_and_line() {
    let defaults = Folder::embedded();
    let mut missed = Vec::new();
    for (path, from, to, expected) in BROKEN {
        let text = &defaults.read(path).unwrap().text;
        assert!(text.contains(from), "{path} has no {from}");
        let overlay = Overlay::new();
        overlay.write(path, text.replacen(from, to, 1));
        let place = format!("{}:", overlay.0.join(path).display());
        let errors = overlay.errors();
        if !errors.iter().any(|error| error.starts_with(&place) && error.contains(expected)) {
            missed.push(format!("{path}: {from} → {to}: nothing says {expected}: {errors:#?}"));
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

#[test]
fn every_mistake_is_told_at_once() {
    let overlay = Overlay::new();
    overlay.write("config/sources/police.toml", "id = \"police\"\nkind = 1\n");
    overlay.write(
        "config/agencies/fund.toml",
        "[[agencies]]\nid = \"fund\"\nname = \"基金\"\ntokens = [\"secret\"]\ngrants = []\n",
    );
    overlay.write("config/mattrs/08.toml", "");
    overlay.write("schemas/facts/death.json", "{");
    let errors = overlay.errors();
    for expected in ["unknown key \"kind\"", "tokens", "nothing reads this file", "death.json:1: not JSON"] {
        assert!(errors.iter().any(|error| error.contains(expected)), "{expected}: {errors:#?}");
    }
}

#[test]
fn grants_name_what_there_is() {
    let overlay = Overlay::new();
    let agency = |claims: &str, purposes: &str| {
        format!(
            "[[agencies]]\nid = \"fund\"\nname = \"基金\"\ntokens = []\n[[agencies.grants]]\nclaims = [\"{claims}\"]\npurposes = [\"{purposes}\"]\n"
        )
    };
    overlay.write("config/agencies/fund.toml", agency("marital-status/spouse", "pensions"));
    let errors = overlay.errors();
    assert!(errors.iter().any(|error| error.contains("did you mean \"pension\"?")), "{errors:#?}");
    assert!(errors.iter().any(|error| error.contains("did you mean \"marital-status/spouses\"?")), "{errors:#?}");
    overlay.write("config/agencies/fund.toml", agency("marital-status/*", "pension"));
    assert_eq!(overlay.errors(), Vec::<String>::new());
}

#[test]
fn files_that_cannot_be_read_are_told() {
    let overlay = Overlay::new();
    overlay.write("config/heyan.toml", [0xFF, 0xFE, 0x00]);
    let errors = overlay.errors();
    assert!(errors.iter().any(|error| error.contains("not UTF-8")), "{errors:#?}");
    let missing = Folder::embedded().overlay(&overlay.0.join("nothing"));
    assert!(missing.is_err());
}
