//! Small towns in which something has happened that is easily judged wrongly.

use heyan::domain::Outcome::{self, Confirmed, Mismatch, NoRecord, Refuted};
use serde_json::json;

use super::TODAY;
use super::town::{NEVER, Resident, Town, statuses};

const MAN: bool = true;
const WOMAN: bool = false;

const UNMARRIED: usize = 0;
const MARRIED: usize = 1;
const DIVORCED: usize = 2;
const WIDOWED: usize = 3;

fn couple(town: &mut Town) -> [Resident; 2] {
    [town.resident("张三", "1970-01-01", MAN), town.resident("李四", "1972-02-02", WOMAN)]
}

fn relation(relation: &str) -> [(&str, serde_json::Value); 1] {
    [("relation", json!(relation))]
}

/// They are married to each other or not, whoever asks, under both claims, and the statuses say the same.
fn agree(town: &Town, one: Resident, other: Resident, truth: Outcome, status: usize) {
    for claim in ["kinship/spouse", "marital-status/spouses"] {
        assert_eq!(town.ask(claim, &[one, other], &[]), truth, "{claim}");
        assert_eq!(town.ask(claim, &[other, one], &[]), truth, "{claim}, asked the other way round");
    }
    for person in [one, other] {
        only(town, person, status);
    }
}

/// The person has this status, and no other.
fn only(town: &Town, person: Resident, status: usize) {
    let mut expected = [Refuted; 4];
    expected[status] = Confirmed;
    assert_eq!(statuses(town, person, TODAY), expected);
}

#[test]
fn an_adopter_by_another_name_is_a_mismatch() {
    let mut town = Town::default();
    let [father, mother] = couple(&mut town);
    let adopter = town.resident("王强", "1974-03-03", MAN);
    let child = town.resident("王雨", "2010-05-05", WOMAN);
    town.bear(child, mother, Some(father));
    town.adopt(child, &[adopter], &[father, mother], "2014-01-01");
    for claim in ["kinship/parent-child", "childbearing/parent-of"] {
        assert_eq!(town.ask(claim, &[adopter.called("王刚"), child], &[]), Mismatch);
        assert_eq!(town.ask(claim, &[adopter, child.called("李雨")], &[]), Mismatch);
        assert_eq!(town.ask(claim, &[adopter, child], &[]), Confirmed);
        assert_eq!(town.asked(), ["civil-affairs.adoptions"]);
        assert_eq!(town.ask(claim, &[mother, child], &[]), Refuted);
    }
    town.die(adopter, "2024-01-01");
    assert_eq!(town.ask("inheritance/heir-of", &[child, adopter], &relation("child")), Confirmed);
    assert_eq!(town.ask("inheritance/heir-of", &[child, adopter.called("王刚")], &relation("child")), Mismatch);
    town.die(child, "2025-01-01");
    assert_eq!(town.ask("inheritance/heir-of", &[mother, child], &relation("parent")), Refuted);
}

#[test]
fn a_judgment_is_confirmed_only_of_whom_the_police_know_by_that_name() {
    for (claim, kind) in
        [("death/declared-dead", "declared-dead"), ("missing-person/declared-missing", "declared-missing")]
    {
        let mut town = Town::default();
        let (person, other) = (town.resident("张三", "1970-01-01", MAN), town.resident("李四", "1972-02-02", WOMAN));
        let stranger = town.stranger("赵六", "1980-01-01", MAN);
        town.judge(kind, &[person], "2020-01-01");
        town.judge(kind, &[stranger], "2020-01-01");
        assert_eq!(town.ask(claim, &[person], &[]), Confirmed);
        assert_eq!(town.ask(claim, &[person.called("李四")], &[]), Mismatch);
        assert_eq!(town.ask(claim, &[stranger], &[]), NoRecord);
        assert_eq!(town.ask(claim, &[other], &[]), NoRecord);
        assert_eq!(town.asked(), ["court.index"], "the police need not be asked");
    }
}

#[test]
fn a_court_alone_confirms_no_death_of_another_name() {
    let mut town = Town::default();
    let person = town.resident("张三", "1970-01-01", MAN);
    town.judge("declared-dead", &[person], "2020-01-01");
    assert_eq!(town.ask("death/died", &[person], &[]), Confirmed);
    assert_eq!(town.ask("death/died", &[person.called("李四")], &[]), Mismatch);
    assert_eq!(town.ask("death/died", &[person], &[("on_or_before", json!("2020-01-01"))]), Confirmed);
    assert_eq!(town.ask("death/died", &[person], &[("on_or_before", json!("2019-12-31"))]), NoRecord);
}

