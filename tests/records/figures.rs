use std::process::Command;

use crate::demands::record;
use crate::scene::Scene;

/// Reads a table as Python does; each row as a list of cells.
fn read(scene: &Scene, text: &str) -> Vec<Vec<String>> {
    let file = scene.scratch("table.csv");
    std::fs::write(&file, text).unwrap();
    let program = "import csv, json, sys\n\
                   print(json.dumps(list(csv.reader(open(sys.argv[1], encoding='utf-8-sig', newline='')))))";
    let output = Command::new("python3").args(["-c", program]).arg(&file).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[tokio::test]
async fn figures_add_up_spellings_and_are_read_by_a_spreadsheet() {
    let scene = Scene::new().await;
    let (mut east, mut west, mut over) =
        (scene.signed_in("east").await, scene.signed_in("west").await, scene.signed_in("over").await);
    for (agency, on, matter) in [
        ("某银行（沈阳）分行", "2026-01-31", "kinship"),
        ("某银行 (沈阳) 分行", "2026-02-01", "kinship"),
        ("某銀行（瀋陽）分行", "2026-02-28", "alive"),
        ("沈阳市第一中学, “东校区”", "2026-11-23", "unlisted"),
        ("某银行（沈阳）分行", "2025-12-31", "kinship"),
    ] {
        record(&mut east, matter, &[("agency", agency), ("on", on)]).await;
    }
    record(&mut west, "kinship", &[("agency", "某银行（沈阳）分行"), ("on", "2026-02-02")]).await;

    let csv = east.get("/demands/figures.csv?year=2026").await;
    assert_eq!(csv.header("content-type"), "text/csv; charset=utf-8");
    assert!(csv.header("content-disposition").starts_with("attachment"));
    assert!(csv.text.starts_with('\u{FEFF}') && csv.text.contains("\r\n"));
    let rows = read(&scene, &csv.text);
    let expected = [
        ["年", "月", "索要单位", "证明事项", "次数"],
        ["2026", "1", "某银行（沈阳）分行", "第1项 亲属关系证明", "1"],
        ["2026", "2", "某银行（沈阳）分行", "第1项 亲属关系证明", "1"],
        ["2026", "2", "某银行（沈阳）分行", "第10项 健在证明", "1"],
        ["2026", "11", "沈阳市第一中学, “东校区”", "其他没有依据的证明", "1"],
    ];
    assert_eq!(rows, expected);
    let all = read(&scene, &over.get("/demands/figures.csv?year=2026").await.text);
    let banks: u32 =
        all.iter().filter(|row| row[2] == "某银行（沈阳）分行").map(|row| row[4].parse::<u32>().unwrap()).sum();
    assert_eq!(banks, 4, "of all committees");

    let list = read(&scene, &over.get("/demands/list.csv?year=2026").await.text);
    assert_eq!(list.len(), 1 + 5);
    assert!(list.iter().all(|row| row.len() == list[0].len()));
    let february = read(&scene, &over.get("/demands/list.csv?year=2026&month=2&matter=kinship").await.text);
    assert_eq!(february.len(), 1 + 2);

    let page = over.get("/demands/figures?year=2026").await;
    assert_eq!(page.text.matches("某银行（沈阳）分行").count(), 3, "once by agency, once with each matter");
    assert!(!page.says("某銀行"), "it is called as it was met first");
    let other = over.get("/demands/figures?year=2025").await;
    assert!(other.says("某银行（沈阳）分行") && !other.says("健在证明"));
}

#[tokio::test]
async fn filters_show_what_they_say_and_forgive_nonsense() {
    let scene = Scene::new().await;
    let mut east = scene.signed_in("east").await;
    record(&mut east, "kinship", &[("on", "2026-03-01")]).await;
    record(&mut east, "alive", &[("on", "2026-04-01"), ("agency", "沈阳市某小学")]).await;
    for (query, kinship, alive) in [
        ("", true, true),
        ("?year=2026", true, true),
        ("?year=2025", false, false),
        ("?month=3", true, false),
        ("?matter=alive", false, true),
        ("?state=recorded", true, true),
        ("?state=corrected", false, false),
        ("?agency=1", true, false),
        ("?year=x&month=99&matter=<b>&state=%FE&agency=-1&page=0", true, true),
    ] {
        let page = east.get(&format!("/demands{query}")).await;
        if query.contains("%FE") {
            assert_eq!(page.status, 400);
            continue;
        }
        let shown = (page.says("<td>某银行沈阳和平支行"), page.says("<td>沈阳市某小学"));
        assert_eq!(shown, (kinship, alive), "{query}");
    }
    let nonsense = east.get("/demands?year=x&month=99&matter=%3Cb%3E&agency=-1&page=0").await;
    assert!(nonsense.status == 200 && !nonsense.says("<b>"));
}
