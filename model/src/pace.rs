//! How load changes over time, as data: pace answers "when does the nth arrival come" and "how many shoppers at
//! time t" from elapsed time alone.
//!
//! ```text
//!   level │        ____________ hold        ┌──┐ spike
//!         │      ╱                          │  │
//!         │    ╱  ramp                ______│  │______
//!         └───────────────────────────────────────────→ t
//! ```
//!
//! Levels are thousandths: of an arrival per second in the open model, of a shopper in the closed one. All
//! arithmetic is on integers. An arrival is `2 × 10^12` units, because a rate of one thousandth per second adds
//! two units a nanosecond and a ramp's square then has no fraction to lose.

/// Units per arrival: 2 × (thousandths per unit) × (nanoseconds per second).
const ARRIVAL: u128 = 2_000_000_000_000;
/// The longest phase: 24 hours. With the highest rate of 10,000,000/s every product below stays within 128 bits.
pub const PHASE_MAX_NS: u64 = 86_400_000_000_000;
/// The highest level, in thousandths: ten million arrivals per second, or shoppers.
pub const LEVEL_MAX_MILLI: u64 = 10_000_000_000;

/// What a phase is to people; thresholds may name it (`during spike`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One level.
    Hold,
    /// From one level to another.
    Ramp,
    /// One level of a staircase.
    Step,
    /// A surge: one level, far from its neighbours.
    Spike,
}

impl Kind {
    /// The word that plans and thresholds use.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Hold => "hold",
            Self::Ramp => "ramp",
            Self::Step => "step",
            Self::Spike => "spike",
        }
    }
}

/// How the level runs within a phase, in thousandths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// The same level throughout.
    Flat(u64),
    /// A straight line from the first level to the second.
    Line(u64, u64),
}

/// A stretch of time with one shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Phase {
    /// The plan's name for it, or its kind where the plan gives none.
    pub name: String,
    /// What it is to people.
    pub kind: Kind,
    /// How the level runs.
    pub shape: Shape,
    /// How long it lasts, 1 to [`PHASE_MAX_NS`].
    pub length_ns: u64,
}

impl Phase {
    /// Units (see [`ARRIVAL`]) that have come `t` nanoseconds into the phase, times the phase's length: so exact.
    fn units_scaled(&self, t_ns: u64) -> u128 {
        let (t, length) = (u128::from(t_ns), u128::from(self.length_ns));
        match self.shape {
            Shape::Flat(level) => 2 * u128::from(level) * t * length,
            Shape::Line(from, to) if to >= from => {
                2 * u128::from(from) * t * length + u128::from(to - from) * t * t
            }
            Shape::Line(from, to) => 2 * u128::from(from) * t * length - u128::from(from - to) * t * t,
        }
    }

    /// Units of the whole phase.
    fn units(&self) -> u128 {
        let (from, to) = self.ends();
        (u128::from(from) + u128::from(to)) * u128::from(self.length_ns)
    }

    /// The levels at both ends.
    pub fn ends(&self) -> (u64, u64) {
        match self.shape {
            Shape::Flat(level) => (level, level),
            Shape::Line(from, to) => (from, to),
        }
    }

    /// The last nanosecond at which no more than `units` have come. `units` is below [`Self::units`].
    fn time_of(&self, units: u128) -> u64 {
        let length = u128::from(self.length_ns);
        if let Shape::Flat(level) = self.shape {
            return u64::try_from(units / (2 * u128::from(level)).max(1)).unwrap_or(self.length_ns);
        }
        // Floating point finds the neighbourhood of the quadratic's root, integers find the root.
        let (from, to) = self.ends();
        let slope = (to as f64 - from as f64) / self.length_ns as f64;
        let root = (4.0 * from as f64 * from as f64 + 4.0 * slope * units as f64).max(0.0).sqrt();
        let guess = (2.0 * units as f64 / (2.0 * from as f64 + root)).max(0.0);
        let mut t = clamp_to_integer(guess, self.length_ns);
        let target = units * length;
        let mut stride = 1;
        while t > 0 && self.units_scaled(t) > target {
            t = t.saturating_sub(stride);
            stride *= 2;
        }
        let mut ahead = stride;
        while ahead > 0 {
            while t + ahead <= self.length_ns && self.units_scaled(t + ahead) <= target {
                t += ahead;
            }
            ahead /= 2;
        }
        t
    }

    fn level_at(&self, t_ns: u64) -> u64 {
        match self.shape {
            Shape::Flat(level) => level,
            Shape::Line(from, to) => {
                let part = |distance: u64| {
                    let travelled =
                        u128::from(distance) * u128::from(t_ns) / u128::from(self.length_ns.max(1));
                    u64::try_from(travelled).unwrap_or(distance)
                };
                if to >= from { from + part(to - from) } else { from - part(from - to) }
            }
        }
    }
}

/// A stretch of a run that is judged by itself: a phase, or the part of it before or after the end of the warm-up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// The phase's name.
    pub name: String,
    /// The phase's kind.
    pub kind: Kind,
    /// Where it begins, from the run's start.
    pub from_ns: u64,
    /// Where it ends, exclusive.
    pub to_ns: u64,
    /// Whether it lies in the warm-up: measured and shown, outside thresholds.
    pub warmup: bool,
}

/// The phases of a run, one after the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pace {
    phases: Vec<Phase>,
}

