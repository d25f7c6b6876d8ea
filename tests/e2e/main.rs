//! The real binary in real worlds: whole stories, and the faults that a mirror meets.

#![expect(clippy::disallowed_methods, reason = "tests make the world that the product only looks at")]

use std::process::ExitCode;

mod parts;

fn main() -> ExitCode {
    support::harness::run(&[("parts", parts::TESTS)])
}
