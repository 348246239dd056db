//! Mistakes in who else signs people in.

use super::Overlay;

pub(super) const OIDC: &str = "
[oidc]
issuer = \"https://id.example\"
name = \"统一认证\"
client = \"heyan\"
secret = { env = \"OIDC_SECRET\" }
redirect = \"https://heyan.example/sign-in/oidc/back\"
algorithms = [\"ES256\"]
user_claim = \"preferred_username\"
role_claim = \"groups\"
roles = { ops = \"operator\", audit = \"supervisor\" }
";

/// The errors of a gateway's file that ends so.
fn errors(oidc: &str) -> Vec<String> {
    let overlay = Overlay::new();
    overlay.write("config/heyan.toml", format!("{}{oidc}", include_str!("../../config/heyan.toml")));
    overlay.errors()
}

#[test]
fn each_mistake_in_oidc_is_told_with_its_line() {
    assert!(errors(OIDC).is_empty(), "{:#?}", errors(OIDC));
    let first = include_str!("../../config/heyan.toml").lines().count() + 1;
    for (before, after, line, told) in [
        ("issuer = \"https://id.example\"\n", "", "[oidc]", "\"issuer\" is missing"),
        ("roles = { ops = \"operator\", audit = \"supervisor\" }\n", "", "[oidc]", "\"roles\" is missing"),
        ("https://id.example", "http://id.example", "issuer", "write https://, or http:// of this machine"),
        ("https://id.example", "https://heyan:word@id.example", "issuer", "is not a safe address"),
        ("https://id.example", "id.example", "issuer", "issuer"),
        ("https://heyan.example", "http://heyan.example", "redirect", "write https://, or http:// of this machine"),
        ("/sign-in/oidc/back", "/oidc", "redirect", "end it so"),
        ("\"ES256\"", "\"HS256\"", "algorithms", "unknown value"),
        ("\"ES256\"", "\"none\"", "algorithms", "unknown value"),
        ("[\"ES256\"]", "[]", "algorithms", "algorithms"),
        ("\"operator\"", "\"admin\"", "roles", "committee, operator or supervisor"),
        ("\"operator\"", "\"committee\"", "roles", "agency_claim says of which"),
        ("{ ops = \"operator\", audit = \"supervisor\" }", "{}", "roles", "roles"),
        ("OIDC_SECRET", "OIDC_WORD", "secret", "OIDC_WORD is not set"),
        ("{ env = \"OIDC_SECRET\" }", "\"word\"", "secret", "secret"),
        ("{ env = \"OIDC_SECRET\" }", "{ file = \"/nowhere\" }", "secret", "/nowhere cannot be read"),
        ("user_claim", "user", "user", "user"),
        ("algorithms =", "ca = \"/nowhere\"\nalgorithms =", "ca", "authorities cannot be read"),
        ("algorithms =", "ca = \"Cargo.toml\"\nalgorithms =", "ca", "holds none"),
        ("roles =", "agencies = { a = \"nobody\" }\nroles =", "agencies", "nobody"),
    ] {
        assert!(OIDC.contains(before), "{before}");
        let broken = OIDC.replacen(before, after, 1);
        let at = first + broken.lines().position(|found| found.starts_with(line)).unwrap();
        let told_at = |error: &String| error.contains(&format!("heyan.toml:{at}: ")) && error.contains(told);
        let all = errors(&broken);
        assert!(all.iter().any(told_at), "line {at}, {told}: {all:#?}");
    }
}
