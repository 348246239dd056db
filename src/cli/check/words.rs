//! What a probe has found, in words that an operator can act on.

use std::time::Duration;

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::diagnostic::Diagnostic;
use crate::sources::{Credential, Probed, TlsTrouble, Trouble};

/// A line for the source, and lines below it with what is wrong and what to do.
pub(super) fn lines(probed: &Probed) -> Vec<String> {
    let line = |state: &str, what: &str| format!("{:<14} {state:<9} {what}", probed.source.as_str());
    let below = |mark: &str, what: &str| format!("{:<24} {mark} {what}", "");
    let mut lines = Vec::new();
    match probed.troubles.split_first() {
        None => lines.push(line(state(probed), &summary(probed))),
        Some((first, others)) => {
            lines.push(line(state(probed), &what(first)));
            lines.push(below("→", &advice(first)));
            for trouble in others {
                lines.push(below(" ", &what(trouble)));
                lines.push(below("→", &advice(trouble)));
            }
        }
    }
    lines.extend(remarks(probed).iter().map(|remark| below("·", remark)));
    lines
}

/// The same for programs.
pub(super) fn json<'a>(probed: &[Probed], warnings: impl Iterator<Item = &'a Diagnostic>) -> Value {
    let trouble =
        |trouble: &Trouble| json!({"code": code(trouble), "message": what(trouble), "advice": advice(trouble)});
    let source = |probed: &Probed| {
        json!({
            "id": probed.source.as_str(),
            "state": state(probed).replace(' ', "-"),
            "health": probed.health,
            "until": probed.closed_until.map(|until| until.to_string()),
            "took_ms": u64::try_from(probed.took.as_millis()).unwrap_or(u64::MAX),
            "problems": probed.troubles.iter().map(trouble).collect::<Vec<_>>(),
            "remarks": remarks(probed),
        })
    };
    json!({
        "well": probed.iter().all(Probed::is_well),
        "sources": probed.iter().map(source).collect::<Vec<_>>(),
        "warnings": warnings.map(ToString::to_string).collect::<Vec<_>>(),
    })
}

fn state(probed: &Probed) -> &'static str {
    match probed.closed_until {
        Some(_) => "closed",
        None if probed.is_well() => "well",
        None => "not well",
    }
}

fn summary(probed: &Probed) -> String {
    match (&probed.closed_until, &probed.health) {
        (Some(until), _) => format!("out of service until {until}, as planned: not called"),
        (None, Some(health)) => format!("{health} answers as it should; {}", took(probed.took)),
        (None, None) => format!("it can be reached; its file has no [health]; {}", took(probed.took)),
    }
}

fn remarks(probed: &Probed) -> Vec<String> {
    let ahead = probed.ahead.map(|ahead| format!("its clock is {}", apart(ahead)));
    let unproven = probed.unproven.then(|| {
        "our credentials were shown and not objected to; that they are accepted, only a question can show".to_owned()
    });
    ahead.into_iter().chain(unproven).collect()
}

/// A word for programs.
fn code(trouble: &Trouble) -> &'static str {
    match trouble {
        Trouble::Unresolved { .. } => "unresolved",
        Trouble::Refused { .. } => "refused",
        Trouble::Silent { .. } => "silent",
        Trouble::NoWay { .. } => "no-way",
        Trouble::Tls { why, .. } => match why {
            TlsTrouble::Expired { .. } => "tls-expired",
            TlsTrouble::NotYetValid { .. } => "tls-not-yet-valid",
            TlsTrouble::UnknownIssuer => "tls-unknown-issuer",
            TlsTrouble::WrongName { .. } => "tls-wrong-name",
            TlsTrouble::OfAuthority => "tls-of-authority",
            TlsTrouble::BadCertificate => "tls-bad-certificate",
            TlsTrouble::NothingInCommon => "tls-nothing-in-common",
            TlsTrouble::NotTls => "not-tls",
            TlsTrouble::WeAreRefused => "tls-refused",
            TlsTrouble::BrokenOff => "tls-broken-off",
        },
        Trouble::Hanging { .. } => "hanging",
        Trouble::Lost { .. } => "lost",
        Trouble::NotHttp { .. } => "not-http",
        Trouble::Unwell { .. } => "unwell",
        Trouble::Denied { .. } => "denied",
        Trouble::NoCredential { .. } => "no-credential",
        Trouble::Clock { .. } => "clock",
        Trouble::Misconfigured => "misconfigured",
    }
}

