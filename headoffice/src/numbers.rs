//! The formulas behind every score, exactly as published in `touchpoints` §3 of the project's reference.
//!
//! No function returns a score without its n and interval, and none returns one for fewer than [`FEWEST`] answers:
//! a perfect score from one vote is the fault this product exists to avoid.

use serde::Serialize;

/// The two-sided 95 % quantile of the normal distribution.
pub const Z: f64 = 1.959_964;
/// With fewer answers there is no score, only "not enough data yet".
pub const FEWEST: u64 = 10;

/// A 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// A share with everything that must stand beside it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Share {
    /// How many.
    pub count: u64,
    /// Of how many.
    pub n: u64,
    /// `count / n`, from 0 to 1.
    pub share: f64,
    /// Wilson interval of the share.
    pub interval: Interval,
}

/// A satisfaction index from 0 to 100 with everything that must stand beside it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Index {
    /// Mean of the equally spaced face values.
    pub index: f64,
    /// How many answers.
    pub n: u64,
    /// Interval of the mean: Student's t below 30 answers, normal from 30.
    pub interval: Interval,
}

/// Wilson's score interval of `count` out of `n` (§3.2). `n` of 0 gives the whole range.
#[must_use]
pub fn wilson(count: u64, n: u64) -> Interval {
    if n == 0 {
        return Interval {
            low: 0.0,
            high: 1.0,
        };
    }
    let (n, p) = (n as f64, count as f64 / n as f64);
    let z2 = Z * Z;
    let centre = p + z2 / (2.0 * n);
    let half = Z * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt();
    let scale = 1.0 + z2 / n;
    Interval {
        low: ((centre - half) / scale).max(0.0),
        high: ((centre + half) / scale).min(1.0),
    }
}

/// A share worth showing, or `None` when there are fewer than [`FEWEST`].
#[must_use]
pub fn share(count: u64, n: u64) -> Option<Share> {
    (n >= FEWEST).then(|| Share {
        count,
        n,
        share: count as f64 / n as f64,
        interval: wilson(count, n),
    })
}

/// Satisfied share: the top two of the faces (§3.2).
#[must_use]
pub fn csat(faces: &[u64]) -> Option<Share> {
    share(faces.iter().rev().take(2).sum(), faces.iter().sum())
}

/// Dissatisfied share: the bottom two of the faces (§3.2).
#[must_use]
pub fn dsat(faces: &[u64]) -> Option<Share> {
    share(faces.iter().take(2).sum(), faces.iter().sum())
}

/// The index of K+1 faces, worst first (§3.1), or `None` with fewer than [`FEWEST`] answers or faces than two.
#[must_use]
pub fn index(faces: &[u64]) -> Option<Index> {
    let n: u64 = faces.iter().sum();
    if n < FEWEST || faces.len() < 2 {
        return None;
    }
    let top = (faces.len() - 1) as f64;
    let value = |face: usize| 100.0 * face as f64 / top;
    let sum = |term: &dyn Fn(f64) -> f64| -> f64 {
        faces
            .iter()
            .enumerate()
            .map(|(face, &count)| count as f64 * term(value(face)))
            .sum()
    };
    let mean = sum(&|x| x) / n as f64;
    let variance = sum(&|x| (x - mean) * (x - mean)) / (n - 1) as f64;
    let half = quantile(n) * variance.sqrt() / (n as f64).sqrt();
    Some(Index {
        index: mean,
        n,
        interval: Interval {
            low: mean - half,
            high: mean + half,
        },
    })
}

/// What the true satisfied share could be if everyone had answered (§3.5): `[r·p, r·p + 1 − r]`.
#[must_use]
pub fn non_response_bounds(satisfied: f64, coverage: f64) -> Interval {
    let low = coverage * satisfied;
    Interval {
        low,
        high: low + 1.0 - coverage,
    }
}

/// Student's t at 97.5 % for n − 1 degrees of freedom when 10 ≤ n < 30, the normal quantile from 30.
fn quantile(n: u64) -> f64 {
    const T: [f64; 20] = [
        2.262_157, 2.228_139, 2.200_985, 2.178_813, 2.160_369, 2.144_787, 2.131_450, 2.119_905,
        2.109_816, 2.100_922, 2.093_024, 2.085_963, 2.079_614, 2.073_873, 2.068_658, 2.063_899,
        2.059_539, 2.055_529, 2.051_831, 2.048_407,
    ];
    n.checked_sub(FEWEST)
        .and_then(|at| usize::try_from(at).ok())
        .and_then(|at| T.get(at).copied())
        .unwrap_or(Z)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn close(interval: Interval, low: f64, high: f64, digits: f64) {
        assert!(
            (interval.low - low).abs() <= digits,
            "{interval:?} is not [{low}, {high}]"
        );
        assert!(
            (interval.high - high).abs() <= digits,
            "{interval:?} is not [{low}, {high}]"
        );
    }

    #[test]
    fn wilson_equals_the_golden_values() {
        // Proves: the five golden intervals of §3.2, among them the one-vote perfect score.
        for (count, n, low, high) in [
            (40, 100, 0.3094, 0.4980),
            (9, 10, 0.5958, 0.9821),
            (1, 1, 0.2065, 1.0),
            (0, 1, 0.0, 0.7935),
            (850, 1000, 0.8265, 0.8708),
        ] {
            close(wilson(count, n), low, high, 0.000_05);
        }
    }

    #[test]
    fn index_equals_the_golden_values() {
        // Proves: the golden indices of §3.1 for four and five faces.
        let four = index(&[8, 12, 30, 50]).unwrap();
        assert!((four.index - 74.0).abs() < 0.005);
        close(four.interval, 67.80, 80.20, 0.005);
        let five = index(&[8, 7, 10, 25, 50]).unwrap();
        assert!((five.index - 75.5).abs() < 0.005);
        close(five.interval, 69.27, 81.73, 0.005);
    }

    #[test]
    fn the_same_index_can_hide_different_stories() {
        // Proves: §3.1's pair has one mean and intervals in the ratio of their spreads (44.1 to 13.9).
        let split = index(&[26, 0, 0, 74]).unwrap();
        let calm = index(&[0, 0, 78, 22]).unwrap();
        assert!((split.index - 74.0).abs() < 0.005 && (calm.index - 74.0).abs() < 0.005);
        let spread = |index: &Index| (index.interval.high - index.interval.low) / 2.0 / Z * 10.0;
        assert!((spread(&split) - 44.1).abs() < 0.05 && (spread(&calm) - 13.9).abs() < 0.05);
    }

    #[test]
    fn few_answers_give_no_score() {
        // Proves: nine answers give nothing, ten do, and below thirty the interval is Student's, which is wider.
        assert_eq!(csat(&[0, 0, 0, 0, 9]), None);
        assert_eq!(index(&[0, 0, 0, 0, 9]), None);
        assert!(csat(&[0, 0, 0, 0, 10]).is_some() && dsat(&[1, 0, 0, 0, 9]).is_some());
        assert!((quantile(10) - 2.262).abs() < 0.001 && (quantile(29) - 2.048).abs() < 0.001);
        assert!((quantile(30) - Z).abs() < f64::EPSILON);
    }

    #[test]
    fn silence_is_bounded_not_guessed() {
        // Proves: §3.5's example of the bounds for shoppers who did not answer.
        close(non_response_bounds(0.85, 0.30), 0.255, 0.955, 0.000_01);
    }
}