#[test]
fn who_married_each_other_again_inherits() {
    for known_to_civil_affairs in [true, false] {
        let mut town = Town::default();
        let [husband, wife] = couple(&mut town);
        let (to, by) = if known_to_civil_affairs { ("2005-01-01", "divorce") } else { (NEVER, "none") };
        town.marry(husband, wife, "1995-01-01", to, by);
        town.judge("divorce", &[husband, wife], "2005-01-01");
        town.marry(husband, wife, "2005-01-01", NEVER, "none");
        agree(&town, husband, wife, Confirmed, MARRIED);
        town.die(husband, "2020-01-01");
        assert_eq!(town.ask("inheritance/heir-of", &[wife, husband], &relation("spouse")), Confirmed);
        only(&town, wife, WIDOWED);
        // The judgment says what it said.
        let parted = town.ask("marital-status/spouses", &[husband, wife], &[("on", json!("2004-12-31"))]);
        assert_eq!(parted, Confirmed);
    }
}

#[test]
fn who_was_divorced_by_court_does_not_inherit() {
    let mut town = Town::default();
    let [husband, wife] = couple(&mut town);
    town.marry(husband, wife, "1995-01-01", NEVER, "none");
    town.judge("divorce", &[husband, wife], "2005-01-01");
    agree(&town, husband, wife, Refuted, DIVORCED);
    town.die(husband, "2020-01-01");
    assert_eq!(town.ask("inheritance/heir-of", &[wife, husband], &relation("spouse")), Refuted);
}

#[test]
fn parentage_is_inherited_as_it_was_at_the_death() {
    let mut town = Town::default();
    let [father, mother] = couple(&mut town);
    let (adopter, later) = (town.resident("王强", "1974-03-03", MAN), town.resident("赵敏", "1975-03-03", WOMAN));
    let (orphan, given_away) = (town.resident("王雨", "2010-05-05", WOMAN), town.resident("王雪", "2008-05-05", WOMAN));
    for child in [orphan, given_away] {
        town.bear(child, mother, Some(father));
    }
    town.adopt(given_away, &[adopter], &[father, mother], "2012-01-01");
    town.die(father, "2015-01-01");
    town.strike_off(mother, "2015-01-02");
    town.adopt(orphan, &[adopter], &[father, mother], "2016-01-01");
    town.adopt(orphan, &[later], &[father, mother], "2019-01-01");
    town.die(adopter, "2017-01-01");
    let heir = |heir, decedent| town.ask("inheritance/heir-of", &[heir, decedent], &relation("child"));
    for parent in [father, mother] {
        assert_eq!(heir(orphan, parent), Confirmed);
        assert_eq!(heir(given_away, parent), Refuted);
        assert_eq!(town.ask("kinship/parent-child", &[parent, orphan], &[]), Refuted);
    }
    assert_eq!(heir(orphan, adopter), Confirmed);
    assert_eq!(heir(given_away, adopter), Confirmed);
    assert_eq!(heir(orphan.called("王冰"), father), Mismatch);
    assert_eq!(heir(orphan, later), NoRecord, "who lives leaves nothing");
    assert_eq!(town.ask("kinship/parent-child", &[later, orphan], &[]), Confirmed);
}

#[test]
fn parentage_at_the_death_rests_on_registers_where_there_is_no_birth_record() {
    let mut town = Town::default();
    let [father, stranger] = couple(&mut town);
    let child = town.resident("张平", "1992-05-05", MAN);
    town.list("900000001", &[(father, "02"), (child, "21")], "1992-05-05", "2012-01-01");
    town.die(father, "2015-01-01");
    let heir = |heir, decedent| town.ask("inheritance/heir-of", &[heir, decedent], &relation("child"));
    assert_eq!(heir(child, father), Confirmed);
    assert_eq!(heir(child.called("张安"), father), Mismatch);
    assert_eq!(heir(stranger, father), NoRecord);
    town.die(child, "2014-01-01");
    assert_eq!(
        town.ask("inheritance/heir-of", &[child, father], &relation("child")),
        Refuted,
        "who died before inherits nothing"
    );
}

#[test]
fn a_judgment_ends_the_marriage_that_was_in_force_on_its_day() {
    for kind in ["divorce", "annulment"] {
        let mut town = Town::default();
        let [husband, wife] = couple(&mut town);
        town.marry(husband, wife, "1995-01-01", NEVER, "none");
        town.judge(kind, &[husband, wife], "2005-01-01");
        town.marry(husband, wife, "2010-01-01", NEVER, "none");
        agree(&town, husband, wife, Confirmed, MARRIED);
        // Nor does the later marriage's end bring the first one back.
        let mut town = Town::default();
        let [husband, wife] = couple(&mut town);
        town.marry(husband, wife, "1995-01-01", NEVER, "none");
        town.judge(kind, &[husband, wife], "2005-01-01");
        town.marry(husband, wife, "2010-01-01", "2015-01-01", "divorce");
        agree(&town, husband, wife, Refuted, DIVORCED);
    }
}

