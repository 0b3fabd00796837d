//! Times of one thing measured many times.

use std::time::Duration;

/// What was measured, in the order it happened.
#[derive(Clone, Debug, Default)]
pub(super) struct Samples {
    sorted: Vec<Duration>,
}

impl Samples {
    /// Adds one time.
    pub(super) fn push(&mut self, time: Duration) {
        let at = self.sorted.partition_point(|known| *known <= time);
        self.sorted.insert(at, time);
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.sorted.len()
    }

    /// The smallest time that at least `percent` of the samples do not exceed (nearest rank); zero without samples.
    pub(super) fn percentile(&self, percent: usize) -> Duration {
        let rank = (self.sorted.len() * percent).div_ceil(100).max(1);
        self.sorted.get(rank - 1).copied().unwrap_or_default()
    }

    /// The middle one.
    pub(super) fn median(&self) -> Duration {
        self.percentile(50)
    }

    /// The longest.
    pub(super) fn max(&self) -> Duration {
        self.percentile(100)
    }

    /// "p50 1.2 ms, p99 3.4 ms, max 5.6 ms (n = 200)".
    pub(super) fn p50_p99(&self) -> String {
        format!(
            "p50 {}, p99 {}, max {} (n = {})",
            ms(self.median()),
            ms(self.percentile(99)),
            ms(self.max()),
            self.len()
        )
    }

    /// "p50 120 ms, p95 420 ms, max 610 ms (n = 40)".
    pub(super) fn p50_p95(&self) -> String {
        format!(
            "p50 {}, p95 {}, max {} (n = {})",
            ms(self.median()),
            ms(self.percentile(95)),
            ms(self.max()),
            self.len()
        )
    }

    /// "median 0.21 s, max 0.25 s (n = 10)": too few samples for a p99.
    pub(super) fn median_max(&self) -> String {
        format!(
            "median {}, max {} (n = {})",
            seconds(self.median()),
            seconds(self.max()),
            self.len()
        )
    }
}

/// Milliseconds with as many digits as matter.
pub(super) fn ms(time: Duration) -> String {
    let ms = time.as_secs_f64() * 1000.0;
    if ms < 10.0 {
        format!("{ms:.2} ms")
    } else {
        format!("{ms:.1} ms")
    }
}

/// Seconds to the millisecond.
pub(super) fn seconds(time: Duration) -> String {
    format!("{:.3} s", time.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_nearest_ranks() {
        // Proves that a percentile is a time that was measured, and which one, in any order of arrival.
        let mut samples = Samples::default();
        assert_eq!(samples.median(), Duration::ZERO);
        for value in (1..=200).rev() {
            samples.push(Duration::from_millis(value));
        }
        assert_eq!(samples.median(), Duration::from_millis(100));
        assert_eq!(samples.percentile(99), Duration::from_millis(198));
        assert_eq!(samples.max(), Duration::from_millis(200));
        assert_eq!(ms(Duration::from_micros(1234)), "1.23 ms");
    }
}