fn what(trouble: &Trouble) -> String {
    match trouble {
        Trouble::Unresolved { host } => format!("no address is known for the name {host}"),
        Trouble::Refused { at } => format!("nothing listens at {at}"),
        Trouble::Silent { at, within } => format!("nothing answers at {at}, not even a refusal, within {within:?}"),
        Trouble::NoWay { at } => format!("the network has no way to {at}"),
        Trouble::Tls { at, why } => format!("no secure connection with {at}: {}", what_of_tls(why)),
        Trouble::Hanging { request, within } => format!("{request}: no answer within {within:?}"),
        Trouble::Lost { request } => format!("{request}: the connection ends before the answer is there"),
        Trouble::NotHttp { request } => format!("{request}: what answers does not speak HTTP"),
        Trouble::Unwell { request, expected, status } => format!("{request} answers {status}, not {expected}"),
        Trouble::Denied { request, status, credential, .. } => {
            let without = credential.map(|credential| format!(" and gives no {}", name(credential)));
            let without = without.unwrap_or_default();
            format!("the department does not accept our credentials: {request} answers {status}{without}")
        }
        Trouble::NoCredential { request, status, credential } => {
            format!("{request} answers {status}, and no {} can be read from that", name(*credential))
        }
        Trouble::Clock { ahead } => format!("its clock is {}, and our signatures hold the time", apart(*ahead)),
        Trouble::Misconfigured => "no request can be made of what the source's file says".to_owned(),
    }
}

fn what_of_tls(why: &TlsTrouble) -> String {
    match why {
        TlsTrouble::Expired { since: Some(since) } => format!("its certificate expired on {since}"),
        TlsTrouble::Expired { since: None } => "its certificate has expired".to_owned(),
        TlsTrouble::NotYetValid { from: Some(from) } => format!("its certificate is valid from {from} on only"),
        TlsTrouble::NotYetValid { from: None } => "its certificate is not valid yet".to_owned(),
        TlsTrouble::UnknownIssuer => "its certificate was issued by an authority that is not known here".to_owned(),
        TlsTrouble::WrongName { presented } if presented.is_empty() => "its certificate is for no name".to_owned(),
        TlsTrouble::WrongName { presented } => format!("its certificate is for {}", presented.join(", ")),
        TlsTrouble::OfAuthority => "its certificate is that of a certification authority, not of a server".to_owned(),
        TlsTrouble::BadCertificate => "its certificate cannot be used".to_owned(),
        TlsTrouble::NothingInCommon => "it has no version or method of TLS in common with us".to_owned(),
        TlsTrouble::NotTls => "what answers does not speak TLS".to_owned(),
        TlsTrouble::WeAreRefused => "it refuses us".to_owned(),
        TlsTrouble::BrokenOff => "it breaks the connection off".to_owned(),
    }
}

