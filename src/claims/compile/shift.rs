use super::Expression;

/// A definition's own variables, moved below those bound where it is used.
pub(super) fn shift(expression: Expression, by: usize) -> Expression {
    use Expression as E;
    let go = |inner: Box<E>| Box::new(shift(*inner, by));
    match expression {
        E::Variable(depth) => E::Variable(depth + by),
        E::Field(record, field) => E::Field(go(record), field),
        E::Index(list, index) => E::Index(go(list), go(index)),
        E::List(items) => E::List(items.into_iter().map(|item| shift(item, by)).collect()),
        E::Not(operand) => E::Not(go(operand)),
        E::And(left, right) => E::And(go(left), go(right)),
        E::Or(left, right) => E::Or(go(left), go(right)),
        E::If(condition, yes, no) => E::If(go(condition), go(yes), go(no)),
        E::Compare(comparison, left, right) => E::Compare(comparison, go(left), go(right)),
        E::In(item, list) => E::In(go(item), go(list)),
        E::Quantify(quantifier, list, body) => E::Quantify(quantifier, go(list), go(body)),
        E::Size(list) => E::Size(go(list)),
        E::Distinct(list) => E::Distinct(go(list)),
        E::Concat(left, right) => E::Concat(go(left), go(right)),
        E::StartsWith(text, prefix) => E::StartsWith(go(text), go(prefix)),
        leaf @ (E::Constant(_) | E::Role(..) | E::Parameter(_) | E::Today | E::Found(_) | E::Fact(..)) => leaf,
    }
}
