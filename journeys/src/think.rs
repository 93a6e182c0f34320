//! Think time: how long a shopper looks at a page before the next step.

use std::time::Duration;

use rand_core::Rng;
use rand_distr::{Distribution, Exp, LogNormal};

/// The longest think time: one hour.
pub(crate) const THINK_MAX: Duration = Duration::from_secs(3_600);
/// Samples of a distribution with a long tail are cut at this many times its mean or median.
const TAIL_FACTOR_MAX: u32 = 10;

/// A distribution of think times.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Think {
    /// Always the same.
    Constant(Duration),
    /// Evenly from the first to the second, both included.
    Uniform(Duration, Duration),
    /// Memoryless, with its mean.
    Exponential(Exp<f64>, Duration),
    /// Log-normal in seconds, cut at the duration: what measured think times look like.
    LogNormal(LogNormal<f64>, Duration),
}

impl Think {
    /// Exponential with this mean.
    ///
    /// # Errors
    /// A sentence when the mean is zero.
    pub(crate) fn exponential(mean: Duration) -> Result<Self, String> {
        let distribution = Exp::new(1.0 / mean.as_secs_f64()).ok().filter(|_| !mean.is_zero());
        distribution
            .map(|distribution| Self::Exponential(distribution, mean))
            .ok_or_else(|| "the mean of exponential think times must be above 0s".to_owned())
    }

    /// Log-normal with this median; `sigma` is the standard deviation of the natural logarithm.
    ///
    /// # Errors
    /// A sentence when the median is zero, or sigma is not between 0 and 5.
    pub(crate) fn log_normal(median: Duration, sigma: f64) -> Result<Self, String> {
        if median.is_zero() {
            return Err("the median of log-normal think times must be above 0s".to_owned());
        }
        let distribution = LogNormal::new(median.as_secs_f64().ln(), sigma).ok();
        distribution
            .filter(|_| sigma > 0.0 && sigma <= 5.0)
            .map(|distribution| Self::LogNormal(distribution, cut(median)))
            .ok_or_else(|| format!("found sigma {sigma}, expected a number above 0 and up to 5, such as 0.6"))
    }

    /// One think time.
    pub(crate) fn sample(&self, rng: &mut dyn Rng) -> Duration {
        match self {
            Self::Constant(duration) => *duration,
            Self::Uniform(from, to) => {
                let span_ns = u64::try_from((*to - *from).as_nanos()).unwrap_or(u64::MAX - 1);
                *from + Duration::from_nanos(below(span_ns + 1, rng))
            }
            Self::Exponential(distribution, mean) => seconds(distribution.sample(rng), cut(*mean)),
            Self::LogNormal(distribution, most) => seconds(distribution.sample(rng), *most),
        }
    }

    /// The mean of all think times, cut as they are.
    pub(crate) fn mean(&self) -> Duration {
        let mean_s = match self {
            Self::Constant(duration) => return *duration,
            Self::Uniform(from, to) => return (*from + *to) / 2,
            Self::Exponential(_, mean) => {
                // Of min(X, c): m (1 - exp(-c / m)).
                let (mean_s, most_s) = (mean.as_secs_f64(), cut(*mean).as_secs_f64());
                mean_s * (1.0 - (-most_s / mean_s).exp())
            }
            Self::LogNormal(distribution, most) => mean_below(distribution, most.as_secs_f64()),
        };
        Duration::try_from_secs_f64(mean_s).unwrap_or(THINK_MAX)
    }
}

/// The mean of a log-normal distribution that is cut: the integral over the normal one below it (midpoints, 8 standard
/// deviations to each side).
fn mean_below(distribution: &LogNormal<f64>, most: f64) -> f64 {
    const STEPS: u32 = 1_600;
    const STEP: f64 = 0.01;
    let weighed = |step: u32| {
        let z = (f64::from(step) + 0.5) * STEP - 8.0;
        (-z * z / 2.0).exp() * distribution.from_zscore(z).min(most)
    };
    (0..STEPS).map(weighed).sum::<f64>() * STEP / std::f64::consts::TAU.sqrt()
}

