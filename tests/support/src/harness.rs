//! Runs tests that need parts: one whose part is lacking is counted as skipped, and says which part by name.

use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};

use crate::parts::Part;

/// One test, the parts it needs, and what it does.
#[derive(Debug)]
pub struct Test {
    /// Its name, which says what holds.
    pub name: &'static str,
    /// What the machine must have.
    pub needs: &'static [Part],
    /// Panics where it does not hold.
    pub run: fn(),
}

/// Runs all of them; call it from a `main` without libtest's harness.
#[must_use]
pub fn run(groups: &[(&str, &'static [Test])]) -> ExitCode {
    let trials =
        groups.iter().flat_map(|(group, tests)| tests.iter().map(move |test| trial(group, test))).collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn trial(group: &str, test: &'static Test) -> Trial {
    let name = format!("{group}::{}", test.name);
    let lacking: Vec<&Part> = test.needs.iter().filter(|it| !it.present()).collect();
    if lacking.is_empty() {
        return Trial::test(name, || {
            (test.run)();
            Ok(())
        });
    }
    let names: Vec<String> = lacking.iter().map(ToString::to_string).collect();
    let reason = format!("needs {}", names.join(", "));
    if lacking.into_iter().any(Part::required) {
        return Trial::test(name, move || Err(Failed::from(format!("{reason}: run dev/parts"))));
    }
    Trial::test(name, || Ok(())).with_kind(reason).with_ignored_flag(true)
}
