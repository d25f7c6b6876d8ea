//! What may follow a round that was only shown, in words.

use crate::config::Config;
use crate::fixes::{Action, Step};

/// What may follow a round that was only shown, of what this mirror has.
pub(super) fn later(steps: &[Step], config: &Config) -> Option<String> {
    let has = |action: fn(&Action) -> bool| steps.iter().any(|step| action(&step.action));
    let mirror = config.mirror.as_deref();
    let carry = mirror.filter(|it| !it.carry.is_empty()).map(|_| "carry files");
    let install = mirror.is_some_and(|it| !it.install.is_empty());
    let changed = install.then_some("install if the lockfile or the runtime changed");
    let install = install.then_some("install the dependencies");
    let build = mirror.filter(|it| !it.build.is_empty()).map(|_| "build");
    let serve = config.server.is_some().then_some("start the server");
    let (when, what) = match () {
        () if has(|it| matches!(it, Action::AddWorktree)) => {
            ("after the worktree is made", [carry, install, build, serve, None])
        }
        () if has(|it| matches!(it, Action::Fetch)) => {
            ("after the fetch", [Some("set aside"), Some("align"), carry, changed, build])
        }
        () if has(|it| matches!(it, Action::Align(_))) => {
            ("after the alignment", [carry, changed, build, None, None])
        }
        () if has(|it| matches!(it, Action::MoveAside(_) | Action::Relink)) => {
            ("after that", [Some("fetch"), Some("make or align the worktree"), carry, install, build])
        }
        () => return None,
    };
    let what: Vec<&str> = what.into_iter().flatten().collect();
    (!what.is_empty()).then(|| format!("{when}: {}", what.join(", ")))
}