fn cut(middle: Duration) -> Duration {
    middle.saturating_mul(TAIL_FACTOR_MAX).min(THINK_MAX)
}

fn seconds(value: f64, most: Duration) -> Duration {
    Duration::try_from_secs_f64(value).unwrap_or(most).min(most)
}

/// A whole number from 0 to `bound - 1` from exactly one draw (the high half of a 128-bit product; the bias of at
/// most `bound / 2^64` is far below anything that a run can show).
pub(crate) fn below(bound: u64, rng: &mut dyn Rng) -> u64 {
    let product = u128::from(rng.next_u64()) * u128::from(bound);
    u64::try_from(product >> 64).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Think;
    use crate::walk::tests::Dice;

    fn mean_and_max_s(think: Think) -> (f64, f64) {
        let mut dice = Dice(7);
        let samples: Vec<f64> = (0..20_000).map(|_| think.sample(&mut dice).as_secs_f64()).collect();
        (samples.iter().sum::<f64>() / 20_000.0, samples.iter().copied().fold(0.0, f64::max))
    }

    #[test]
    fn samples_have_their_mean_and_keep_to_their_cut() {
        let s = Duration::from_secs;
        let (mean, most) = mean_and_max_s(Think::Uniform(s(5), s(15)));
        assert!((9.9..10.1).contains(&mean) && (14.9..=15.0).contains(&most), "{mean} {most}");
        let (mean, most) = mean_and_max_s(Think::exponential(s(8)).unwrap());
        assert!((7.7..8.3).contains(&mean) && (40.0..=80.0).contains(&most), "{mean} {most}");
        // The mean of a log-normal is median × exp(sigma² / 2).
        let (mean, most) = mean_and_max_s(Think::log_normal(s(8), 0.6).unwrap());
        assert!((9.4..9.8).contains(&mean) && (40.0..=80.0).contains(&most), "{mean} {most}");
        let (_, most) = mean_and_max_s(Think::log_normal(s(8), 5.0).unwrap());
        assert!((most - 80.0).abs() < 1e-9, "{most}");
        let (_, most) = mean_and_max_s(Think::exponential(s(3_000)).unwrap());
        assert!((most - 3_600.0).abs() < 1e-9, "{most}");
        assert_eq!(Think::Constant(s(10)).sample(&mut Dice(1)), s(10));
        assert_eq!(Think::Uniform(s(1), s(1)).sample(&mut Dice(1)), s(1));
    }

    #[test]
    fn the_mean_is_that_of_the_samples() {
        let s = Duration::from_secs;
        assert_eq!((Think::Constant(s(3)).mean(), Think::Uniform(s(5), s(15)).mean()), (s(3), s(10)));
        for think in [
            Think::exponential(s(8)).unwrap(),
            Think::exponential(s(3_000)).unwrap(),
            Think::log_normal(s(8), 0.6).unwrap(),
            Think::log_normal(s(8), 5.0).unwrap(),
        ] {
            let (sampled, mean) = (mean_and_max_s(think).0, think.mean().as_secs_f64());
            assert!((sampled - mean).abs() < mean * 0.04, "{think:?}: {sampled} {mean}");
        }
        let mean = Think::log_normal(s(8), 0.1).unwrap().mean().as_secs_f64();
        assert!((mean - 8.0 * 0.005_f64.exp()).abs() < 1e-6, "8 s x exp(0.1^2 / 2): {mean}");
    }

    #[test]
    fn impossible_distributions_are_refused() {
        let s = Duration::from_secs;
        assert!(Think::exponential(s(0)).is_err() && Think::log_normal(s(0), 0.6).is_err());
        for sigma in [0.0, -1.0, 5.1, f64::NAN, f64::INFINITY] {
            assert!(Think::log_normal(s(8), sigma).is_err(), "{sigma}");
        }
    }
}
