//! Runs a program: with a deadline, in its own process group, its output bounded.
//!
//! Looks and hands alike run programs only through here, so that none outlives its deadline.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use crate::error::ProbeError;

/// A program to run, with its whole environment.
#[derive(Debug, Clone)]
pub struct Program {
    /// The program and its arguments; the first is looked up on the PATH of `environment`.
    pub argv: Vec<OsString>,
    /// Where it runs; the root directory where there is none.
    pub directory: Option<PathBuf>,
    /// All the variables that it gets.
    pub environment: BTreeMap<OsString, OsString>,
    /// How long it may take, from its start to the end of its output.
    pub deadline: Duration,
    /// The most that is kept of each of its two outputs, in bytes; what is more is read and dropped.
    pub limit: usize,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// How it ended.
    pub ended: Ended,
    /// What it wrote.
    pub stdout: Vec<u8>,
    /// What it complained of.
    pub stderr: Vec<u8>,
    /// Whether either was longer than is kept.
    pub truncated: bool,
    /// How long it took.
    pub took: Duration,
}

/// How a program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// By itself, with this code.
    Code(i32),
    /// By this signal.
    Signal(i32),
}

impl Output {
    /// Whether it ended with 0.
    #[must_use]
    pub const fn succeeded(&self) -> bool {
        matches!(self.ended, Ended::Code(0))
    }
}

/// Runs it to its end. Its group is killed at the deadline, and also when it ended and a grandchild holds its output.
///
/// # Errors
/// It cannot be started, or its deadline passed.
pub fn run(program: &Program) -> Result<Output, ProbeError> {
    run_observed(program, &mut |_| ())
}

/// The same, handing over each chunk of either output as it comes, for logs and progress.
///
/// # Errors
/// As for [`run`].
pub fn run_observed(_program: &Program, _on_output: &mut dyn FnMut(&[u8])) -> Result<Output, ProbeError> {
    Err(ProbeError::failed("run a program", &"not built"))
}
