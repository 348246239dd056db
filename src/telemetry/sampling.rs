//! Which traces are exported (`OTEL_TRACES_SAMPLER`). All are recorded here, whatever that says.

use super::ids::{Parent, TraceId};

/// Which traces are exported.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sampler {
    /// Whether a caller decides that knows of the trace.
    pub(super) is_parent_based: bool,
    /// How many of the others are: from 0 to 1.
    pub(super) ratio: f64,
}

/// Of those whose caller does not decide: one in twenty.
pub(super) const DEFAULT_RATIO: f64 = 0.05;

impl Default for Sampler {
    fn default() -> Self {
        Self { is_parent_based: true, ratio: DEFAULT_RATIO }
    }
}

impl Sampler {
    /// Whether this trace is exported. All who know its id and the ratio decide alike.
    #[must_use]
    pub fn takes(self, trace: TraceId, parent: Option<Parent>) -> bool {
        match parent.filter(|_| self.is_parent_based) {
            Some(parent) => parent.is_sampled,
            None => trace.low() >> 1 < self.bound(),
        }
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "the ratio lies between 0 and 1, and a ratio of 63 bits need not be exact"
    )]
    fn bound(self) -> u64 {
        (self.ratio.clamp(0.0, 1.0) * (1_u64 << 63) as f64) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_as_the_ratio_says() {
        let of = |ratio| {
            let sampler = Sampler { is_parent_based: true, ratio };
            (0..4000).filter(|_| sampler.takes(TraceId::random(), None)).count()
        };
        assert_eq!((of(0.0), of(1.0)), (0, 4000));
        assert!((800..1200).contains(&of(0.25)), "{}", of(0.25));
    }

    #[test]
    fn a_caller_decides_for_its_own() {
        let parent = |is_sampled| Parent { trace: TraceId::random(), span: super::super::SpanId::random(), is_sampled };
        for ratio in [0.0, 1.0] {
            let sampler = Sampler { is_parent_based: true, ratio };
            for is_sampled in [true, false] {
                let parent = parent(is_sampled);
                assert_eq!(sampler.takes(parent.trace, Some(parent)), is_sampled);
                let alone = Sampler { is_parent_based: false, ratio };
                assert_eq!(alone.takes(parent.trace, Some(parent)), ratio > 0.5);
            }
        }
    }
}
