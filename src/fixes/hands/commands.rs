//! What a person would type for an action.

use std::path::Path;

use crate::config::{Config, Mirror};
use crate::fixes::Action;
use crate::fixes::hands::jobs;

impl Action {
    /// The commands that a person would type for it, each a line that can be pasted.
    #[must_use]
    pub fn commands(&self, config: &Config) -> Vec<String> {
        let quote = |path: &Path| shell(&config.tilde(path));
        let of_mirror =
            |lines: &dyn Fn(&Mirror) -> Vec<String>| config.mirror.as_deref().map(lines).unwrap_or_default();
        match self {
            Self::Fetch => of_mirror(&|mirror| {
                vec![format!(
                    "git -C {} fetch --no-tags {} {}",
                    quote(&mirror.repository),
                    shell(&mirror.remote),
                    shell(&refspec(mirror))
                )]
            }),
            Self::AddWorktree => of_mirror(&|mirror| {
                let (repository, worktree) = (quote(&mirror.repository), quote(&mirror.worktree));
                vec![
                    format!(
                        "git -C {repository} worktree add -B {} {worktree} {}",
                        shell(&mirror.branch),
                        shell(&mirror.upstream_name())
                    ),
                    lock(&quote, mirror),
                ]
            }),
            Self::Relink => of_mirror(&|mirror| {
                vec![format!(
                    "git -C {} worktree repair {}",
                    quote(&mirror.repository),
                    quote(&mirror.worktree)
                )]
            }),
            Self::LockWorktree => of_mirror(&|mirror| vec![lock(&quote, mirror)]),
            Self::RemoveLock(path) | Self::RemoveJob(path) => vec![format!("rm {}", quote(path))],
            Self::SetAside => of_mirror(&|mirror| {
                let worktree = quote(&mirror.worktree);
                vec![format!(
                    "git -C {worktree} stash push --include-untracked  # as refs/housecall/rescued/<time>"
                )]
            }),
            Self::Align(sha) => of_mirror(&|mirror| {
                let worktree = quote(&mirror.worktree);
                vec![
                    format!("git -C {worktree} checkout -f -B {} {sha}", shell(&mirror.branch)),
                    format!("git -C {worktree} clean -ffd"),
                ]
            }),
            Self::Carry(file) => of_mirror(&|mirror| {
                let (from, to) = (mirror.repository.join(file), mirror.worktree.join(file));
                vec![format!("install -m 600 {} {}", quote(&from), quote(&to))]
            }),
            Self::Install(argv) | Self::Build(argv) => of_mirror(&|mirror| {
                let argv: Vec<String> = argv.iter().map(|it| shell(it)).collect();
                vec![format!("cd {} && {}", quote(&mirror.worktree), argv.join(" "))]
            }),
            Self::Run(fix) => vec![fix.launch.line(config)],
            Self::StartKeeper => vec!["housecall up --detach".to_owned()],
            Self::RestartServer => vec!["housecall restart".to_owned()],
            Self::StopProcess { pid, .. } => vec![format!("kill {pid}")],
            Self::Await { url, .. } => {
                vec![format!("curl --fail --retry-connrefused --retry 60 {}", shell(url))]
            }
            Self::MoveAside(path) => vec![format!("mv {} {}.aside-<time>", quote(path), quote(path))],
            Self::RotateLog(path) => {
                let path = quote(path);
                vec![format!("cp {path} {path}.1 && : > {path}")]
            }
            Self::WriteJob { path, .. } => {
                vec![format!("housecall install  # writes {}", quote(path))]
            }
            Self::BackUp(path) => vec![format!("mv {} {}", quote(path), quote(&jobs::beside(path)))],
            Self::BringBack(path) => vec![format!("mv {} {}", quote(&jobs::beside(path)), quote(path))],
            Self::Service { manager, job, verb } => (manager.commands)(config, job, *verb),
            // Nobody types what only Housecall writes down.
            Self::Record | Self::Remember(_) | Self::Forget => Vec::new(),
        }
    }
}

/// What locks the worktree, so that nobody's prune takes it away.
fn lock(quote: &dyn Fn(&Path) -> String, mirror: &Mirror) -> String {
    format!("git -C {} worktree lock {}", quote(&mirror.repository), quote(&mirror.worktree))
}

/// The one ref, into its remote-tracking branch; forced, since upstream may have been rewritten.
#[must_use]
pub fn refspec(mirror: &Mirror) -> String {
    format!("+{}:{}", mirror.remote_ref(), mirror.tracking_ref())
}

/// A word as a shell takes it; a leading `~/` stays the home directory.
#[must_use]
pub fn shell(word: &str) -> String {
    let plain = |it: char| it.is_ascii_alphanumeric() || "-_./:=@%+,".contains(it);
    let (home, rest) = word.strip_prefix("~/").map_or(("", word), |rest| ("~/", rest));
    if !rest.is_empty() && rest.chars().all(plain) || word == "~" {
        return word.to_owned();
    }
    format!("{home}'{}'", rest.replace('\'', r"'\''"))
}