fn advice(trouble: &Trouble) -> String {
    match trouble {
        Trouble::Unresolved { .. } => "is the address in the source's file right, and does this machine ask the \
             department's name server?"
            .to_owned(),
        Trouble::Refused { .. } => {
            "is the department's system up, is the address right, does a firewall lie between?".to_owned()
        }
        Trouble::Silent { .. } => {
            "most likely a firewall drops what we send, or the address is wrong: ask the network's \
             operators to let this machine through"
                .to_owned()
        }
        Trouble::NoWay { .. } => {
            "is this machine on the department's network (government extranet, VPN, route)?".to_owned()
        }
        Trouble::Tls { why, .. } => advice_on_tls(why).to_owned(),
        Trouble::Hanging { .. } => {
            "it takes connections and does no work: ask the department whether its system hangs; \
             if it is only slow, raise limits.response_timeout and limits.deadline"
                .to_owned()
        }
        Trouble::Lost { .. } => "the system or a device before it hangs up: ask the department for its log of this \
             moment; is the port that of another service?"
            .to_owned(),
        Trouble::NotHttp { .. } => "is the port right, and should the address begin with https://?".to_owned(),
        Trouble::Unwell { status: 404 | 405, .. } => {
            "are the address, and health.path and health.method, right? If so, ask the department".to_owned()
        }
        Trouble::Unwell { .. } => {
            "the department says that it is not well: ask it; if that is how it says that it is, set health.status"
                .to_owned()
        }
        Trouble::Denied { secret, credential: Some(_), status: 200, .. } => format!(
            "check the secret in {secret}, our id, and that we are registered there; if all are right, the file does not \
             say rightly where the reply holds what was asked for"
        ),
        Trouble::Denied { secret, .. } => {
            format!("check the secret in {secret}, our id, and that we are registered there")
        }
        Trouble::NoCredential { credential: Credential::Token, .. } => {
            "is authentication.token_path right? If so, ask the department".to_owned()
        }
        Trouble::NoCredential { credential: Credential::WorkingKey, .. } => {
            "are authentication.key_path and authentication.key_at right? If so, ask the department".to_owned()
        }
        Trouble::Clock { .. } => {
            "set this machine's clock by a time server (NTP); if it is right, tell the department".to_owned()
        }
        Trouble::Misconfigured => {
            "check its certificates and its proxy, and that the secret is one line without control characters"
                .to_owned()
        }
    }
}

fn advice_on_tls(why: &TlsTrouble) -> &'static str {
    match why {
        TlsTrouble::Expired { .. } => "the department has to renew it; is this machine's clock right?",
        TlsTrouble::NotYetValid { .. } => "is this machine's clock right? If so, the department has to mend it",
        TlsTrouble::UnknownIssuer => {
            "get the certificate of the department's own authority, by a way that you trust, and name its file in tls.ca_file"
        }
        TlsTrouble::WrongName { .. } => {
            "write the address with a name that the certificate is for; or the department needs a certificate for this one"
        }
        TlsTrouble::OfAuthority => {
            "the department needs a certificate for its server (basicConstraints CA:FALSE); tls.ca_file names its authority's"
        }
        TlsTrouble::BadCertificate => {
            "ask the department for one that current libraries take (X.509 version 3, SHA-256)"
        }
        TlsTrouble::NothingInCommon => "the department has to offer TLS 1.2 or 1.3 with a current method",
        TlsTrouble::NotTls => "is the port right, and should the address begin with http://?",
        TlsTrouble::WeAreRefused => {
            "most likely it wants a certificate of ours: name it, with its key, in tls.identity_file, and have it registered"
        }
        TlsTrouble::BrokenOff => {
            "does it speak TLS there at all, does it want a certificate of ours (tls.identity_file), or does a device lie between?"
        }
    }
}

fn name(credential: Credential) -> &'static str {
    match credential {
        Credential::Token => "token",
        Credential::WorkingKey => "working key",
    }
}

fn took(took: Duration) -> String {
    format!("took {} ms", took.as_millis())
}

/// By how much, and in which direction.
fn apart(ahead: SignedDuration) -> String {
    let seconds = ahead.abs().as_secs();
    let length = if seconds < 600 { format!("{seconds} s") } else { format!("{} min", seconds / 60) };
    format!("{length} {} ours", if ahead.is_negative() { "behind" } else { "ahead of" })
}
