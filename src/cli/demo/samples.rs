//! A request for each kind of case that must come out right, about people whom the departments always have.

use serde_json::{Map, Value, json};

use crate::simulator::{Case, Person};

/// A request with the outcome that it has.
pub(super) struct Sample {
    pub(super) case: String,
    pub(super) request: Value,
    pub(super) outcome: &'static str,
}

impl Sample {
    pub(super) fn json(&self) -> Value {
        json!({"case": self.case, "request": self.request, "outcome": self.outcome})
    }
}

/// Case, people of the cast as role=who, claim, parameters, purpose, outcome. `$name` is a parameter of the cast.
type Row = (&'static str, &'static str, &'static str, &'static [(&'static str, &'static str)], &'static [(&'static str, &'static str)], &'static str, &'static str);

const ROWS: [Row; 43] = [
    ("夫妻", "spouses", "marital-status/spouses", &[("person", "person"), ("spouse", "spouse")], &[], "housing-fund-withdrawal", "confirmed"),
    ("夫妻（亲属关系）", "spouses", "kinship/spouse", &[("person", "person"), ("spouse", "spouse")], &[], "bank-account", "confirmed"),
    ("结婚前一天还不是夫妻", "spouses", "marital-status/spouses", &[("person", "person"), ("spouse", "spouse")], &[("on", "2000-01-01")], "housing-fund-withdrawal", "refuted"),
    ("法院判决离婚，民政部门尚不知道", "divorced-by-court", "marital-status/spouses", &[("person", "person"), ("spouse", "spouse")], &[], "housing-fund-withdrawal", "refuted"),
    ("法院判决离婚的人：离婚", "divorced-by-court", "marital-status/status-is", &[("person", "person")], &[("status", "divorced")], "marriage-registration", "confirmed"),
    ("法院判决离婚的人：已婚", "divorced-by-court", "marital-status/status-is", &[("person", "person")], &[("status", "married")], "marriage-registration", "refuted"),
    ("登记离婚", "divorced", "marital-status/status-is", &[("person", "person")], &[("status", "divorced")], "marriage-registration", "confirmed"),
    ("丧偶", "widowed", "marital-status/status-is", &[("person", "person")], &[("status", "widowed")], "pension", "confirmed"),
    ("丧偶后再婚：已婚", "widowed-remarried", "marital-status/status-is", &[("person", "person")], &[("status", "married")], "pension", "confirmed"),
    ("丧偶后再婚：丧偶", "widowed-remarried", "marital-status/status-is", &[("person", "person")], &[("status", "widowed")], "pension", "refuted"),
    ("从未结婚", "unmarried", "marital-status/status-is", &[("person", "person")], &[("status", "unmarried")], "marriage-registration", "confirmed"),
    ("被收养的孩子与养父母", "adopted", "kinship/parent-child", &[("child", "child"), ("parent", "adoptive_parent")], &[], "school-enrolment", "confirmed"),
    ("被收养的孩子与生父母", "adopted", "kinship/parent-child", &[("child", "child"), ("parent", "birth_parent")], &[], "school-enrolment", "refuted"),
    ("被收养的孩子，出生登记载明的生父母", "adopted", "birth/born-to", &[("child", "child"), ("parent", "birth_parent")], &[], "household-registration", "confirmed"),
    ("同母异父的兄弟姐妹", "half-siblings", "kinship/sibling", &[("person", "person"), ("sibling", "sibling")], &[], "bank-account", "confirmed"),
    ("出生医学证明编号", "birth", "birth/birth-certificate-matches", &[("child", "child")], &[("certificate_number", "$certificate_number")], "household-registration", "confirmed"),
    ("母亲与子女（婚育状况）", "birth", "childbearing/parent-of", &[("child", "child"), ("parent", "parent")], &[], "medical-insurance", "confirmed"),
    ("昨天在医院去世，公安尚不知道", "died-yesterday", "alive/alive", &[("person", "person")], &[], "pension", "refuted"),
    ("健在", "alive", "alive/alive", &[("person", "person")], &[], "pension", "confirmed"),
    ("健在的人没有死亡记录", "alive", "death/died", &[("person", "person")], &[], "funeral-subsidy", "no_record"),
    ("去世", "died", "death/died", &[("person", "person")], &[], "funeral-subsidy", "confirmed"),
    ("子女继承", "died", "inheritance/heir-of", &[("heir", "heir"), ("decedent", "person")], &[("relation", "child")], "inheritance-notarization", "confirmed"),
    ("配偶继承", "died", "inheritance/heir-of", &[("heir", "heir_spouse"), ("decedent", "person")], &[("relation", "spouse")], "inheritance-notarization", "confirmed"),
    ("1996 年以前出生的人与父母", "parent-before-1996", "kinship/parent-child", &[("child", "child"), ("parent", "parent")], &[], "real-estate-registration", "confirmed"),
    ("1996 年以前出生的兄弟姐妹", "siblings-before-1996", "kinship/sibling", &[("person", "person"), ("sibling", "sibling")], &[], "real-estate-registration", "confirmed"),
    ("曾经同户", "formerly-one-household", "kinship/same-household", &[("person", "person"), ("other", "other")], &[("when", "ever")], "public-rental-housing", "confirmed"),
    ("曾经同户，现在不同户", "formerly-one-household", "kinship/same-household", &[("person", "person"), ("other", "other")], &[("when", "now")], "public-rental-housing", "refuted"),
    ("户口在祖父母家的孩子与父母", "grandparents-household", "kinship/parent-child", &[("child", "child"), ("parent", "parent")], &[], "school-enrolment", "confirmed"),
    ("户口在祖父母家的孩子与祖父母同户", "grandparents-household", "kinship/same-household", &[("person", "child"), ("other", "grandparent")], &[("when", "now")], "school-enrolment", "confirmed"),
    ("同名同姓的两个人不是一家", "same-name", "kinship/same-household", &[("person", "person"), ("other", "other")], &[("when", "ever")], "bank-account", "refuted"),
    ("生僻字姓名", "rare-name", "identity/name-matches-id", &[("person", "person")], &[], "bank-account", "confirmed"),
    ("宣告失踪", "declared-missing", "missing-person/declared-missing", &[("person", "person")], &[], "insurance-claim", "confirmed"),
    ("宣告死亡", "declared-dead", "death/declared-dead", &[("person", "person")], &[], "insurance-claim", "confirmed"),
    ("宣告死亡的人不能确认健在", "declared-dead", "alive/alive", &[("person", "person")], &[], "pension", "refuted"),
    ("宣告死亡已被撤销", "declared-dead-revoked", "death/declared-dead", &[("person", "person")], &[], "insurance-claim", "no_record"),
    ("宣告死亡已被撤销的人健在", "declared-dead-revoked", "alive/alive", &[("person", "person")], &[], "pension", "confirmed"),
    ("裁判文书在纸质档案中，法院需要时间", "on-paper", "missing-person/declared-missing", &[("person", "person")], &[], "insurance-claim", "pending"),
    ("有两个子女", "has-children", "childbearing/has-children", &[("person", "person")], &[("count", "$count")], "medical-insurance", "confirmed"),
    ("没有子女", "childless", "childbearing/has-children", &[("person", "person")], &[("count", "0")], "medical-insurance", "confirmed"),
    ("有两个子女，不是三个", "has-children", "childbearing/has-children", &[("person", "person")], &[("count", "3")], "medical-insurance", "refuted"),
    ("户籍在辽宁省", "alive", "identity/registered-in", &[("person", "person")], &[("division", "21")], "subsistence-allowance", "confirmed"),
    ("不动产登记机构尚未接入", "alive", "property/owns-real-estate", &[("person", "person")], &[], "public-rental-housing", "referred"),
    ("人事档案保管单位尚未接入", "alive", "personal-file/file-held-by", &[("person", "person")], &[("holder", "沈阳市人才服务中心")], "recruitment", "referred"),
];

/// What people type for the middle dot of a name.
const DOTS: [char; 6] = ['·', '•', '・', '‧', '．', '∙'];

/// The samples about this cast.
pub(super) fn of(cast: &[Case]) -> Vec<Sample> {
    let mut samples: Vec<Sample> = ROWS.iter().filter_map(|row| sample(row, cast)).collect();
    samples.extend(with_old_number(cast));
    samples.extend(with_each_dot(cast));
    samples.extend(with_another_name(cast));
    samples
}

fn sample((case, name, claim, roles, parameters, purpose, outcome): &Row, cast: &[Case]) -> Option<Sample> {
    let planted = cast.iter().find(|planted| planted.name == *name)?;
    let mut subjects = Map::new();
    for (role, who) in *roles {
        subjects.insert((*role).to_owned(), person(planted.people.get(who)?));
    }
    let mut values = Map::new();
    for (name, value) in *parameters {
        let value = match value.strip_prefix('$') {
            Some(known) => planted.parameters.get(known)?.as_str(),
            None => value,
        };
        let number = value.parse::<i64>().ok().filter(|_| *name == "count");
        values.insert((*name).to_owned(), number.map_or_else(|| json!(value), |number| json!(number)));
    }
    Some(Sample { case: (*case).to_owned(), request: request(claim, &Value::Object(subjects), values, purpose), outcome })
}

fn request(claim: &str, subjects: &Value, parameters: Map<String, Value>, purpose: &str) -> Value {
    let (matter, claim) = claim.split_once('/').unwrap_or((claim, ""));
    let mut request = json!({"matter": matter, "claim": claim, "subjects": subjects});
    if !parameters.is_empty() {
        request["parameters"] = Value::Object(parameters);
    }
    request["purpose"] = json!(purpose);
    request["officer"] = json!("窗口经办人");
    request
}

fn person(person: &Person) -> Value {
    json!({"name": person.name, "id_number": person.id_number})
}

fn one<'a>(cast: &'a [Case], name: &str) -> Option<&'a Person> {
    cast.iter().find(|planted| planted.name == name)?.people.get("person")
}

