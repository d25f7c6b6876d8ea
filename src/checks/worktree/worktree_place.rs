//! `worktree-place`: the worktree lies under the home directory, on this machine's own volume, apart from the repository.

use std::path::Path;

use crate::check::{Check, CheckId, Group, Look, Severity};
use crate::config::Mirror;
use crate::cx::Cx;
use crate::probes::git::Canonical;
use crate::probes::mounts::Kind;
use crate::verdict::{Seen, Verdict};

/// The worktree lies where a mirror may.
pub static CHECK: Check = Check {
    id: CheckId("worktree-place"),
    group: Group::Worktree,
    summary: "the worktree lies under the home directory, on a volume that is always there",
    docs: include_str!("worktree_place.md"),
    severity: Severity::Error,
    requires: &[],
    fix: None,
    look: Look::Mirror(look),
};

fn look(cx: &Cx, mirror: &Mirror) -> Seen {
    let ground = cx.ground()?;
    let actual = ground.real.as_path();
    let kind = match ground.mount.kind {
        Kind::Local => None,
        Kind::Network => Some("a network volume"),
        Kind::Fuse => Some("a FUSE volume"),
        Kind::External => Some("an external volume"),
    };
    if let Some(kind) = kind {
        return Ok(Verdict::fail(format!("the worktree is on {kind}"))
            .with("expected", "a volume of this machine that is always there")
            .with("actual", format!("{} at {}", ground.mount.filesystem, ground.mount.point.display()))
            .with("worktree", actual));
    }
    if !actual.starts_with(&ground.home) || actual == ground.home {
        return Ok(Verdict::fail("the worktree does not lie under the home directory")
            .with("expected", ground.home.as_path())
            .with("actual", actual));
    }
    let canonical = cx.canonical().ok();
    let (top, common_dir): (&Path, &Path) = match canonical.as_deref() {
        Some(Canonical::Present(repository)) => (&repository.top, &repository.common_dir),
        _ => (&mirror.repository, &mirror.repository),
    };
    if actual.starts_with(top) || actual.starts_with(common_dir) {
        return Ok(Verdict::fail("the worktree lies inside the canonical repository")
            .with("expected", "a place apart from it")
            .with("actual", actual)
            .with("repository", top));
    }
    if top.starts_with(actual) {
        return Ok(Verdict::fail("the canonical repository lies inside the worktree")
            .with("expected", "places apart from each other")
            .with("actual", top)
            .with("worktree", actual));
    }
    Ok(match &ground.around {
        Some(around) => Verdict::pass().with("inside the repository", around.as_path()),
        None => Verdict::pass(),
    })
}
