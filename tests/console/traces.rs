//! Recent traces are found by what they are about.

use serde_json::json;

use crate::town::Town;

#[tokio::test]
async fn a_trace_is_found_by_each_filter_and_drawn() {
    let town = Town::start();
    let people = town.people().await;
    let well = town.ask(&people[0]).await["trace_id"].as_str().unwrap().to_owned();
    town.demo.fault("police", "refuse").await;
    let failed = town.ask(&people[1]).await["trace_id"].as_str().unwrap().to_owned();
    let mut browser = town.operator().await;
    let mut shown = async |query: &str| {
        browser.go(&format!("/operator/traces?{query}")).await;
        assert_eq!(browser.page.status, 200, "{query}");
        let link = |trace: &str| browser.page.text.contains(&format!("href=\"/operator/traces/{trace}\""));
        (link(&well), link(&failed))
    };
    for (query, expected) in [
        ("", (true, true)),
        (&*format!("trace={well}"), (true, false)),
        ("outcome=confirmed", (true, false)),
        ("outcome=unavailable", (false, true)),
        ("source=police", (true, true)),
        ("source=court", (false, false)),
        ("cause=connect-refused", (false, true)),
        ("cause=tls", (false, false)),
        ("agency=demo", (true, true)),
        ("agency=nobody", (false, false)),
        ("claim=identity%2Fname-matches-id", (true, true)),
        ("claim=alive%2Falive", (false, false)),
        ("slower=3600000", (false, false)),
        ("slower=0", (true, true)),
    ] {
        assert_eq!(shown(query).await, expected, "{query}");
    }
    for (query, told) in
        [("trace=xyz", "链路编号"), ("outcome=perhaps", "结果"), ("slower=soon", "毫秒"), ("cause=none", "原因")]
    {
        browser.go(&format!("/operator/traces?{query}")).await;
        assert!(browser.text().contains(told) && browser.page.text.contains("class=\"error\""), "{query}");
    }
    browser.go(&format!("/operator/traces/{failed}")).await;
    assert_eq!(browser.page.status, 200);
    let said = browser.text();
    for told in ["police", "person", "连不上", "unavailable", "演示用证部门"] {
        assert!(said.contains(told), "{told}: {said}");
    }
    assert!(browser.page.text.contains("<svg") && browser.page.text.contains("<table"));
    let unknown = "0123456789abcdef0123456789abcdef";
    for (query, told) in [
        (format!("trace={unknown}"), "要么编号不对，要么是系统这次启动以前的"),
        (format!("trace={well}&outcome=unavailable"), "不符合您填的其他条件"),
        ("cause=tls".to_owned(), "没有这样的链路"),
    ] {
        browser.go(&format!("/operator/traces?{query}")).await;
        assert!(browser.text().contains(told), "{query}: {}", browser.text());
    }
    // A request that came to no question has a trace, too.
    let refused = town.ask(&json!({"name": "甲", "id_number": "1"})).await["trace_id"].as_str().unwrap().to_owned();
    browser.go(&format!("/operator/traces?trace={refused}")).await;
    assert!(browser.page.text.contains(&format!("href=\"/operator/traces/{refused}\"")), "{}", browser.text());
    for strange in ["x", "00000000000000000000000000000000", "0123456789abcdef0123456789abcdef"] {
        browser.go(&format!("/operator/traces/{strange}")).await;
        assert_eq!(browser.page.status, 404, "{strange}");
    }
}
