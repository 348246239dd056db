//! The claims of the catalog, asked without a socket: properties in worlds of random facts, and what happens in small towns.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

mod stories;
mod town;
mod worlds;

use std::sync::LazyLock;

use heyan::config::Folder;
use heyan::server::Installation;
use jiff::civil::{Date, date};

const TODAY: Date = date(2026, 11, 23);

/// The catalog where every source is connected that a matter names.
static INSTALLATION: LazyLock<Installation> = LazyLock::new(|| {
    let directory = std::env::temp_dir().join(format!("heyan-claims-{}", std::process::id()));
    let sources = directory.join("config/sources");
    std::fs::create_dir_all(&sources).unwrap();
    for (id, operation, fact, field) in NOT_CONNECTED_YET {
        std::fs::write(sources.join(format!("{id}.toml")), source(id, operation, fact, field)).unwrap();
    }
    let folder = Folder::embedded().overlay(&directory).unwrap();
    std::fs::remove_dir_all(&directory).unwrap();
    let loaded = Installation::load(&folder, &|name| Some(name.to_owned()).filter(|name| !name.ends_with("ADDRESS")));
    let installation = loaded.unwrap_or_else(|errors| panic!("{errors:#?}"));
    assert!(installation.catalog.claims().all(|claim| claim.is_connected()));
    installation
});

/// The source, its operation, the fact that this yields, and that fact's only field.
const NOT_CONNECTED_YET: [(&str, &str, &str, &str); 6] = [
    ("criminal-records", "search", "criminal-record", "convicted"),
    ("disability", "card", "disability-card", "valid"),
    ("employment", "registration", "unemployment", "registered"),
    ("personal-files", "holder", "personal-file", "holder"),
    ("real-estate", "holdings", "real-estate", "holds"),
    ("vehicles", "holdings", "vehicles", "holds"),
];

/// A description of it. Nobody asks over it here.
fn source(id: &str, operation: &str, fact: &str, field: &str) -> String {
    let value = if field == "holder" { "{ at = \"/PayLoad/Data/Result/0/XM\" }" } else { "{ value = true }" };
    let police = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/config/sources/police.toml")).unwrap();
    let head = police.split("[operations.households]").next().unwrap();
    let (head, _) = head.split_once("[operations.person.fact]").unwrap();
    let head = head.replacen("id = \"police\"", &format!("id = \"{id}\""), 1);
    let head = head.replace("operations.person", &format!("operations.{operation}"));
    format!("{head}[operations.{operation}.fact]\nname = \"{fact}\"\nfields = {{ {field} = {value} }}\n")
}
