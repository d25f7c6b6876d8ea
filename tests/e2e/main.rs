//! Real worlds, end to end: whole stories, the faults that a mirror meets, and the managers and formats of real machines.
//!
//! A test belongs here if it needs a part that a machine may lack (see `support::parts`): it is counted as skipped there. So
//! each file lists its tests, and those of systemd run again in namespaces of their own.

#![expect(clippy::disallowed_methods, reason = "tests make the world that the product only looks at")]

use std::process::ExitCode;

mod parts;
mod story;
mod mending;
mod server;
mod hangs;
mod pages;
mod trust;
mod astro;
mod formats;
mod goss_oracle;
mod systemd;
mod jobs_systemd;

fn main() -> ExitCode {
    let groups: &[(&str, &[support::Test])] = &[
        ("parts", parts::TESTS),
        ("story", story::TESTS),
        ("mending", mending::TESTS),
        ("server", server::TESTS),
        ("hangs", hangs::TESTS),
        ("pages", pages::TESTS),
        ("trust", trust::TESTS),
        ("astro", astro::TESTS),
        ("formats::sha256", formats::OF_SHA256),
        ("formats::reftable", formats::OF_REFTABLE),
        ("goss_oracle::recorded", goss_oracle::RECORDED),
        ("goss_oracle::real", goss_oracle::REAL),
        ("systemd", systemd::TESTS),
        ("jobs_systemd", jobs_systemd::TESTS),
    ];
    support::harness::run(groups, &["systemd", "jobs_systemd"])
}
