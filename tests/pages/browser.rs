use std::collections::BTreeMap;
use std::net::SocketAddr;

use heyan::accounts::UserName;
use reqwest::header::HeaderMap;
use reqwest::{Client, Method, RequestBuilder};

/// As much of a browser as is needed: it keeps cookies, and sends forms as they stand on a page.
#[derive(Clone)]
pub(crate) struct Browser {
    client: Client,
    base: String,
    pub(crate) cookies: BTreeMap<String, String>,
    /// Sent with everything.
    pub(crate) fields: Vec<(&'static str, String)>,
}

/// What it was shown.
#[derive(Debug)]
pub(crate) struct Shown {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Browser {
    pub(crate) fn new(address: SocketAddr) -> Self {
        let client = Client::builder().no_proxy().pool_max_idle_per_host(0);
        let client = client.redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let fields = vec![("accept", "text/html".to_owned())];
        Self { client, base: format!("http://{address}"), cookies: BTreeMap::new(), fields }
    }

    pub(crate) async fn get(&mut self, path: &str) -> Shown {
        let request = self.client.request(Method::GET, format!("{}{path}", self.base));
        self.send(request).await
    }

    /// Sends a form with these fields, and nothing else.
    pub(crate) async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Shown {
        let request = self.client.request(Method::POST, format!("{}{path}", self.base));
        let kind = "application/x-www-form-urlencoded";
        self.send(request.header("content-type", kind).body(encode(fields))).await
    }

    /// Fills in the form of a page that goes to this path, and sends it.
    pub(crate) async fn submit(&mut self, page: &Shown, path: &str, typed: &[(&str, &str)]) -> Shown {
        let mut fields = page.hidden(path);
        fields.extend(typed.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        self.post(path, &fields).await
    }

    pub(crate) async fn sign_in(&mut self, user: &str, password: &str) -> Shown {
        let page = self.get("/sign-in").await;
        self.submit(&page, "/sign-in", &[("user", user), ("password", password)]).await
    }

    /// Whether somebody is signed in here, and who.
    pub(crate) async fn who(&mut self) -> Option<UserName> {
        let page = self.get("/account").await;
        let rest = page.text.split("用户名</dt><dd>").nth(1)?;
        rest.split("</dd>").next()?.parse().ok()
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.base))
    }

    pub(crate) async fn send(&mut self, mut request: RequestBuilder) -> Shown {
        for (name, value) in &self.fields {
            request = request.header(*name, value);
        }
        let pairs: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if !pairs.is_empty() {
            request = request.header("cookie", pairs.join("; "));
        }
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        for given in headers.get_all("set-cookie") {
            let (pair, attributes) = given.to_str().unwrap().split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            if attributes.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        Shown { status, headers, text: response.text().await.unwrap() }
    }
}

impl Shown {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn location(&self) -> &str {
        self.header("location")
    }

    /// The hidden fields of the page's last form that goes to this path.
    pub(crate) fn hidden(&self, path: &str) -> Vec<(String, String)> {
        let form = self.text.rsplit("<form").find(|form| form.contains(&format!("action=\"{path}\"")));
        let form = form.unwrap_or_else(|| panic!("no form goes to {path}: {}", self.text)).split("</form>").next();
        let inputs = form.unwrap().split("<input type=\"hidden\" name=\"").skip(1);
        let pair = |input: &str| {
            let (name, rest) = input.split_once("\" value=\"").unwrap();
            (name.to_owned(), rest.split('"').next().unwrap().to_owned())
        };
        inputs.map(pair).collect()
    }

    /// The title, without the product's name.
    pub(crate) fn title(&self) -> &str {
        self.text.split("<title>").nth(1).and_then(|rest| rest.split(" · ").next()).unwrap_or_default()
    }
}

/// As browsers write a form.
fn encode(fields: &[(&str, &str)]) -> String {
    let encode =
        |text: &str| percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string();
    fields.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect::<Vec<_>>().join("&")
}
