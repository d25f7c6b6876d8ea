//! What can be said of an import.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};

/// Whose checks are turned.
#[derive(Debug, Subcommand)]
pub enum ImportFrom {
    /// A gossfile, and those that it includes; 0: all was turned, 1: something is named that was not
    Goss(ImportOptions),
}

/// What is turned, and where it goes.
#[derive(Debug, Clone, Args)]
pub struct ImportOptions {
    /// YAML or JSON; `-`: stdin
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub file: PathBuf,
    /// Write the checks into this file, which must not be there yet; default: to stdout
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub write: Option<PathBuf>,
    /// The values of `{{.Vars.x}}`, YAML or JSON
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub vars: Option<PathBuf>,
}
