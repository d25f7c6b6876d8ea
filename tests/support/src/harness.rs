//! Runs tests that need parts: one whose part is lacking is counted as skipped, and says which part by name.

use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};

use crate::parts::Part;
use crate::systemd;

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

/// Runs all of them; call it from a `main` without libtest's harness. The tests of the groups `inside` run where a user
/// manager of systemd can be started, if this machine lets them.
#[must_use]
pub fn run(groups: &[(&str, &'static [Test])], inside: &[&str]) -> ExitCode {
    let arguments = Arguments::from_args();
    let mut present = Present::default();
    let mut trials = Vec::new();
    for (group, tests) in groups {
        for test in *tests {
            let name = format!("{group}::{}", test.name);
            // nextest starts a process for each test: look only for the parts of that one.
            if !arguments.exact || arguments.filter.as_ref().is_none_or(|it| *it == name) {
                let apart = inside.contains(group) && !arguments.list && systemd::can_be_entered();
                trials.push(trial(name, test, apart, &mut present));
            }
        }
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// The parts that were looked for, and whether each is present: some checks run a program.
#[derive(Default)]
struct Present(Vec<(Part, bool)>);

impl Present {
    fn has(&mut self, part: Part) -> bool {
        if let Some((_, found)) = self.0.iter().find(|(it, _)| *it == part) {
            return *found;
        }
        let found = part.present();
        self.0.push((part, found));
        found
    }
}

fn trial(name: String, test: &'static Test, apart: bool, present: &mut Present) -> Trial {
    let lacking: Vec<&Part> = test.needs.iter().filter(|it| !present.has(**it)).collect();
    if lacking.is_empty() {
        let run = test.run;
        let again = name.clone();
        return Trial::test(name, move || {
            if apart {
                return systemd::run_inside(&again);
            }
            run();
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
