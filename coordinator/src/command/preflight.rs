//! What every run begins with.

use clap::Args;

use super::print::warn;
use crate::Error;
use crate::preflight::{Status, look};
use crate::prepare::Prepared;

/// What a run may come to.
#[derive(Args, Clone, Debug)]
pub(crate) struct PreflightOptions {
    /// Refuse what AWS would charge more for than this, as far as that is known beforehand; of probes, for a day
    #[arg(long, value_name = "USD", value_parser = dollars)]
    max_cost: Option<f64>,
}

impl PreflightOptions {
    /// What it may cost, in US dollars.
    pub(super) fn usd_max(&self) -> Option<f64> {
        self.max_cost
    }
}

fn dollars(text: &str) -> Result<f64, String> {
    let amount = text.parse::<f64>().ok().filter(|amount| amount.is_finite() && *amount >= 0.0);
    amount.ok_or_else(|| format!("\"{text}\" is no amount in US dollars; write for example 50 or 12.50"))
}

/// Looks at a run before it begins: says what may go wrong, and nothing when all is well.
///
/// # Errors
/// [`Error::Refused`] when it must not begin.
pub(super) fn begin(prepared: &Prepared, options: &PreflightOptions) -> Result<(), Error> {
    let preflight = look(prepared, options.usd_max())?;
    for check in preflight.checks.iter().filter(|check| check.status != Status::Ok) {
        warn(&format!("{}: {}", check.status.word(), check.told()));
    }
    preflight.allows()
}

#[cfg(test)]
mod tests {
    use super::dollars;

    #[test]
    fn amounts_are_not_negative() {
        assert_eq!((dollars("50"), dollars("12.5"), dollars("0")), (Ok(50.0), Ok(12.5), Ok(0.0)));
        for text in ["", "-1", "50 USD", "inf", "NaN", "1e999"] {
            assert!(dollars(text).unwrap_err().contains("no amount"), "{text}");
        }
    }
}
