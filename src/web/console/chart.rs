//! The calls of the last hour as a picture: a bar a minute, drawn by the server. It is SVG without styles; the style sheet
//! knows its classes.

use std::fmt::Write as _;

use crate::situation::Bar;

/// A bar and the gap behind it, in units of the picture.
const STEP: u32 = 4;
const WIDTH: u32 = 3;
const HEIGHT: u32 = 40;

/// The picture. `told` says in words what is to be seen.
pub(super) fn bars(bars: &[Bar], told: &str) -> String {
    let all = |bar: &Bar| bar.answered + bar.failed + bar.held;
    let most = bars.iter().map(all).max().unwrap_or(0).max(1);
    let width = u32::try_from(bars.len()).unwrap_or(0) * STEP;
    let mut svg = format!(
        "<svg class=\"chart\" viewBox=\"0 0 {width} {HEIGHT}\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"{}\">",
        escape(told)
    );
    let _ = write!(svg, "<rect class=\"chart-floor\" x=\"0\" y=\"{}\" width=\"{width}\" height=\"1\"/>", HEIGHT - 1);
    for (index, bar) in bars.iter().enumerate() {
        let x = u32::try_from(index).unwrap_or(0) * STEP;
        let mut bottom = HEIGHT;
        for (class, count) in [("chart-failed", bar.failed), ("chart-held", bar.held), ("chart-answered", bar.answered)]
        {
            let height = height(count, most);
            if height > 0 {
                bottom = bottom.saturating_sub(height);
                // A string takes everything.
                let _ = write!(
                    svg,
                    "<rect class=\"{class}\" x=\"{x}\" y=\"{bottom}\" width=\"{WIDTH}\" height=\"{height}\"/>"
                );
            }
        }
    }
    svg.push_str("</svg>");
    svg
}

/// What is there is seen, however little it is.
fn height(count: u32, most: u32) -> u32 {
    let exact = u64::from(count) * u64::from(HEIGHT) / u64::from(most);
    u32::try_from(exact).unwrap_or(HEIGHT).max(u32::from(count > 0) * 2)
}

/// As it may stand in an attribute.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lone_failure_is_seen_beside_a_thousand_answers() {
        let svg = bars(&[Bar { answered: 1000, failed: 1, held: 0 }, Bar::default()], "a \"b\" <c>");
        assert!(svg.contains("class=\"chart-failed\" x=\"0\" y=\"38\" width=\"3\" height=\"2\""), "{svg}");
        assert!(svg.contains("aria-label=\"a &quot;b&quot; &lt;c&gt;\""));
        assert_eq!(svg.matches("<rect").count(), 3);
    }
}
