//! The folder of a test run, and the sweep: the next run ends the processes and removes the files of an interrupted one.
//!
//! A run is one test process. Its folder is `housecall-<pid>-<start>` in the temporary directory. The file `owner` in it
//! records that process, the runner that started it, each by pid and start time, and their pid namespace.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, MutexGuard, Once, OnceLock, PoisonError};
use std::time::Duration;

use crate::processes::{self, started};

/// The variable that passes a run on to a process in another pid namespace; everything started there inherits it.
pub(crate) const MARK: &str = "HOUSECALL_TEST_RUN";
/// The directory of homes in memory.
pub(crate) const MEMORY: &str = "/dev/shm";
/// The directory where volumes are mounted.
pub(crate) const MEDIA: &str = "/media";

const OWNER: &str = "owner";
const KEPT: &str = "kept";

/// Guards the run's folder, which is removed with the last entry in it.
static LOCK: Mutex<()> = Mutex::new(());

/// The folder of the run that this process belongs to.
pub(crate) fn folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| inherited().unwrap_or_else(|| temporary().join(name(std::process::id()))))
}

/// The name of its folder.
pub(crate) fn own_name() -> String {
    folder().file_name().expect("the name of a run").to_string_lossy().into_owned()
}

/// Creates the folder of this run in that directory, unless it exists; it is not removed while the guard lives.
///
/// # Panics
/// Where it cannot be made.
pub(crate) fn enter(place: &Path) -> (PathBuf, MutexGuard<'static, ()>) {
    static FIRST: Once = Once::new();
    if inherited().is_none() {
        FIRST.call_once(sweep);
    }
    let guard = LOCK.lock().unwrap_or_else(PoisonError::into_inner);
    if inherited().is_none() && !folder().join(OWNER).exists() {
        fs::create_dir_all(folder()).expect("the run's folder");
        fs::write(folder().join(OWNER), owner()).expect("the run's owner");
    }
    let here = place.join(own_name());
    fs::create_dir_all(&here).expect("the run's folder");
    (here, guard)
}

/// Removes the folders of this run if they are empty.
pub(crate) fn leave() {
    let _guard = LOCK.lock().unwrap_or_else(PoisonError::into_inner);
    let _ = fs::remove_dir(Path::new(MEMORY).join(own_name()));
    let is_empty = fs::read_dir(folder()).is_ok_and(|it| it.count() == 1);
    if inherited().is_none() && is_empty && fs::remove_file(folder().join(OWNER)).is_ok() {
        let _ = fs::remove_dir(folder());
    }
}

/// Excludes this run from the sweep of later ones.
pub(crate) fn keep() {
    let _ = fs::write(folder().join(KEPT), "");
}

/// Records a process of this run, for programs that overwrite their environment, as sshd does.
pub(crate) fn remember(pid: u32) {
    if inherited().is_none() {
        let (folder, _guard) = enter(&temporary());
        let _ = fs::write(folder.join(format!("pid-{pid}")), started(pid).unwrap_or_default().to_string());
    }
}

/// Removes that record.
pub(crate) fn forget(pid: u32) {
    if inherited().is_none() {
        let _ = fs::remove_file(folder().join(format!("pid-{pid}")));
        leave();
    }
}

/// The temporary directory, as the processes in it see it.
pub(crate) fn temporary() -> PathBuf {
    std::env::temp_dir().canonicalize().expect("the temporary directory")
}

fn inherited() -> Option<PathBuf> {
    std::env::var_os(MARK).map(PathBuf::from)
}

fn name(pid: u32) -> String {
    format!("housecall-{pid}-{}", started(pid).unwrap_or_default())
}

fn namespace() -> String {
    fs::read_link("/proc/self/ns/pid").unwrap_or_default().to_string_lossy().into_owned()
}

fn owner() -> String {
    let line = |what: &str, pid: u32| format!("{what} {pid} {}\n", started(pid).unwrap_or_default());
    let own = line("process", std::process::id());
    // A test started by hand may outlive its shell.
    let has_runner = ["NEXTEST", "CARGO"].iter().any(|it| std::env::var_os(it).is_some());
    let runner = if has_runner { line("runner", std::os::unix::process::parent_id()) } else { String::new() };
    format!("{own}{runner}namespace {}\n", namespace())
}

/// Ends every run whose process or runner is dead: its processes, mounts, control groups and folders.
fn sweep() {
    if started(std::process::id()).is_none() {
        return; // Without procfs every run would count as dead.
    }
    for entry in fs::read_dir(temporary()).into_iter().flatten().filter_map(Result::ok) {
        let path = entry.path();
        if path != folder() && is_dead(&path).unwrap_or(false) {
            end(&path);
        }
    }
}

