//! Broken configurations: each error names file, line and what to do; none is missed, none panics.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

mod broken;
mod exposure;
mod oidc;
mod private;
mod probe;

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use heyan::config::Folder;
use heyan::server::Installation;

use broken::BROKEN;

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
fn one_mistake_is_told_once() {
    let defaults = Folder::embedded();
    for (path, from, to) in [
        ("config/matters/08-marital-status.toml", "on < m.to)", "on < 5)"),
        ("config/matters/08-marital-status.toml", "values = [\"unmarried\"", "values = []\nother = [\"unmarried\""),
        ("config/matters/08-marital-status.toml", "number = 8", "number = 8.5"),
        ("config/matters/17-property.toml", "vehicles.holdings", "vehicels.holdings"),
        ("config/heyan.toml", ", \"vehicles\"]", "]"),
        ("config/agencies/fund.toml", "", "id = \"fund\"\n"),
        ("schemas/sources/health/births.json", "{", ""),
        ("config/sources/x.tml", "", "id = \"x\"\n"),
    ] {
        let text = defaults.read(path).map(|file| file.text.replacen(from, to, 1)).unwrap_or(to.to_owned());
        let overlay = Overlay::new();
        overlay.write(path, text);
        let errors = overlay.errors();
        assert!(errors.len() == 1, "{path}: {errors:#?}");
    }
    let overlay = Overlay::new();
    let text = &defaults.read("config/matters/08-marital-status.toml").unwrap().text;
    overlay.write("config/matters/08-marital-status.toml", text.replacen("number = 8", "number = 8.0", 1));
    for beside in
        ["config/sources/README.md", "config/sources/tls/ca.pem", "config/agencies/a.toml~", "config/notes.txt"]
    {
        overlay.write(beside, "");
    }
    assert_eq!(overlay.errors(), Vec::<String>::new());
}

#[test]
fn a_source_that_is_not_there_is_told_with_both_ways_to_mend_it() {
    let overlay = Overlay::new();
    let text = Folder::embedded().read("config/heyan.toml").unwrap().text.clone();
    overlay.write("config/heyan.toml", text.replacen(", \"vehicles\"]", "]", 1));
    let errors = overlay.errors();
    let right = |expected: &str| errors.iter().all(|error| error.contains(expected));
    assert!(right("a file in config/sources, or an entry in not_connected"), "{errors:#?}");
    let property = Folder::embedded().read("config/matters/17-property.toml").unwrap().text.clone();
    assert!(
        right(&format!("config/matters/17-property.toml:{}: ", line_of(&property, "vehicles.holdings"))),
        "{errors:#?}"
    );
}

/// The line on which a text first holds something, counted from 1.
fn line_of(text: &str, what: &str) -> usize {
    text.lines().position(|line| line.contains(what)).unwrap() + 1
}

/// A department that is asked with a parameter, and a matter whose claim asks it.
fn vehicles(overlay: &Overlay, input: &str, claim: &str) {
    let source = format!(
        "id = \"vehicles\"\nname = \"车辆\"\naddress = \"http://127.0.0.1:1\"\nauthentication = {{ kind = \"none\" }}\n\
         envelope = {{}}\n[operations.holdings]\nmethod = \"GET\"\npath = \"/{{parameters.{input}}}\"\n\
         schema = \"vehicles/holdings.json\"\ncache = {{ found = \"1m\", no_record = \"1m\" }}\nabout.at = [\"/id\"]\n\
         fact = {{ name = \"vehicles\", fields.holds.value = true }}\n"
    );
    overlay.write("config/sources/vehicles.toml", source);
    overlay.write("schemas/sources/vehicles/holdings.json", r#"{"properties": {"id": {"type": "string"}}}"#);
    let property = Folder::embedded().read("config/matters/17-property.toml").unwrap().text.clone();
    let roles = "roles = [\"person\"]\n";
    let (before, owns) = property.split_at(property.find("id = \"owns-vehicle\"").unwrap());
    overlay.write(
        "config/matters/17-property.toml",
        [before, &owns.replacen(roles, &format!("{roles}{claim}"), 1)].concat(),
    );
}

#[test]
fn a_departments_parameter_is_one_of_the_claim() {
    let overlay = Overlay::new();
    let plate = "parameters.plate_number = { kind = \"text\", max = 10 }\n";
    vehicles(&overlay, "plate_numbr", plate);
    let errors = overlay.errors();
    assert_eq!(errors.len(), 1, "{errors:#?}");
    let property = fs::read_to_string(overlay.0.join("config/matters/17-property.toml")).unwrap();
    let place = format!("17-property.toml:{}: ", line_of(&property, "vehicles.holdings"));
    for expected in [&place, "the request of vehicles.holdings holds", "did you mean \"plate_number\"?"] {
        assert!(errors[0].contains(expected), "{expected}: {errors:#?}");
    }
    vehicles(&overlay, "plate_number", plate);
    assert_eq!(overlay.errors(), Vec::<String>::new());
    // A claim that is built from another one hands its own parameter on, and no other value.
    let part = |parameters: &str| {
        let path = overlay.0.join("config/matters/17-property.toml");
        let text = fs::read_to_string(&path).unwrap();
        let text = text.split("\n# part\n").next().unwrap();
        let claim = format!(
            "\n# part\n[[claims]]\nid = \"part\"\nname = \"部分\"\nenglish = \"part\"\nroles = [\"person\"]\n\
             {plate}[[claims.witnesses]]\nclaim = \"property/owns-vehicle\"\n{parameters}"
        );
        fs::write(&path, format!("{text}{claim}")).unwrap();
        overlay.errors()
    };
    let errors = part("parameters.plate_number = \"'AA19AAA'\"\n");
    assert!(errors.len() == 1 && errors[0].contains("here plate_number = \"plate_number\""), "{errors:#?}");
    assert_eq!(part("parameters.plate_number = \"plate_number\"\n"), Vec::<String>::new());
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
