//! A report, as a reader of `--json` sees it.

use serde_json::Value;

/// A report of the contract's first version.
#[derive(Debug, Clone)]
pub struct Report(pub Value);

impl Report {
    /// Reads it; the counts must add up to the checks.
    ///
    /// # Panics
    /// Where it is not one.
    #[must_use]
    #[track_caller]
    pub fn new(value: Value) -> Self {
        assert_eq!(value["schema"], "housecall.report/1", "{value:#}");
        let counts = value["counts"].as_object().expect("counts");
        let sum: u64 = counts.values().filter_map(Value::as_u64).sum();
        assert_eq!(sum, value["checks"].as_array().expect("checks").len() as u64, "the counts add up");
        Self(value)
    }

    /// The verdict's one word.
    #[must_use]
    pub fn verdict(&self) -> &str {
        self.0["verdict"].as_str().unwrap_or_default()
    }

    /// The units that explain the others.
    #[must_use]
    pub fn causes(&self) -> Vec<&str> {
        self.0["causes"].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
    }

    /// What was mended, in order.
    #[must_use]
    pub fn repairs(&self) -> &[Value] {
        self.0["repairs"].as_array().map(Vec::as_slice).unwrap_or_default()
    }

    /// The check of that unit: "listener", "page-content:/".
    ///
    /// # Panics
    /// Where there is none.
    #[must_use]
    #[track_caller]
    pub fn check(&self, unit: &str) -> &Value {
        let (id, subject) = unit.split_once(':').map_or((unit, None), |(id, subject)| (id, Some(subject)));
        let found = self.0["checks"]
            .as_array()
            .into_iter()
            .flatten()
            .find(|it| it["id"] == id && subject.is_none_or(|subject| it["subject"] == subject));
        found.unwrap_or_else(|| panic!("no check {unit} in {:#}", self.0))
    }

    /// Its status.
    #[must_use]
    #[track_caller]
    pub fn status(&self, unit: &str) -> &str {
        self.check(unit)["status"].as_str().expect("a status")
    }

    /// What its own look saw, whether or not something beneath it is broken.
    #[must_use]
    #[track_caller]
    pub fn saw(&self, unit: &str) -> &str {
        let check = self.check(unit);
        check["seen"]["status"].as_str().or(check["status"].as_str()).expect("a status")
    }

    /// Its message and its evidence, as one text to search.
    #[must_use]
    #[track_caller]
    pub fn told(&self, unit: &str) -> String {
        let check = self.check(unit);
        format!("{}\n{}\n{}", check["message"], check["evidence"], check["seen"])
    }

    /// All units that are not well, with what is said of them: what a failed assertion shows.
    #[must_use]
    pub fn troubles(&self) -> String {
        let checks = self.0["checks"].as_array().into_iter().flatten();
        let troubled = checks.filter(|it| it["status"] != "pass" && it["status"] != "skip");
        let repairs = match &self.0["repairs"] {
            Value::Array(repairs) if !repairs.is_empty() => format!("\nrepairs {:#}", self.0["repairs"]),
            _ => String::new(),
        };
        let start = format!("verdict {}, causes {:?}{repairs}", self.verdict(), self.causes());
        troubled.fold(start, |text, it| {
            let subject = it["subject"].as_str().unwrap_or_default();
            let (id, status, message) = (&it["id"], &it["status"], &it["message"]);
            format!("{text}\n{id} {subject} {status} {message} {} {}", it["evidence"], it["blocked_by"])
        })
    }

    /// The report, which must be healthy.
    ///
    /// # Panics
    /// Where it is not.
    #[must_use]
    #[track_caller]
    pub fn healthy(self) -> Self {
        assert_eq!(self.verdict(), "healthy", "{}", self.troubles());
        self
    }

    /// The report, whose unit must have that status.
    ///
    /// # Panics
    /// Where it has not.
    #[must_use]
    #[track_caller]
    pub fn with(self, unit: &str, status: &str) -> Self {
        assert_eq!(self.status(unit), status, "{unit}: {}", self.troubles());
        self
    }

    /// The report, whose first cause must be that unit.
    ///
    /// # Panics
    /// Where it is another.
    #[must_use]
    #[track_caller]
    pub fn caused_by(self, unit: &str) -> Self {
        let first = self.causes().first().copied().unwrap_or_default();
        assert_eq!(first, unit, "{}", self.troubles());
        self
    }
}
