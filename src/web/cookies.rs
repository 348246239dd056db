//! What browsers are given to bring back.

use axum::http::{HeaderMap, HeaderValue, header};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::front::Cookies;

/// A cookie of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cookie {
    /// Whoever has signed in.
    Session,
    /// Somebody who has not: it binds the forms that are shown to the browser that they are shown in.
    Visitor,
    /// A browser in which somebody has signed in before, and who that was.
    Device,
    /// The language that somebody has chosen.
    Language,
}

impl Cookie {
    /// Its name. A browser takes one that begins with `__Host-` only over TLS, from this very host, for all of it.
    fn name(self, cookies: Cookies) -> &'static str {
        match (self, cookies) {
            (Self::Session, Cookies::Secure) => "__Host-heyan-session",
            (Self::Session, Cookies::Plain) => "heyan-session",
            (Self::Visitor, Cookies::Secure) => "__Host-heyan-visitor",
            (Self::Visitor, Cookies::Plain) => "heyan-visitor",
            (Self::Device, Cookies::Secure) => "__Host-heyan-device",
            (Self::Device, Cookies::Plain) => "heyan-device",
            (Self::Language, Cookies::Secure) => "__Host-heyan-language",
            (Self::Language, Cookies::Plain) => "heyan-language",
        }
    }

    /// For how many seconds the browser keeps it; `None`: until it is closed.
    fn age(self) -> Option<u32> {
        match self {
            Self::Session | Self::Visitor => None,
            Self::Device => Some(90 * 24 * 3600),
            Self::Language => Some(365 * 24 * 3600),
        }
    }

    /// What a request has brought back under its name: of two, the first.
    pub(super) fn read(self, cookies: Cookies, fields: &HeaderMap) -> Option<&str> {
        let name = self.name(cookies);
        let fields = fields.get_all(header::COOKIE).iter().filter_map(|field| field.to_str().ok());
        let mut pairs = fields.flat_map(|field| field.split(';')).filter_map(|pair| pair.trim().split_once('='));
        pairs.find(|(found, _)| *found == name).map(|(_, value)| value)
    }

    /// Likewise, where it is 32 random bytes.
    pub(super) fn read_bytes(self, cookies: Cookies, fields: &HeaderMap) -> Option<[u8; 32]> {
        URL_SAFE_NO_PAD.decode(self.read(cookies, fields)?).ok()?.try_into().ok()
    }

    /// Gives it to the browser.
    pub(super) fn give(self, cookies: Cookies, value: &str, fields: &mut HeaderMap) {
        let age = self.age().map(|seconds| format!("; Max-Age={seconds}")).unwrap_or_default();
        self.append(cookies, &format!("{value}{age}"), fields);
    }

    /// Likewise, where it is 32 random bytes.
    pub(super) fn give_bytes(self, cookies: Cookies, value: &[u8; 32], fields: &mut HeaderMap) {
        self.give(cookies, &URL_SAFE_NO_PAD.encode(value), fields);
    }

    /// Whether a reply gives it, or takes it, already.
    pub(super) fn is_given(self, cookies: Cookies, fields: &HeaderMap) -> bool {
        let given = fields.get_all(header::SET_COOKIE).iter().filter_map(|cookie| cookie.to_str().ok());
        given.filter_map(|cookie| cookie.split_once('=')).any(|(name, _)| name == self.name(cookies))
    }

    /// Takes it from the browser.
    pub(super) fn take(self, cookies: Cookies, fields: &mut HeaderMap) {
        self.append(cookies, "; Max-Age=0", fields);
    }

    fn append(self, cookies: Cookies, value: &str, fields: &mut HeaderMap) {
        let secure = match cookies {
            Cookies::Secure => "; Secure",
            Cookies::Plain => "",
        };
        let text = format!("{}={value}; Path=/; HttpOnly; SameSite=Lax{secure}", self.name(cookies));
        // Our values are plain characters.
        if let Ok(text) = HeaderValue::from_str(&text) {
            fields.append(header::SET_COOKIE, text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_come_back_as_they_were_given() {
        for cookies in [Cookies::Secure, Cookies::Plain] {
            let mut given = HeaderMap::new();
            Cookie::Session.give_bytes(cookies, &[3; 32], &mut given);
            let text = given[header::SET_COOKIE].to_str().unwrap().to_owned();
            assert!(text.ends_with("; Path=/; HttpOnly; SameSite=Lax") != (cookies == Cookies::Secure), "{text}");
            assert_eq!(text.starts_with("__Host-"), text.ends_with("; Secure"));
            let mut brought = HeaderMap::new();
            let pair = text.split(';').next().unwrap();
            brought.insert(header::COOKIE, format!("a=b; {pair}; c").parse().unwrap());
            assert_eq!(Cookie::Session.read_bytes(cookies, &brought), Some([3; 32]));
            assert_eq!(Cookie::Device.read(cookies, &brought), None);
        }
    }
}
