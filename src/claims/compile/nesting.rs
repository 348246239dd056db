/// How deep an expression may nest: its parser goes down once for each level, on a stack that ends.
pub(super) const MAX_DEPTH: usize = 24;

/// An upper bound of how deep a text nests: open brackets, and the signs that stand before an operand or between three.
pub(super) fn depth(text: &str) -> usize {
    let (mut open, mut signs, mut deepest) = (0_usize, 0_usize, 0_usize);
    for character in text.chars() {
        match character {
            '(' | '[' | '{' => open += 1,
            ')' | ']' | '}' => open = open.saturating_sub(1),
            '?' | '!' | '-' => signs += 1,
            ' ' | '\n' | '=' => {}
            _ if open == 0 => signs = 0,
            _ => {}
        }
        deepest = deepest.max(open + signs / 2);
    }
    deepest
}
