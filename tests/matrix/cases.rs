//! What is tried: the faults with the causes that they are to have, and the operations with questions that need them.

/// A fault, and what the gateway calls it.
pub(crate) struct Fault {
    pub(crate) name: &'static str,
    pub(crate) millis: u64,
    pub(crate) causes: &'static [&'static str],
}

/// One operation, or `*`: all of all departments.
#[derive(Clone, Copy)]
pub(crate) struct Target {
    pub(crate) source: &'static str,
    pub(crate) operation: &'static str,
}

const fn fault(name: &'static str, causes: &'static [&'static str]) -> Fault {
    Fault { name, millis: 0, causes }
}

pub(crate) const FAULTS: [Fault; 15] = [
    Fault { name: "delay", millis: 30, causes: &[] },
    fault("hang", &["timeout"]),
    fault("refuse", &["connect-refused", "connection-lost"]),
    fault("cut", &["connection-lost"]),
    fault("status-500", &["source-error"]),
    fault("status-503", &["busy"]),
    fault("garbage", &["invalid-source-response"]),
    fault("wrong-schema", &["invalid-source-response"]),
    fault("wrong-person", &["wrong-subject"]),
    fault("unknown-code", &["unknown-code"]),
    fault("huge", &["too-large"]),
    fault("drip", &["timeout"]),
    fault("null", &["invalid-source-response"]),
    fault("empty-200", &["invalid-source-response"]),
    fault("bad-signature", &["denied"]),
];

pub(crate) const ALL: Target = Target::new("*", "*");
pub(crate) const SOURCES: [&str; 4] = ["police", "civil-affairs", "health", "court"];

impl Target {
    pub(crate) const fn new(source: &'static str, operation: &'static str) -> Self {
        Self { source, operation }
    }

    pub(crate) fn sources(&self) -> Vec<&'static str> {
        SOURCES.into_iter().filter(|source| self.source == "*" || self.source == *source).collect()
    }

    /// Samples whose outcome cannot be told without it: with a record, and without.
    pub(crate) fn cases(&self) -> &'static [&'static str] {
        match (self.source, self.operation) {
            ("police", "person") => &["户籍在辽宁省", "健在", "从未结婚"],
            ("police", "households") => {
                &["曾经同户，现在不同户", "户口在祖父母家的孩子与祖父母同户", "1996 年以前出生的人与父母"]
            }
            ("civil-affairs", "marriages") => &["从未结婚", "夫妻", "登记离婚"],
            ("civil-affairs", "adoptions") => {
                &["被收养的孩子与养父母", "户口在祖父母家的孩子与父母", "被收养的孩子与生父母"]
            }
            ("health", "birth") => {
                &["出生医学证明编号", "户口在祖父母家的孩子与父母", "被收养的孩子，出生登记载明的生父母"]
            }
            ("health", "births-of") => &["有两个子女", "没有子女", "有两个子女，不是三个"],
            ("health", "death") => &["健在", "昨天在医院去世，公安尚不知道", "健在的人没有死亡记录"],
            ("court", "index") => &["健在", "宣告死亡已被撤销", "法院判决离婚，民政部门尚不知道"],
            ("court", "judgments") => &["宣告失踪", "宣告死亡", "法院判决离婚，民政部门尚不知道"],
            _ => &[
                "户籍在辽宁省",
                "曾经同户，现在不同户",
                "从未结婚",
                "被收养的孩子与养父母",
                "出生医学证明编号",
                "有两个子女",
                "昨天在医院去世，公安尚不知道",
                "宣告失踪",
            ],
        }
    }
}