/// Whether the process or the runner of this run is dead; `None`: this is no folder of a run, or not ours to remove.
fn is_dead(path: &Path) -> Option<bool> {
    use std::os::unix::fs::MetadataExt;
    let is_named = path.file_name()?.to_str()?.starts_with("housecall-");
    let found = path.symlink_metadata().ok().filter(|_| is_named)?;
    if !found.is_dir() || found.uid() != rustix::process::geteuid().as_raw() || path.join(KEPT).exists() {
        return None;
    }
    let text = fs::read_to_string(path.join(OWNER)).ok()?;
    let (processes, here) = text.trim_end().rsplit_once("namespace ")?;
    let alive = |line: &str| {
        let mut words = line.split(' ').skip(1);
        let (pid, start) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
        Some(started(pid) == Some(start))
    };
    Some(here == namespace() && processes.lines().any(|line| alive(line) == Some(false)))
}

fn end(run: &Path) {
    let name = run.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut places = vec![run.to_owned(), Path::new(MEMORY).join(&name)];
    let prefix = format!("{name}-");
    let volume = |it: &PathBuf| it.file_name().is_some_and(|it| it.to_string_lossy().starts_with(&prefix));
    places.extend(children(Path::new(MEDIA)).filter(volume));
    processes::eventually(Duration::from_secs(3), || {
        let alive = of_run(run, &places);
        for pid in &alive {
            processes::signal(*pid, "KILL");
        }
        alive.is_empty()
    });
    // A process leaves its group a moment after its memory.
    processes::eventually(Duration::from_secs(3), || {
        for group in control_groups(&name) {
            remove_groups(&group);
        }
        control_groups(&name).is_empty()
    });
    for mount in mounts(&places) {
        let _ = Command::new("umount").args(["-i", "-l"]).arg(mount).status();
    }
    if mounts(&places).is_empty() {
        // `owner` goes last, so that an interrupted sweep is repeated.
        places[1..].iter().for_each(|it| remove(it));
        children(run).filter(|it| !it.ends_with(OWNER)).for_each(|it| remove(&it));
        remove(run);
    }
}

/// The control groups of the run's user managers.
fn control_groups(run: &str) -> Vec<PathBuf> {
    let text = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    let roots = text.lines().filter_map(|line| line.split_once(' ')?.1.split_once(" cgroup2 "));
    let groups = roots.flat_map(|(root, _)| children(Path::new(root)));
    let prefix = format!("{run}-");
    groups.filter(|it| it.file_name().is_some_and(|it| it.to_string_lossy().starts_with(&prefix))).collect()
}

/// Removes a control group and those in it; their files belong to the kernel.
fn remove_groups(group: &Path) {
    children(group).filter(|it| it.is_dir()).for_each(|it| remove_groups(&it));
    let _ = fs::remove_dir(group);
}

fn remove(path: &Path) {
    let _ = fs::remove_file(path).or_else(|_| fs::remove_dir_all(path));
}

fn children(path: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    fs::read_dir(path).into_iter().flatten().filter_map(|it| Some(it.ok()?.path()))
}

/// Every process of this run: its owner, the recorded ones, and those whose environment names the run or a home in it.
fn of_run(run: &Path, places: &[PathBuf]) -> Vec<u32> {
    let mark = format!("{MARK}={}", run.display());
    let homes: Vec<String> = places.iter().map(|it| format!("HOME={}/", it.display())).collect();
    let carries = |pid: u32| {
        let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment
            .split(|it| *it == 0)
            .any(|it| it == mark.as_bytes() || homes.iter().any(|home| it.starts_with(home.as_bytes())))
    };
    let is_written = |pid: u32| {
        let start = fs::read_to_string(run.join(format!("pid-{pid}"))).ok();
        start.is_some_and(|it| it.parse().ok() == started(pid))
    };
    let is_owner = |pid: u32| run.ends_with(name(pid));
    let own = std::process::id();
    let alive = processes::all().filter(|pid| *pid != own && started(*pid).is_some());
    alive.filter(|pid| is_owner(*pid) || is_written(*pid) || carries(*pid)).collect()
}

/// The mount points in these places, the innermost first.
fn mounts(places: &[PathBuf]) -> Vec<PathBuf> {
    let text = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let mounted = text.lines().filter_map(|line| line.split(' ').nth(4)).map(PathBuf::from);
    let mut found: Vec<PathBuf> =
        mounted.filter(|it| places.iter().any(|place| it.starts_with(place))).collect();
    found.reverse();
    found
}
