use jiff::civil::date;

use super::*;
use crate::demands::{AgencyName, Author, Demander, Kind, Level, NoResult, Office, Said, Step, figures};

fn name(text: &str) -> AgencyName {
    text.to_owned().try_into().unwrap()
}

fn at(day: i64) -> Timestamp {
    Timestamp::from_second(1_760_000_000 + day * 86_400).unwrap()
}

fn new(form: usize, committee: &str, agency: &str, month: i8) -> NewDemand {
    let demander = Demander { name: name(agency), kind: Kind::Service, level: Level::City, superior: None };
    let facts = Facts {
        subject: Subject::named(if form.is_multiple_of(2) { "kinship" } else { "unlisted" }).unwrap(),
        demander,
        on: date(2025, month, 3),
        said: Said::NoReason,
        note: None,
        basis: "辽民发〔2020〕52号 二（一）".to_owned(),
    };
    let committee = AgencyId(committee.parse().unwrap());
    NewDemand { form: form.to_string(), committee, worker: "lihua".to_owned(), facts }
}

fn step(form: &str, seen: usize, step: Step) -> NewStep {
    let author = Author { user: "lihua".to_owned(), office: Office::Committee };
    let note = Some("说明".to_owned().try_into().unwrap());
    NewStep { form: form.to_owned(), seen, entry: Entry { step, on: date(2025, 12, 1), author, at: at(0), note } }
}

/// A desk with demands of two committees, one a day, some of which have ended.
async fn desk() -> Desk {
    let desk = Desk::in_memory().unwrap();
    let today = date(2025, 12, 31);
    for number in 0..12_usize {
        let committee = if number < 8 { "east" } else { "west" };
        let agency = ["某银行（沈阳）分行", "某銀行 (瀋陽) 分行", "沈阳市某小学"][number % 3];
        let month = i8::try_from(number % 4 + 1).unwrap();
        let day = i64::try_from(number).unwrap();
        let id = desk.record_demand(new(number, committee, agency, month), at(day)).await.unwrap();
        let steps =
            [Step::LetterSent { to: name("沈阳市教育局") }, Step::Closed { why: NoResult::NoAnswer }, Step::TakenBack];
        for (seen, one) in steps.into_iter().take(number % 4).enumerate() {
            let done = desk.follow_up(id, step(&format!("{number}/{seen}"), seen, one), today).await.unwrap();
            assert!(matches!(done, Followed::Entered(_)), "{done:?}");
        }
    }
    desk
}

#[tokio::test]
async fn figures_stay_the_same_when_records_go() {
    let desk = desk().await;
    let of = async |committee: Option<&str>| {
        let committee = committee.map(|id| AgencyId(id.parse().unwrap()));
        figures(2025, &desk.counted_demands(committee, 2025).await.unwrap())
    };
    let before = [of(None).await, of(Some("east")).await, of(Some("west")).await];
    assert_eq!((before[0].total.total, before[0].by_agency.len()), (12, 2));
    assert_eq!(before[0].total.total, before[1].total.total + before[2].total.total);
    for (day, gone) in [(0, 0), (5, 5), (5, 0), (20, 7)] {
        assert_eq!(desk.end_demands(at(day)).await.unwrap(), gone);
        assert_eq!([of(None).await, of(Some("east")).await, of(Some("west")).await], before);
    }
    let (left, count) = desk.demands(Wanted::default(), 0, 50).await.unwrap();
    assert!(left.is_empty() && count == 0);
    assert_eq!(desk.demand_choices(None).await.unwrap().years, [2025], "its figures can be looked at");
}

#[tokio::test]
async fn a_form_does_its_work_once_and_a_number_is_given_once() {
    let desk = Desk::in_memory().unwrap();
    let today = date(2025, 12, 31);
    let id = desk.record_demand(new(1, "east", "某小学", 1), at(0)).await.unwrap();
    assert_eq!(desk.record_demand(new(1, "east", "某小学", 1), at(1)).await.unwrap(), id);
    let other = desk.record_demand(new(2, "east", "某小学", 1), at(1)).await.unwrap();
    let west = desk.record_demand(new(3, "west", "某小学", 1), at(1)).await.unwrap();
    let mut numbers = Vec::new();
    for id in [id, other, west] {
        numbers.push(desk.demand(id).await.unwrap().unwrap().demand.number.to_string());
    }
    assert_eq!(numbers, ["2025-0001", "2025-0002", "2025-0001"]);
    let letter = || Step::LetterSent { to: name("沈阳市教育局") };
    let sent = |form: &str, seen| step(form, seen, letter());
    assert_eq!(desk.follow_up(id, sent("a", 0), today).await.unwrap(), Followed::Entered(State::LetterSent));
    assert_eq!(desk.follow_up(id, sent("a", 0), today).await.unwrap(), Followed::Entered(State::LetterSent));
    assert_eq!(desk.follow_up(id, sent("b", 0), today).await.unwrap(), Followed::Moved);
    assert_eq!(desk.follow_up(Uuid::nil(), sent("c", 0), today).await.unwrap(), Followed::Gone);
    assert_eq!(desk.demand(id).await.unwrap().unwrap().history.len(), 1);
}

/// What was entered is not changed, whatever a program tries.
#[tokio::test]
async fn the_tables_refuse_to_change_what_was_entered() {
    let desk = desk().await;
    for sql in [
        "UPDATE demands SET name = 'x'",
        "UPDATE demands SET demanded = '2020-01-01'",
        "UPDATE demand_steps SET entry = '{}'",
        "DELETE FROM demands",
        "DELETE FROM demand_steps",
    ] {
        let refused = desk.run(move |connection| Ok(connection.execute(sql, [])?)).await;
        assert!(matches!(refused, Err(DeskError::Sqlite(_))), "{sql}");
    }
    assert_eq!(desk.demands(Wanted::default(), 0, 50).await.unwrap().1, 12);
}
