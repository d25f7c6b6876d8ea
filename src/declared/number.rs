//! What a number must be: within bounds, or one.

use std::fmt;

use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use crate::config::Reading;

/// The bounds of a number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Number {
    /// It is at least this.
    pub min: Option<f64>,
    /// It is at most this.
    pub max: Option<f64>,
    /// It is more than this.
    pub above: Option<f64>,
    /// It is less than this.
    pub below: Option<f64>,
}

impl Number {
    /// What is written, if it asks something; nothing asked is a mistake.
    pub fn read(written: &Spanned<Self>, it: &mut Reading<'_>) -> Option<Self> {
        let number = *written.get_ref();
        if number == Self::default() {
            it.wrong(written.span(), "nothing is asked of the number", "add min = 1, or leave it out");
            return None;
        }
        let bounds = [number.min, number.max, number.above, number.below];
        if bounds.into_iter().flatten().any(|it| !it.is_finite()) {
            it.wrong(written.span(), "a bound is no number", "write a number, or leave it out");
            return None;
        }
        Some(number)
    }

    /// Whether a number is within them.
    #[must_use]
    pub fn has(&self, number: f64) -> bool {
        number.is_finite()
            && self.min.is_none_or(|min| number >= min)
            && self.max.is_none_or(|max| number <= max)
            && self.above.is_none_or(|above| number > above)
            && self.below.is_none_or(|below| number < below)
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let (Some(min), true) = (self.min, self.min == self.max) {
            return write!(f, "{min}");
        }
        let bounds = [
            ("at least", self.min),
            ("at most", self.max),
            ("more than", self.above),
            ("less than", self.below),
        ];
        let told = bounds.iter().filter_map(|(word, it)| it.map(|it| format!("{word} {it}")));
        f.write_str(&told.collect::<Vec<String>>().join(", "))
    }
}

/// One number, or the bounds of some.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "expected a whole number, or { min, max, above, below }")]
pub enum Count {
    /// Exactly so many.
    Exactly(u32),
    /// Any of them.
    Within(Number),
}

impl Count {
    /// The bounds that are meant, of a number that is between these two; that all are right is a mistake.
    pub fn read(
        written: &Spanned<Self>,
        (least, most): (u32, u32),
        all: &str,
        it: &mut Reading<'_>,
    ) -> Option<Number> {
        let number = Self::bounds(written, it)?;
        if number.has(least.into()) && number.has(most.into()) {
            it.wrong(written.span(), all, "write closer bounds, or leave it out");
            return None;
        }
        Some(number)
    }

    fn bounds(written: &Spanned<Self>, it: &mut Reading<'_>) -> Option<Number> {
        match *written.get_ref() {
            Self::Exactly(one) => {
                let one = Some(f64::from(one));
                Some(Number { min: one, max: one, ..Number::default() })
            }
            Self::Within(number) => Number::read(&Spanned::new(written.span(), number), it),
        }
    }
}
