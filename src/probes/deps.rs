//! What is installed in the worktree, by the stamp that an install of ours leaves behind.
#![expect(clippy::disallowed_methods, reason = "probes are where files are read")]

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::config::Mirror;
use crate::error::ProbeError;
use crate::probes::files;

/// The version of the stamp's shape that this program writes.
pub const SCHEMA: u32 = 1;

/// The tree that an installer makes.
pub const TREE: &str = "node_modules";

/// The name of the stamp.
const STAMP: &str = ".housecall.json";

/// Where Yarn keeps what is no tree, in a project that it runs without one.
const YARN: &str = ".yarn";

/// What an install puts into the worktree. Where the project neither tracks nor ignores it, it is no person's work.
pub const INSTALLED: [&str; 7] = [
    TREE,
    ".pnp.cjs",
    ".pnp.loader.mjs",
    ".yarn/.housecall.json",
    ".yarn/cache",
    ".yarn/install-state.gz",
    ".yarn/unplugged",
];

/// The installed dependencies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installed {
    /// Whether there is a tree at all (`node_modules`, or Yarn's `.pnp.cjs`).
    pub tree: bool,
    /// What it was installed from, where that is known.
    pub stamp: Option<Stamp>,
}

/// What an install leaves behind in its tree, written last: `node_modules/.housecall.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    /// The version of this shape.
    pub schema: u32,
    /// The SHA-256 of the lockfile's content.
    pub lockfile: String,
    /// The runtime's major version: "22".
    pub runtime: String,
    /// When it ended.
    pub at: Timestamp,
    /// What was run; nothing where an older version installed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub command: Vec<String>,
}

impl Stamp {
    /// Whether two trees are of the same lockfile, runtime and command, whenever they were installed.
    #[must_use]
    pub fn is_of(&self, other: &Self) -> bool {
        (&self.lockfile, &self.runtime, &self.command) == (&other.lockfile, &other.runtime, &other.command)
    }

    /// A name for all trees of the same.
    #[must_use]
    pub fn key(&self) -> String {
        let whole = format!("{}\0{}\0{}", self.lockfile, self.runtime, self.command.join("\0"));
        files::digest(whole.as_bytes())
    }
}

/// Where the stamp of an install is: in its tree, so that it goes with it; with Yarn's own files where there is none.
#[must_use]
pub fn stamp_file(mirror: &Mirror) -> PathBuf {
    let tree = mirror.worktree.join(TREE);
    let has_no_tree = !tree.exists() && mirror.worktree.join(".pnp.cjs").exists();
    if has_no_tree { mirror.worktree.join(YARN).join(STAMP) } else { tree.join(STAMP) }
}

/// Whether what is run makes the one tree at the top and nothing else: a known installer, told of no other
/// directory, in a project without workspaces, and not a Yarn that keeps account of it elsewhere.
#[must_use]
pub fn is_one_tree(mirror: &Mirror, argv: &[String]) -> bool {
    let top = &mirror.worktree;
    let text = |name: &str| files::text(&top.join(name)).ok().flatten().unwrap_or_default();
    let installer = argv.first().and_then(|program| program.rsplit('/').next()).unwrap_or_default();
    let is_known = ["npm", "pnpm", "yarn", "bun"].contains(&installer);
    let elsewhere = ["-C", "--prefix", "--dir", "--cwd", "-g", "--global"];
    let is_here = !argv.iter().any(|word| elsewhere.contains(&word.split('=').next().unwrap_or_default()));
    let package: serde_json::Value = serde_json::from_slice(&text("package.json")).unwrap_or_default();
    let has_workspaces = package.get("workspaces").is_some()
        || text("pnpm-workspace.yaml")
            .split(|byte| *byte == b'\n')
            .any(|line| line.starts_with(b"packages:"));
    let is_new_yarn = installer == "yarn" && top.join(".yarnrc.yml").exists();
    is_known && is_here && !has_workspaces && !is_new_yarn
}

/// Reads what is installed.
///
/// # Errors
/// A stamp that is there and cannot be read; a torn one, or one of a newer schema, is none.
pub fn read(mirror: &Mirror) -> Result<Installed, ProbeError> {
    let tree = [TREE, ".pnp.cjs"].iter().any(|it| mirror.worktree.join(it).exists());
    let stamp = files::text(&stamp_file(mirror))?;
    Ok(Installed { tree, stamp: stamp.and_then(|bytes| parsed(&bytes)) })
}

/// Where the stamp in a tree is, wherever that lies.
#[must_use]
pub fn stamp_in(tree: &Path) -> PathBuf {
    tree.join(STAMP)
}

/// The stamp in a tree, wherever that lies.
#[must_use]
pub fn stamp_at(tree: &Path) -> Option<Stamp> {
    files::text(&stamp_in(tree)).ok().flatten().and_then(|bytes| parsed(&bytes))
}

fn parsed(bytes: &[u8]) -> Option<Stamp> {
    serde_json::from_slice(bytes).ok().filter(|stamp: &Stamp| stamp.schema <= SCHEMA)
}
