//! `build-fresh`: what is built was built from the worktree's commit, by the configured command, to the end.

use crate::check::{Check, CheckId, Group, Look, Needs, Severity};
use crate::checks::sync::dependencies;
use crate::checks::worktree::worktree_exists;
use crate::config::Mirror;
use crate::cx::Cx;
use crate::error::ProbeError;
use crate::fixes::sync;
use crate::probes::built::{self, FailedBuild};
use crate::verdict::{Fact, Seen, Verdict};

/// The build is of the worktree's commit.
pub static CHECK: Check = Check {
    id: CheckId("build-fresh"),
    group: Group::Sync,
    summary: "what is built is of the worktree's commit",
    docs: include_str!("build_fresh.md"),
    severity: Severity::Error,
    requires: &[Needs::all(&worktree_exists::CHECK), Needs::all(&dependencies::CHECK)],
    fix: Some(&sync::FIX),
    look: Look::Mirror(look),
};

fn look(cx: &Cx, mirror: &Mirror) -> Seen {
    if mirror.build.is_empty() {
        return Ok(Verdict::not_applicable("no `build` is configured"));
    }
    let head = cx.checkout()?.head.clone();
    let Some(head) = head else {
        return Err(ProbeError::failed("tell the worktree's commit", &"its HEAD names none"));
    };
    let expected = Fact::Sha(head.clone());
    let state = cx.state()?;
    if let Some(failed) = failed(cx, mirror)? {
        let times = if failed.times == 1 { String::new() } else { format!(" {} times", failed.times) };
        let message = format!("the build of the worktree's commit failed{times}: {}", failed.why);
        let again = failed.again(mirror.every);
        return Ok(Verdict::fail(message)
            .with("expected", expected)
            .with("failed", failed.at)
            .with("tried again", again));
    }
    let Some(build) = &state.built.build else {
        let actual = "no build of ours that ended well";
        let message = "nothing is known to be built";
        return Ok(Verdict::fail(message).with("expected", expected).with("actual", actual));
    };
    if build.sha != head {
        return Ok(Verdict::fail("what is built is of another commit")
            .with("expected", expected)
            .with("actual", Fact::Sha(build.sha.clone()))
            .with("built", build.at));
    }
    if build.command != mirror.build {
        return Ok(Verdict::fail("what is built was built by another command")
            .with("expected", Fact::Command(mirror.build.join(" ")))
            .with("actual", Fact::Command(build.command.join(" ")))
            .with("built", build.at));
    }
    let installed = cx.installed()?.stamp.as_ref().map(|stamp| stamp.at);
    if let Some(installed) = installed
        && build.installed != Some(installed)
    {
        return Ok(Verdict::fail("the dependencies were installed since the build")
            .with("installed", installed)
            .with("built", build.at));
    }
    Ok(Verdict::pass_with("built from the worktree's commit").with("built", build.at))
}

/// The last build, where it failed and the next one would be of the same.
///
/// # Errors
/// The worktree, its dependencies or the state cannot be looked at.
pub fn failed(cx: &Cx, mirror: &Mirror) -> Result<Option<FailedBuild>, ProbeError> {
    let state = cx.state()?;
    let Some(failed) = &state.built.failed else { return Ok(None) };
    let Some(head) = cx.checkout()?.head.clone() else { return Ok(None) };
    let installed = cx.installed()?.stamp.as_ref().map(|stamp| stamp.at);
    let inputs = if mirror.carry.is_empty() {
        built::inputs(cx.config(), &[])
    } else {
        built::inputs(cx.config(), &cx.carried()?)
    };
    Ok(failed.is_of(&head, &mirror.build, installed, &inputs).then(|| failed.clone()))
}
