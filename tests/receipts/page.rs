//! The page on which anybody checks a receipt, and the page for developers, as a browser gets them.

use std::process::Command;

use serde_json::Value;

use super::demo::Demo;
use super::town::{Scratch, send_text, start};

/// Somebody who has opened the page.
struct Reader<'a> {
    demo: &'a Demo,
    cookie: String,
    token: String,
    language: &'static str,
}

impl<'a> Reader<'a> {
    async fn new(demo: &'a Demo, language: &'static str) -> Self {
        let request = demo.get("/check").header("accept-language", language);
        let (status, fields, page) = send_text(request).await;
        assert_eq!(status, 200, "{page}");
        let cookie = fields["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
        let token = between(&page, "name=\"csrf\" value=\"", "\"").to_owned();
        Self { demo, cookie, token, language }
    }

    /// What the page says of a text.
    async fn check(&self, text: &str) -> (u16, String) {
        let form = form_urlencoded(&[("csrf", &self.token), ("code", text)]);
        let request = self.demo.post_to("/check").header("cookie", &self.cookie);
        let request = request.header("accept-language", self.language);
        let request = request.header("content-type", "application/x-www-form-urlencoded").body(form);
        let (status, fields, page) = send_text(request).await;
        assert!(fields.get("location").is_none() && page.len() < 60_000);
        assert_eq!(fields["cache-control"], "no-store");
        (status, page)
    }
}

fn form_urlencoded(fields: &[(&str, &str)]) -> String {
    let encode =
        |text: &str| percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string();
    fields.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect::<Vec<_>>().join("&")
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> &'a str {
    let (_, rest) = text.split_once(start).unwrap_or_else(|| panic!("no {start} in {text}"));
    rest.split_once(end).unwrap().0
}

#[tokio::test]
async fn anybody_checks_a_receipt_on_a_page() {
    let scratch = Scratch::new();
    let demo = start(&scratch.0, &[]);
    let answered = demo.ask("confirmed").await;
    let (code, receipt) = (answered["receipt_code"].as_str().unwrap(), answered["receipt"].as_str().unwrap());
    let chinese = Reader::new(&demo, "zh-CN").await;
    let wrapped = receipt.as_bytes().chunks(60).map(String::from_utf8_lossy).collect::<Vec<_>>().join("\r\n");
    for text in
        [code, &code.to_lowercase().replace('-', ""), &format!(" {} ", code.replace('-', "－")), receipt, &wrapped]
    {
        let (status, page) = chinese.check(text).await;
        for expected in ["回执有效", "核验结果：属实", "有效期至", "<html lang=\"zh-CN\">"] {
            assert!(status == 200 && page.contains(expected), "{expected}: {page}");
        }
        // Neither whom it is about, nor who asked, nor what was typed.
        for hidden in ["housing-fund", "agency", "receipt=", "?code", text] {
            assert!(!page.contains(hidden), "{hidden}: {page}");
        }
    }
    // What was confirmed: without its particulars, a paper could say another status.
    let unmarried = demo.sample("从未结婚").await;
    for member in ["receipt_code", "receipt"] {
        let text = unmarried[member].as_str().unwrap();
        let (_, page) = chinese.check(text).await;
        for expected in ["未婚：从来没有结过婚", "要查哪一天的婚姻状况？"] {
            assert!(page.contains(expected), "{expected}: {page}");
        }
        let told = if member == "receipt" { demo.check(text).await } else { demo.check_code(text).await };
        assert!(told["valid"] == true && told["parameters"]["status"] == "unmarried", "{told}");
        assert!(told["parameters"]["on"].is_string(), "{told}");
    }
    let altered = receipt.replacen("eyJ", "eyK", 1);
    let mistyped = if code.ends_with('0') { format!("{}1", &code[..38]) } else { format!("{}0", &code[..38]) };
    let markup = "<script>alert(1)</script>";
    for (text, expected) in [
        ("核验", "这不是回执编号"),
        (markup, "这不是回执编号"),
        (altered.as_str(), "回执无效"),
        (&"A.".repeat(5_000), "回执无效"),
    ] {
        let (status, page) = chinese.check(text).await;
        assert!(status == 200 && page.contains("回执无效") && page.contains(expected), "{expected}: {page}");
        assert!(!page.contains(markup), "{page}");
    }
    // What was mistyped says nothing of the receipt, and is there to be mended.
    let (status, page) = chinese.check(&mistyped).await;
    assert!(status == 200 && page.contains("<h1>编号输错了</h1>") && !page.contains("回执无效"), "{page}");
    assert!(page.contains(&format!("value=\"{mistyped}\"")), "{page}");
    let (status, page) = chinese.check(" \n").await;
    assert!(status == 422 && page.contains("请填写回执编号"), "{page}");
    let english = Reader::new(&demo, "en").await;
    let (_, page) = english.check(code).await;
    assert!(page.contains("The receipt is valid") && page.contains("Result: confirmed"), "{page}");
    // Without a page of ours nobody sends a form.
    let request = demo.post_to("/check").header("content-type", "application/x-www-form-urlencoded");
    let (status, _, page) = send_text(request.body(form_urlencoded(&[("code", code)]))).await;
    assert!(status == 403 && !page.contains("回执有效"), "{page}");
}

#[tokio::test]
async fn developers_find_every_operation_and_examples_that_work() {
    let scratch = Scratch::new();
    let demo = start(&scratch.0, &[]);
    let (status, fields, page) = send_text(demo.get("/docs")).await;
    assert!(status == 200 && page.len() < 60_000, "{} bytes", page.len());
    assert!(fields["content-security-policy"].to_str().unwrap().starts_with("default-src 'none'"));
    let (_, _, document) = send_text(demo.get("/openapi.json")).await;
    let document: Value = serde_json::from_str(&document).unwrap();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            assert!(page.contains(&format!("{} {path}</code>", method.to_uppercase())), "{method} {path}");
        }
    }
    let examples: Vec<&str> = page.split("<pre").skip(1).map(|rest| between(rest, ">", "</pre>")).collect();
    assert!(examples.len() > 3);
    for example in examples {
        let command = example.replace("&#34;", "\"").replace("&#39;", "'").replace("&#60;", "<").replace("&#62;", ">");
        let command = command.replace("&#38;", "&");
        let output = Command::new("sh").args(["-c", &command]).envs(demo.variables()).output().unwrap();
        let reply: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{command}: {error}"));
        assert!(output.status.success() && reply.get("status").is_none(), "{command}: {reply}");
    }
}
