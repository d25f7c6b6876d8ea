//! `dependencies`: what is installed is what the lockfile and the runtime ask for.

use crate::check::{Check, CheckId, Group, Look, Needs, Severity};
use crate::checks::runtime::runtime_version;
use crate::checks::worktree::worktree_exists;
use crate::config::Mirror;
use crate::cx::Cx;
use crate::error::ProbeError;
use crate::fixes::sync;
use crate::probes::git::Worktree;
use crate::verdict::{Fact, Seen, Verdict};

/// The installed dependencies are the lockfile's.
pub static CHECK: Check = Check {
    id: CheckId("dependencies"),
    group: Group::Sync,
    summary: "the installed dependencies match the lockfile and the runtime",
    docs: include_str!("dependencies.md"),
    severity: Severity::Error,
    requires: &[Needs::all(&worktree_exists::CHECK), Needs::all(&runtime_version::CHECK)],
    fix: Some(&sync::FIX),
    look: Look::Mirror(look),
};

fn look(cx: &Cx, mirror: &Mirror) -> Seen {
    if mirror.install.is_empty() {
        return Ok(Verdict::not_applicable("no `install` is configured"));
    }
    let project = cx.project()?;
    let Some(lockfile) = &project.lockfile else {
        // Without the worktree, nobody knows what the project has: what broke it explains this one.
        if !matches!(&*cx.worktree()?, Worktree::Present(_)) {
            return Ok(Verdict::fail("the dependencies are not installed"));
        }
        return Ok(Verdict::not_applicable("the project has no lockfile"));
    };
    let name = lockfile.name();
    let installed = cx.installed()?;
    if !installed.tree {
        return Ok(
            Verdict::fail("the dependencies are not installed").with("lockfile", lockfile.path.as_path())
        );
    }
    let Some(stamp) = &installed.stamp else {
        return Ok(Verdict::fail(format!("the installed dependencies are not known to match `{name}`"))
            .with("lockfile", lockfile.path.as_path())
            .with("actual", "installed by somebody else, or not to the end"));
    };
    if stamp.lockfile != lockfile.digest {
        return Ok(Verdict::fail(format!("`{name}` has changed since the dependencies were installed"))
            .with("expected", format!("sha256 {}", lockfile.digest))
            .with("actual", format!("sha256 {}", stamp.lockfile))
            .with("installed", stamp.at));
    }
    if let Some(node) = &*cx.tool("node")? {
        let version = node.version.as_ref().map_err(|why| ProbeError::failed("start node", why))?;
        let major = version.split('.').next().unwrap_or_default();
        if major != stamp.runtime {
            return Ok(Verdict::fail(format!(
                "the dependencies were installed for node {}, and the jobs run node {major}",
                stamp.runtime
            ))
            .with("expected", Fact::Version(version.clone()))
            .with("actual", Fact::Version(stamp.runtime.clone()))
            .with("installed", stamp.at));
        }
    }
    Ok(Verdict::pass_with("dependencies match the lockfile").with("installed", stamp.at))
}