/// The 15 digits of the old form: without the century and the check character.
fn with_old_number(cast: &[Case]) -> Option<Sample> {
    let old = one(cast, "old-number")?;
    let number = format!("{}{}", old.id_number.get(..6)?, old.id_number.get(8..17)?);
    let subjects = json!({"person": {"name": old.name, "id_number": number}});
    let request = request("alive/alive", &subjects, Map::new(), "pension");
    Some(Sample { case: "15 位旧号码".to_owned(), request, outcome: "confirmed" })
}

fn with_each_dot(cast: &[Case]) -> Vec<Sample> {
    let Some(person) = one(cast, "middle-dot") else { return Vec::new() };
    let sample = |dot: char| {
        let name = person.name.replace('·', &dot.to_string());
        let subjects = json!({"person": {"name": name, "id_number": person.id_number}});
        let case = format!("姓名中的间隔号写作 U+{:04X}", u32::from(dot));
        Sample { case, request: request("identity/name-matches-id", &subjects, Map::new(), "passport"), outcome: "confirmed" }
    };
    DOTS.into_iter().map(sample).collect()
}

fn with_another_name(cast: &[Case]) -> Option<Sample> {
    let (person, other) = (one(cast, "alive")?, one(cast, "unmarried")?);
    let subjects = json!({"person": {"name": other.name, "id_number": person.id_number}});
    let request = request("identity/name-matches-id", &subjects, Map::new(), "bank-account");
    Some(Sample { case: "姓名与号码不一致".to_owned(), request, outcome: "mismatch" })
}
