//! The real binary in real worlds: whole stories, and the faults that a mirror meets.

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

fn main() -> ExitCode {
    support::harness::run(&[
        ("parts", parts::TESTS),
        ("story", story::TESTS),
        ("mending", mending::TESTS),
        ("server", server::TESTS),
        ("hangs", hangs::TESTS),
        ("pages", pages::TESTS),
        ("trust", trust::TESTS),
        ("astro", astro::TESTS),
    ])
}