impl Pace {
    /// A pace of at least one phase, each 1 ns to [`PHASE_MAX_NS`] long, levels up to [`LEVEL_MAX_MILLI`].
    /// `None` when that does not hold.
    pub fn try_new(phases: Vec<Phase>) -> Option<Self> {
        let fits = |phase: &Phase| {
            let (from, to) = phase.ends();
            (1..=PHASE_MAX_NS).contains(&phase.length_ns) && from.max(to) <= LEVEL_MAX_MILLI
        };
        (!phases.is_empty() && phases.len() <= 1_000 && phases.iter().all(fits)).then_some(Self { phases })
    }

    /// One level, for what has no end of its own: as long as a phase may be. A level beyond what a pace can have is the
    /// next that it can.
    pub(crate) fn level(level_milli: u64) -> Self {
        let phase = Phase {
            name: Kind::Hold.word().to_owned(),
            kind: Kind::Hold,
            shape: Shape::Flat(level_milli.clamp(1, LEVEL_MAX_MILLI)),
            length_ns: PHASE_MAX_NS,
        };
        Self { phases: vec![phase] }
    }

    /// The phases in order.
    pub fn phases(&self) -> &[Phase] {
        &self.phases
    }

    /// How long all phases take together: T.
    pub fn length_ns(&self) -> u64 {
        self.phases.iter().map(|phase| phase.length_ns).sum()
    }

    /// The highest level of all phases, in thousandths.
    pub fn peak_milli(&self) -> u64 {
        self.phases.iter().map(|phase| phase.ends().0.max(phase.ends().1)).max().unwrap_or(0)
    }

    /// Open model: how many arrivals come before `t_ns`; at T and later, all of them: rate × time.
    pub fn arrivals_before(&self, t_ns: u64) -> u64 {
        let mut rest_ns = t_ns;
        let mut whole: u128 = 0;
        for phase in &self.phases {
            if rest_ns < phase.length_ns {
                let scaled = whole * u128::from(phase.length_ns) + phase.units_scaled(rest_ns);
                return count(scaled, u128::from(phase.length_ns));
            }
            whole += phase.units();
            rest_ns -= phase.length_ns;
        }
        count(whole, 1)
    }

    /// Open model: how many arrivals the whole run has.
    pub fn arrivals(&self) -> u64 {
        self.arrivals_before(u64::MAX)
    }

    /// Open model: when the `n`th arrival (from 0) is due, evenly spaced; `None` when the run has no such arrival.
    /// Never falls as `n` rises.
    pub fn arrival_ns(&self, n: u64) -> Option<u64> {
        let mut units = u128::from(n) * ARRIVAL;
        let mut start_ns = 0;
        for phase in &self.phases {
            if units < phase.units() {
                return Some(start_ns + phase.time_of(units).min(phase.length_ns - 1));
            }
            units -= phase.units();
            start_ns += phase.length_ns;
        }
        None
    }

    /// Closed model: how many shoppers there are at `t_ns`; none from T on.
    pub fn shoppers_at(&self, t_ns: u64) -> u64 {
        let mut rest_ns = t_ns;
        for phase in &self.phases {
            if rest_ns < phase.length_ns {
                return phase.level_at(rest_ns) / 1_000;
            }
            rest_ns -= phase.length_ns;
        }
        0
    }

    /// Closed model: when the number of shoppers may next differ from that at `t_ns`: `step_ns` later on a ramp,
    /// otherwise at the end of the phase; T from T on.
    pub fn shoppers_change_ns(&self, t_ns: u64, step_ns: u64) -> u64 {
        let mut end_ns = 0;
        for phase in &self.phases {
            end_ns += phase.length_ns;
            if t_ns < end_ns {
                return match phase.shape {
                    Shape::Flat(_) => end_ns,
                    Shape::Line(..) => t_ns.saturating_add(step_ns).min(end_ns),
                };
            }
        }
        end_ns
    }

    /// The phases, cut where the warm-up ends.
    pub fn sections(&self, warmup_ns: u64) -> Vec<Section> {
        let mut sections = Vec::with_capacity(self.phases.len() + 1);
        let mut from_ns = 0;
        for phase in &self.phases {
            let to_ns = from_ns + phase.length_ns;
            let cut_ns = warmup_ns.clamp(from_ns, to_ns);
            for (from_ns, to_ns, warmup) in [(from_ns, cut_ns, true), (cut_ns, to_ns, false)] {
                if from_ns < to_ns {
                    sections.push(Section {
                        name: phase.name.clone(),
                        kind: phase.kind,
                        from_ns,
                        to_ns,
                        warmup,
                    });
                }
            }
            from_ns = to_ns;
        }
        sections
    }
}

/// A finite number of at least 0 without its fraction, at most `most`.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // `as` saturates, and the bounds are checked here.
pub(crate) fn clamp_to_integer(number: f64, most: u64) -> u64 {
    if number.is_finite() { (number.max(0.0) as u64).min(most) } else { 0 }
}

/// How many arrivals lie below `scaled ÷ scale` units: the next whole one up.
fn count(scaled: u128, scale: u128) -> u64 {
    // The division comes first where the product would not fit; both roundings go up, so the result is the same.
    let units = scaled.div_ceil(scale);
    u64::try_from(units.div_ceil(ARRIVAL)).unwrap_or(u64::MAX)
}

/// The section that `t_ns` lies in: an index into `sections`; what comes after T belongs to the last.
pub fn section_at(sections: &[Section], t_ns: u64) -> usize {
    sections.partition_point(|section| section.to_ns <= t_ns).min(sections.len().saturating_sub(1))
}

#[cfg(test)]
#[path = "pace/tests.rs"]
mod tests;
