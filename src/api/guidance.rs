//! What somebody can do now who was not told "confirmed".

use serde_json::{Value, json};

use crate::domain::Outcome;
use crate::matters::{Matter, Transition};

/// The guidance to an outcome; `null` where the claim is confirmed.
pub(super) fn after(outcome: Outcome, matter: Option<&Matter>, transition: &Transition, english: bool) -> Value {
    match (summary(outcome, english), matter) {
        (Some(summary), Some(matter)) => {
            let mut guidance = of(matter, transition, english);
            guidance["summary"] = json!(summary);
            guidance
        }
        _ => Value::Null,
    }
}

/// The guidance of a matter, whatever was asked.
pub(super) fn of(matter: &Matter, transition: &Transition, english: bool) -> Value {
    let text = &matter.text;
    json!({
        "summary": if english { ASK_ELSEWHERE[1] } else { ASK_ELSEWHERE[0] },
        "steps": if english { &text.english.guidance } else { &text.guidance },
        "authorities": text.authorities,
        "documents": text.documents,
        "exceptions": text.exceptions,
        "citation": text.citation,
        "transition": {"citation": transition.citation, "conditions": transition.conditions.pick(english)},
    })
}

const ASK_ELSEWHERE: [&str; 2] = [
    "村（居）民委员会不出具此项证明，请按下列办法办理。",
    "The committee does not issue this certificate; this is what to do instead.",
];

fn summary(outcome: Outcome, english: bool) -> Option<&'static str> {
    let [chinese, plain] = match outcome {
        Outcome::Confirmed => return None,
        Outcome::Refuted => [
            "有关部门的记录与所述不符。认为记录有误的，请向该部门申请更正。",
            "The department's record says otherwise. Whoever finds the record wrong asks that department to correct it.",
        ],
        Outcome::NoRecord => [
            "已询问的部门没有能够说明此事的记录，这不表示所述不实。",
            "No department that was asked has a record of this. That does not mean that it is untrue.",
        ],
        Outcome::Mismatch => [
            "提供的姓名与记录不一致，请核对姓名和公民身份号码后再次核验。",
            "The name given is not the recorded one. Check name and ID number, and verify again.",
        ],
        Outcome::Conflict => [
            "部门之间的记录相互矛盾，请由有关部门核实后再次核验。",
            "The departments' records contradict each other; they must settle it before this can be verified.",
        ],
        Outcome::Pending => [
            "有关部门尚在办理，请稍后查询结果，居民不必重复提交。",
            "A department needs more time. Ask for the result later; the resident need not come again.",
        ],
        Outcome::Unavailable => [
            "暂时无法询问有关部门，请稍后再次核验，不应因此要求居民开具证明。",
            "A department cannot be asked at present. Verify again later; the resident need not bring a certificate.",
        ],
        Outcome::Referred => [
            "此事所涉部门尚未接入，请按下列办法办理。",
            "The department that holds this fact is not connected yet; this is what to do instead.",
        ],
    };
    Some(if english { plain } else { chinese })
}

/// The JSON Schema of a guidance.
pub(super) fn schema() -> Value {
    let texts = json!({"type": "array", "items": {"type": "string"}});
    let document = json!({
        "type": "object", "required": ["name", "reissued_by"], "additionalProperties": false,
        "properties": {"name": {"type": "string"}, "reissued_by": {"type": "string"}}
    });
    let transition = json!({
        "type": "object", "required": ["citation", "conditions"], "additionalProperties": false,
        "properties": {"citation": {"type": "string"}, "conditions": texts},
        "description": "on which conditions a committee may still act"
    });
    json!({
        "type": ["object", "null"],
        "required": ["summary", "steps", "authorities", "documents", "exceptions", "citation", "transition"],
        "additionalProperties": false,
        "properties": {
            "summary": {"type": "string"}, "steps": texts, "authorities": texts,
            "documents": {"type": "array", "items": document}, "exceptions": texts,
            "citation": {"type": "string"}, "transition": transition
        }
    })
}
