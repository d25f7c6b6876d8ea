//! The folder of a test run: all that a test process makes lies beneath it, and names it. So what an interrupted run left
//! is known, and ended by the next one.
//!
//! A run is one test process. Its folder is `housecall-<pid>-<start>` in the temporary directory, and says in `owner` who
//! owns it and which runner started that one. Both are known by pid and start, in one namespace of pids.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, MutexGuard, Once, OnceLock, PoisonError};
use std::time::Duration;

use crate::processes::{self, started};

/// Marks what a run starts outside its homes, and hands the run on to a process in another namespace of pids.
pub(crate) const MARK: &str = "HOUSECALL_TEST_RUN";
/// Where homes in memory are.
pub(crate) const MEMORY: &str = "/dev/shm";
/// Where volumes are plugged in.
pub(crate) const MEDIA: &str = "/media";

const OWNER: &str = "owner";
const KEPT: &str = "kept";

/// A run's folder comes and goes with what is in it: one thread at a time looks.
static LOCK: Mutex<()> = Mutex::new(());

/// The run that this process hands on, or belongs to.
pub(crate) fn folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| inherited().unwrap_or_else(|| temporary().join(name(std::process::id()))))
}

/// The name of its folder.
pub(crate) fn own_name() -> String {
    folder().file_name().expect("the name of a run").to_string_lossy().into_owned()
}

/// Makes a folder of this run in that directory, unless it is there; nobody takes it away while the guard lives.
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

/// Takes the folders of this run away if nothing is left in them.
pub(crate) fn leave() {
    let _guard = LOCK.lock().unwrap_or_else(PoisonError::into_inner);
    let _ = fs::remove_dir(Path::new(MEMORY).join(own_name()));
    let is_empty = fs::read_dir(folder()).is_ok_and(|it| it.count() == 1);
    if inherited().is_none() && is_empty && fs::remove_file(folder().join(OWNER)).is_ok() {
        let _ = fs::remove_dir(folder());
    }
}

/// Has no later run take anything of this one away.
pub(crate) fn keep() {
    let _ = fs::write(folder().join(KEPT), "");
}

/// Writes down a process of this run that its environment may not tell.
pub(crate) fn remember(pid: u32) {
    if inherited().is_none() {
        let (folder, _guard) = enter(&temporary());
        let _ = fs::write(folder.join(format!("pid-{pid}")), started(pid).unwrap_or_default().to_string());
    }
}

/// Strikes it out.
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
    // By hand it may outlive the shell that started it.
    let has_runner = ["NEXTEST", "CARGO"].iter().any(|it| std::env::var_os(it).is_some());
    let runner = if has_runner { line("runner", std::os::unix::process::parent_id()) } else { String::new() };
    format!("{own}{runner}namespace {}\n", namespace())
}

/// Ends what dead runs, and runs of dead runners, have left: their processes, their mounts and their folders.
fn sweep() {
    if started(std::process::id()).is_none() {
        return; // Without procfs every run seems dead.
    }
    for entry in fs::read_dir(temporary()).into_iter().flatten().filter_map(Result::ok) {
        let path = entry.path();
        if path != folder() && is_dead(&path).unwrap_or(false) {
            end(&path);
        }
    }
}

/// Whether this is the folder of a run whose owner, or whose runner, is no more.
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
        alive.iter().for_each(|pid| processes::signal(*pid, "KILL"));
        alive.is_empty()
    });
    // A process leaves its group a moment after its memory.
    processes::eventually(Duration::from_secs(3), || {
        control_groups(&name).iter().for_each(|it| remove_groups(it));
        control_groups(&name).is_empty()
    });
    for mount in mounts(&places) {
        let _ = Command::new("umount").args(["-i", "-l"]).arg(mount).status();
    }
    if mounts(&places).is_empty() {
        // Whoever owned it stands there until the last.
        places[1..].iter().for_each(|it| remove(it));
        children(run).filter(|it| !it.ends_with(OWNER)).for_each(|it| remove(&it));
        remove(run);
    }
}

/// The control groups that the run's user managers lived in.
fn control_groups(run: &str) -> Vec<PathBuf> {
    let text = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    let roots = text.lines().filter_map(|line| line.split_once(' ')?.1.split_once(" cgroup2 "));
    let groups = roots.flat_map(|(root, _)| children(Path::new(root)));
    let prefix = format!("{run}-");
    groups.filter(|it| it.file_name().is_some_and(|it| it.to_string_lossy().starts_with(&prefix))).collect()
}

/// A control group can be removed once those in it are; its files are the kernel's.
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

/// Every process that this run started: its owner, those it wrote down, those that carry its mark or a home in it.
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

/// What is mounted in these places, the innermost first.
fn mounts(places: &[PathBuf]) -> Vec<PathBuf> {
    let text = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let mounted = text.lines().filter_map(|line| line.split(' ').nth(4)).map(PathBuf::from);
    let mut found: Vec<PathBuf> =
        mounted.filter(|it| places.iter().any(|place| it.starts_with(place))).collect();
    found.reverse();
    found
}
