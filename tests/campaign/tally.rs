//! What a campaign came to: how often each step was hit in act, what recovered, what was lost.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::PathBuf;

/// The count of one campaign, and what went wrong in it.
#[derive(Debug)]
pub(crate) struct Tally {
    name: &'static str,
    hits: BTreeMap<(String, String), u64>,
    failures: Vec<String>,
    losses: u64,
    in_parts: u64,
}

impl Tally {
    pub(crate) const fn new(name: &'static str) -> Self {
        Self { name, hits: BTreeMap::new(), failures: Vec::new(), losses: 0, in_parts: 0 }
    }

    /// One more of that, in that step.
    pub(crate) fn hit(&mut self, what: &str, step: &str) {
        *self.hits.entry((what.to_owned(), step.to_owned())).or_default() += 1;
    }

    /// One more round in a world with submodules.
    pub(crate) const fn in_parts(&mut self) {
        self.in_parts += 1;
    }

    /// A round that did not end as it should.
    pub(crate) fn failed(&mut self, what: &str, complaints: &[String]) {
        self.losses += u64::from(complaints.iter().any(|it| it.starts_with("LOSS")));
        let failure = format!("{what}:\n    {}", complaints.join("\n    "));
        println!("{failure}");
        self.failures.push(failure);
    }

    pub(crate) fn count(&self) -> u64 {
        self.hits.values().sum()
    }

    /// Prints the table, leaves it for whoever adds up several, and fails where anything went wrong.
    #[track_caller]
    pub(crate) fn end(self) {
        let mut table = String::new();
        for ((what, step), hits) in &self.hits {
            let _ = writeln!(table, "{}\t{hits}\t{what}\t{step}", self.name);
        }
        let _ = writeln!(table, "{}\tparts\t{}", self.name, self.in_parts);
        let failures = self.failures.len();
        let all = self.count();
        let _ = writeln!(
            table,
            "{}\tall\t{all}\t{}\t{}",
            self.name,
            all.saturating_sub(u64::try_from(failures).unwrap_or(all)),
            self.losses
        );
        println!("{table}");
        if let Some(folder) = std::env::var_os("HOUSECALL_CAMPAIGN_TALLY").map(PathBuf::from) {
            fs::create_dir_all(&folder).expect("a folder");
            let mut file = File::create(folder.join(self.name)).expect("a file");
            file.write_all(table.as_bytes()).expect("the table");
        }
        assert!(
            failures == 0,
            "{failures} rounds of {} went wrong:\n{}",
            self.name,
            self.failures.join("\n")
        );
    }
}
