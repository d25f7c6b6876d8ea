//! What must hold after every fault: the canonical repository is as it was, nothing runs, no temporary file is left.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use housecall::probes::state::{LastSync, SyncStatus};
use support::processes::eventually;

use crate::world::{World, walk};

/// The canonical repository at one moment.
pub(crate) struct Oracle {
    files: BTreeMap<PathBuf, Vec<u8>>,
    refs: String,
}

impl Oracle {
    pub(crate) fn of(world: &World) -> Self {
        Self { files: world.canonical(), refs: refs(world) }
    }

    /// The repository is as it was, and nothing is left of what was done.
    #[track_caller]
    pub(crate) fn holds(&self, world: &World) {
        let now = world.canonical();
        let differs = |path: &&PathBuf| self.files.get(*path) != now.get(*path);
        let differing: Vec<&PathBuf> = self.files.keys().chain(now.keys()).filter(differs).collect();
        assert!(differing.is_empty(), "the canonical repository is another: {differing:?}");
        assert_eq!(self.refs, refs(world), "its refs");
        assert_tidy(world);
    }

    /// The next sync aligns the mirror, and all is as it was.
    #[track_caller]
    pub(crate) fn heals(&self, world: &World) -> LastSync {
        let last = world.heals();
        self.holds(world);
        last
    }

    /// The next sync has nothing to complain of, and all is as it was.
    #[track_caller]
    pub(crate) fn goes_on(&self, world: &World) -> LastSync {
        let last = world.sync();
        assert!(matches!(last.status, SyncStatus::Noop | SyncStatus::Updated), "{}", last.reason);
        world.assert_aligned();
        self.holds(world);
        last
    }

    /// The next sync ends so, for that reason, and all is as it was.
    #[track_caller]
    pub(crate) fn ends(&self, world: &World, status: SyncStatus, reason: &str) {
        let last = world.sync();
        assert!(last.status == status && last.reason.contains(reason), "{:?}: {}", last.status, last.reason);
        self.holds(world);
    }
}

/// Every ref that is not the mirror's own, with its commit.
fn refs(world: &World) -> String {
    let format = "--format=%(refname) %(if)%(symref)%(then)%(symref)%(else)%(objectname)%(end)";
    let all = world.home.git(&world.repository(), ["for-each-ref", format]);
    let own = ["refs/heads/localhost-sync ", "refs/remotes/origin/main ", "refs/housecall/"];
    all.lines().filter(|line| !own.iter().any(|own| line.starts_with(own))).collect::<Vec<_>>().join("\n")
}

/// Nothing that was begun is left: no temporary file, no lock, no process.
#[track_caller]
pub(crate) fn assert_tidy(world: &World) {
    let is_left = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let is_temporary = ["tmp_", ".tmp", ".housecall-tmp-"].iter().any(|it| name.starts_with(it));
        is_temporary || name.ends_with(".lock") && !is_ours(path)
    };
    let is_index = |path: &PathBuf| path.to_string_lossy().contains(".housecall-index-");
    for top in [world.repository().join(".git"), world.config.state.clone()] {
        let left: Vec<PathBuf> = walk(&top).into_iter().filter(|it| is_left(it) || is_index(it)).collect();
        assert!(left.is_empty(), "left behind: {left:?}");
    }
    let gone = eventually(support::processes::HANG, || world.home.processes().is_empty());
    assert!(gone, "left running: {:?}", world.home.processes());
}

fn is_ours(path: &Path) -> bool {
    ["sync.lock", "keeper.lock", "mirror.lock", "yarn.lock", "bun.lock"]
        .iter()
        .any(|name| path.ends_with(name))
}

/// A synced mirror in which every probe has a second: what hangs is given up soon.
pub(crate) fn hasty() -> World {
    let mut world = World::synced();
    give(&mut world, Duration::from_secs(1));
    world
}

/// Gives every probe that long.
pub(crate) fn give(world: &mut World, timeout: Duration) {
    Arc::make_mut(&mut world.config).limits.timeout = timeout;
}

/// Somebody pushes more than a line of a network holds: half a megabyte that cannot be packed.
pub(crate) fn push_much(world: &World, seed: u64) -> String {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let noise: Vec<u8> = (0..64 * 1024)
        .flat_map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()
        })
        .collect();
    world.home.write("author/noise.bin", noise);
    world.push("index.html", &format!("much {seed}\n"))
}

/// Sets the address of the remote in the canonical repository, as its owner would.
pub(crate) fn set_url(world: &World, url: &str) {
    world.home.git(&world.repository(), ["remote", "set-url", "origin", url]);
}

/// A file that is left in the mirror by a person survives, whatever happens.
#[track_caller]
pub(crate) fn assert_kept(world: &World, file: &str, content: &str) {
    let there = fs::read_to_string(world.worktree().join(file)).is_ok_and(|it| it == content);
    let kept = world.rescued().iter().any(|name| {
        let mut git = world.home.command("git");
        git.args(["show", &format!("{name}:{file}")]).current_dir(world.repository());
        git.output().is_ok_and(|it| it.stdout == content.as_bytes())
    });
    assert!(there || kept, "{file} is lost");
}
