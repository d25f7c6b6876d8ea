//! `canonical-repo`: the repository people develop in is there, and has the remote that the mirror follows.

use crate::check::{Check, CheckId, Group, Look, Severity};
use crate::config::Mirror;
use crate::cx::Cx;
use crate::git;
use crate::probes::git::{Canonical, Repository};
use crate::verdict::{Seen, Verdict};

/// The canonical repository is there and has the remote.
pub static CHECK: Check = Check {
    id: CheckId("canonical-repo"),
    group: Group::Repository,
    summary: "the canonical repository is there and has the remote",
    docs: include_str!("canonical_repo.md"),
    severity: Severity::Error,
    requires: &[],
    fix: None,
    look: Look::Mirror(look),
};

fn look(cx: &Cx, mirror: &Mirror) -> Seen {
    let expected = mirror.repository.as_path();
    Ok(match &*cx.canonical()? {
        Canonical::Absent => {
            Verdict::fail("the canonical repository is not there").with("expected", expected)
        }
        Canonical::Unmounted(volume) => Verdict::fail("the canonical repository's volume is not mounted")
            .with("expected", expected)
            .with("volume", volume.as_path()),
        Canonical::NotGit(why) if why.contains(git::DUBIOUS) => {
            Verdict::fail("git does not read the canonical repository, since it belongs to another user")
                .with("expected", expected)
                .with("actual", why.as_str())
        }
        Canonical::NotGit(why) => Verdict::fail("the canonical repository is not a git repository")
            .with("expected", expected)
            .with("actual", why.as_str()),
        Canonical::Present(Repository { symbolic: Some([name, target]), top, .. }) => {
            Verdict::fail(format!("`{name}` is a symbolic ref, so a sync would move `{target}`"))
                .with("expected", "a ref that holds a commit")
                .with("actual", format!("ref: {target}"))
                .with("repository", top.as_path())
        }
        Canonical::Present(repository) => match &repository.remote_url {
            None => Verdict::fail(format!("the canonical repository has no remote `{}`", mirror.remote))
                .with("repository", repository.top.as_path()),
            Some(url) => Verdict::pass_with(cx.config().tilde(expected))
                .with("repository", repository.top.as_path())
                .with(mirror.remote.clone(), url.as_str()),
        },
    })
}