#[test]
fn an_annulled_marriage_never_was() {
    for known_to_civil_affairs in [true, false] {
        let mut town = Town::default();
        let [husband, wife] = couple(&mut town);
        let (to, by) = if known_to_civil_affairs { ("2021-01-01", "annulment") } else { (NEVER, "none") };
        town.marry(husband, wife, "2020-01-01", to, by);
        town.judge("annulment", &[husband, wife], "2021-01-01");
        agree(&town, husband, wife, Refuted, UNMARRIED);
        // Somebody whose first marriage ended by divorce is divorced again.
        let former = town.resident("赵敏", "1975-03-03", WOMAN);
        town.marry(husband, former, "2000-01-01", "2010-01-01", "divorce");
        only(&town, husband, DIVORCED);
        only(&town, wife, UNMARRIED);
    }
}

#[test]
fn civil_affairs_own_record_of_a_death_makes_a_widow() {
    let mut town = Town::default();
    let [husband, wife] = couple(&mut town);
    town.marry(husband, wife, "1995-01-01", "2020-01-01", "death");
    only(&town, wife, WIDOWED);
    // Whose own death is known was not widowed by it.
    town.die(husband, "2020-01-01");
    only(&town, wife, WIDOWED);
    assert_eq!(statuses(&town, husband, TODAY), [Refuted; 4]);
    assert_eq!(town.ask("kinship/spouse", &[husband, wife], &[]), Refuted);
}

#[test]
fn no_other_name_is_refuted_or_confirmed_as_a_spouse() {
    let mut town = Town::default();
    let [husband, wife] = couple(&mut town);
    let other = town.resident("赵敏", "1975-03-03", WOMAN);
    let nobody = town.stranger("赵六", "1980-01-01", WOMAN);
    town.marry(husband, wife, "1995-01-01", NEVER, "none");
    let ask = |one, other| {
        let [there, back] = [[one, other], [other, one]].map(|pair| town.ask("kinship/spouse", &pair, &[]));
        assert_eq!(there, back);
        there
    };
    assert_eq!(ask(husband, wife), Confirmed);
    assert_eq!(ask(husband, other), Refuted);
    for (one, other) in
        [(husband.called("张四"), wife), (husband, wife.called("李五")), (husband, other.called("赵敏敏"))]
    {
        assert_eq!(ask(one, other), Mismatch);
    }
    assert_eq!(ask(husband, nobody), NoRecord);
}

#[test]
fn a_birth_that_health_does_not_know_refutes_no_right_count() {
    // To the head of the household: mother, child.
    for (mother_is, child_is) in [("02", "31"), ("12", "31"), ("12", "37"), ("38", "42"), ("30", "44"), ("97", "97")] {
        let mut town = Town::default();
        let [head, mother] = [town.resident("张三", "1985-01-01", MAN), town.resident("李四", "1986-02-02", WOMAN)];
        let (elder, newborn) = (town.resident("张大", "2015-01-01", MAN), town.resident("张小", "2026-01-01", WOMAN));
        town.bear(elder, mother, None);
        let mother_only = [(mother, mother_is), (newborn, child_is)];
        town.list("900000001", &mother_only, "2026-01-01", NEVER);
        if mother_is != "02" {
            town.list("900000001", &[(head, "02")], "2026-01-01", NEVER);
        }
        let counts =
            [0, 1, 2, 3].map(|count| town.ask("childbearing/has-children", &[mother], &[("count", json!(count))]));
        let certain = mother_is == "02";
        let expected =
            if certain { [Refuted, Refuted, Confirmed, Refuted] } else { [Refuted, NoRecord, NoRecord, Refuted] };
        assert_eq!(counts, expected, "{mother_is} and {child_is}");
        // Once health knows, all is clear.
        town.bear(newborn, mother, None);
        let right = town.ask("childbearing/has-children", &[mother], &[("count", json!(2))]);
        assert_eq!(right, Confirmed, "{mother_is} and {child_is}");
        let misnamed = town.ask("childbearing/has-children", &[mother.called("李五")], &[("count", json!(2))]);
        assert_eq!(misnamed, Mismatch);
    }
}

#[test]
fn nobody_unknown_is_refuted_as_a_member_of_a_household() {
    let mut town = Town::default();
    let [one, other] = couple(&mut town);
    let stranger = town.stranger("赵六", "1980-01-01", MAN);
    for when in ["now", "ever"] {
        let ask = |one, other| {
            let [there, back] = [[one, other], [other, one]]
                .map(|pair| town.ask("kinship/same-household", &pair, &[("when", json!(when))]));
            assert_eq!(there, back);
            there
        };
        assert_eq!(ask(one, stranger), NoRecord);
        assert_eq!(ask(one, other), Refuted);
        assert_eq!(ask(one, other.called("李五")), Mismatch);
    }
    town.list("900000001", &[(one, "02"), (other, "12")], "1995-01-01", "2005-01-01");
    let ask = |when: &str| town.ask("kinship/same-household", &[other, one], &[("when", json!(when))]);
    assert_eq!((ask("ever"), ask("now")), (Confirmed, Refuted));
}
