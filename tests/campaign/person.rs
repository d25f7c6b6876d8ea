//! A person at work in the submodules: every save is a text of its own, and the person knows which of them they wrote over.
//!
//! Whoever writes over a text has looked at what they replace: in the very file that they have open, or by an exchange of
//! names. So a text that is nowhere at the end was taken from the person, and not written over by them.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;

use crate::chance::Chance;
use crate::submodules::Parts;
use crate::world::World;

/// How a text was saved last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Saved {
    /// In a file.
    File,
    /// It is in an index too, whatever becomes of the file.
    Staged,
    /// It is in a commit too.
    Committed,
}

/// One text.
#[derive(Debug, Clone)]
pub(crate) struct Token {
    pub(crate) text: String,
    pub(crate) what: String,
    pub(crate) saved: Saved,
}

/// All that a person saved and did not write over.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    serial: u64,
    pub(crate) all: Vec<Token>,
}

/// How each text begins, and how long it is.
const START: &[u8] = b"tok-";
const LONG: usize = 29;

/// Which texts are in there.
pub(crate) fn texts(bytes: &[u8]) -> BTreeSet<String> {
    let starts = bytes.windows(START.len()).enumerate().filter(|(_, it)| *it == START);
    let whole = starts.filter_map(|(at, _)| bytes.get(at..at + LONG));
    whole.map(|it| String::from_utf8_lossy(it).into_owned()).collect()
}

impl Tokens {
    fn text(&mut self, chance: &mut Chance) -> String {
        self.serial += 1;
        format!("tok-{:08}-{:016x}", self.serial, chance.next())
    }

    fn done(&mut self, text: String, what: &str, path: &Path) {
        let what = format!("{what} {}", path.display());
        self.all.push(Token { text, what, saved: Saved::File });
    }

    /// The person writes over that, and knows it.
    fn gives_up(&mut self, content: &[u8]) {
        let texts = texts(content);
        self.all.retain(|it| it.saved != Saved::File || !texts.contains(&it.text));
    }

    fn is_now(&mut self, text: &str, saved: Saved) {
        self.all.iter_mut().filter(|it| it.text == text).for_each(|it| it.saved = saved);
    }
}

/// Who writes: their chance, and where they tell of it.
struct Hand {
    chance: Chance,
    tokens: Arc<Mutex<Tokens>>,
    environment: Vec<(String, std::ffi::OsString)>,
}

impl Hand {
    fn tokens(&self) -> MutexGuard<'_, Tokens> {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn text(&mut self) -> String {
        let Self { chance, tokens, .. } = self;
        tokens.lock().unwrap_or_else(PoisonError::into_inner).text(chance)
    }

    /// Writes in the file that is there, with the size that it had, and with its time where nothing else is said.
    fn in_place(&mut self, path: &Path, keeps_time: bool) -> io::Result<String> {
        let mut file = File::options().read(true).write(true).create(true).truncate(false).open(path)?;
        let time = file.metadata()?.modified()?;
        let mut before = Vec::new();
        file.read_to_end(&mut before)?;
        let text = self.text();
        self.tokens().gives_up(&before);
        file.set_len(0)?;
        file.rewind()?;
        file.write_all(format!("{text}\n").as_bytes())?;
        if keeps_time {
            file.set_modified(time)?;
        }
        self.tokens().done(text.clone(), if keeps_time { "with its time, in" } else { "in" }, path);
        Ok(text)
    }

    /// Writes a file beside it, and gives it the name.
    fn by_rename(&mut self, path: &Path) -> io::Result<()> {
        let mut name = std::ffi::OsString::from(".");
        name.push(path.file_name().unwrap_or_default());
        name.push(".swp");
        let beside = path.with_file_name(name);
        self.tokens().gives_up(&fs::read(&beside).unwrap_or_default());
        let _ = fs::remove_file(&beside);
        let text = self.text();
        let mut file = File::create_new(&beside)?;
        file.write_all(format!("{text}\n").as_bytes())?;
        drop(file);
        self.tokens().done(text, "by rename, as", path);
        for _ in 0..5 {
            match renameat_with(CWD, &beside, CWD, path, RenameFlags::EXCHANGE) {
                Ok(()) => {
                    self.tokens().gives_up(&fs::read(&beside).unwrap_or_default());
                    return fs::remove_file(&beside);
                }
                Err(Errno::NOENT) => {}
                Err(error) => return Err(error.into()),
            }
            match renameat_with(CWD, &beside, CWD, path, RenameFlags::NOREPLACE) {
                Err(Errno::EXIST) => {}
                done => return Ok(done?),
            }
        }
        Ok(())
    }

    fn fresh(&mut self, path: &Path) -> io::Result<String> {
        let text = self.text();
        let mut file = File::create_new(path)?;
        file.write_all(format!("{text}\n").as_bytes())?;
        drop(file);
        self.tokens().done(text.clone(), "as", path);
        Ok(text)
    }

    fn git(&self, top: &Path, arguments: &[&str]) -> bool {
        let mut git = std::process::Command::new("git");
        git.env_clear().envs(self.environment.iter().map(|(name, value)| (name, value)));
        let output = git.args(arguments).current_dir(top).output();
        output.is_ok_and(|it| it.status.success())
    }

    /// Stages a new file, and writes over it in the worktree.
    fn staged(&mut self, top: &Path) -> io::Result<()> {
        let path = top.join(format!("staged{}.txt", self.chance.next()));
        let text = self.fresh(&path)?;
        if self.git(top, &["add", "--force", "--", &path.to_string_lossy()]) {
            self.tokens().is_now(&text, Saved::Staged);
            self.in_place(&path, false)?;
        }
        Ok(())
    }

    fn committed(&mut self, top: &Path) -> io::Result<()> {
        let path = top.join(format!("own{}.txt", self.chance.next()));
        let text = self.fresh(&path)?;
        if self.git(top, &["add", "--force", "--", &path.to_string_lossy()]) {
            self.tokens().is_now(&text, Saved::Staged);
            if self.git(top, &["commit", "--quiet", "-m", "A person's"]) {
                self.tokens().is_now(&text, Saved::Committed);
            }
        }
        Ok(())
    }

    /// One thing that a person does in a submodule, of those that can be done at any moment.
    fn acts(&mut self, top: &Path, kind: u64) -> io::Result<()> {
        let number = self.chance.next();
        match kind {
            0 => self.in_place(&top.join("many/0.html"), false).map(drop),
            1 => self.in_place(&top.join("many/1.html"), true).map(drop),
            2 => {
                let path = top.join(self.chance.of(&["many/2.html", "added/0.html", "slow/0.slow"]));
                self.by_rename(&path)
            }
            3 => self.fresh(&top.join(format!("new{number}.txt"))).map(drop),
            4 => {
                let folder = top.join(self.chance.of(&["added", "shape", "folder", "many"]));
                let _ = fs::create_dir(&folder);
                self.fresh(&folder.join(format!("new{number}.html"))).map(drop)
            }
            5 => self.in_place(&top.join(format!("cfg{}.local", number % 2)), false).map(drop),
            6 => self.by_rename(&top.join(format!("cfg{}.local", number % 2))),
            7 => self.staged(top),
            8 => self.committed(top),
            9 => {
                let inner = top.join(format!("inner{number}"));
                fs::create_dir(&inner)?;
                self.git(&inner, &["init", "--quiet"]);
                self.fresh(&inner.join("of-its-own.txt")).map(drop)
            }
            _ => self.in_place(&top.join("shape"), false).map(drop),
        }
    }

    /// What a person does before the cycle only, since it takes a while.
    fn begins(&mut self, top: &Path, kind: u64) -> io::Result<()> {
        match kind {
            0 | 1 => {
                let mark = if kind == 0 { "--assume-unchanged" } else { "--skip-worktree" };
                self.git(top, &["update-index", mark, "many/3.html"]);
                self.in_place(&top.join("many/3.html"), false).map(drop)
            }
            2 => {
                let branch = format!("mine{}", self.chance.next());
                self.git(top, &["switch", "--quiet", "--create", &branch]);
                self.committed(top)
            }
            _ => self.merges(top),
        }
    }

    /// Two commits that conflict, and a merge that stops at them, half resolved.
    fn merges(&mut self, top: &Path) -> io::Result<()> {
        let path = top.join("many/4.html");
        for side in ["one", "two"] {
            let branch = format!("{side}{}", self.chance.next());
            let start = if side == "one" { "HEAD" } else { "HEAD~" };
            if !self.git(top, &["switch", "--quiet", "--create", &branch, start]) {
                return Ok(());
            }
            let text = self.in_place(&path, false)?;
            if self.git(top, &["commit", "--quiet", "-m", side, "--", "many/4.html"]) {
                self.tokens().is_now(&text, Saved::Committed);
            }
        }
        let other = self.git(top, &["merge", "--quiet", "@{-1}"]);
        if other { Ok(()) } else { self.in_place(&path, false).map(drop) }
    }
}

/// A file that is open, and what comes into it later.
#[derive(Debug)]
pub(crate) struct Late {
    file: File,
    path: PathBuf,
}

impl Late {
    /// Whether it is still to be found by a name: what the person deleted themselves is not.
    pub(crate) fn has_a_name(&self) -> bool {
        self.file.metadata().is_ok_and(|it| it.nlink() > 0)
    }
}

/// Threads that write until they are stopped, for no longer than three seconds and forty saves each.
pub(crate) struct Work {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Work {
    /// Nobody writes any more.
    pub(crate) fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// Waits for the last save.
    pub(crate) fn end(self) {
        self.stop();
        for thread in self.threads {
            thread.join().expect("a person at work");
        }
    }
}

impl World {
    fn hand(&mut self) -> Option<Hand> {
        let chance = Chance::new(self.chance.next());
        let environment = self.mirror.home.environment().to_vec();
        let tokens = self.parts.as_ref()?.tokens.clone();
        Some(Hand { chance, tokens, environment })
    }

    fn parts_there(&self) -> Vec<PathBuf> {
        let worktree = self.mirror.worktree();
        let places = self.parts.iter().flat_map(Parts::places);
        places.map(|it| worktree.join(it)).filter(|it| it.join(".git").exists()).collect()
    }

    /// A person works in the submodules before the cycle.
    pub(crate) fn work_in_parts(&mut self) {
        let there = self.parts_there();
        let Some(mut hand) = self.hand().filter(|_| !there.is_empty()) else { return };
        for _ in 0..=self.chance.below(3) {
            let top = &there[usize::try_from(self.chance.next()).unwrap_or(0) % there.len()];
            let kind = self.chance.below(15);
            // What cannot be saved is no save.
            let _ = if kind < 11 { hand.acts(top, kind) } else { hand.begins(top, kind - 11) };
        }
        if cfg!(target_os = "linux") && self.chance.one_in(2) {
            let path = there[0].join(self.chance.of(&["many/5.html", "gone.html", "cfg2.local", "late.txt"]));
            let opened = File::options().append(true).create(true).open(&path);
            if let (Ok(file), Some(parts)) = (opened, &mut self.parts) {
                parts.late.push(Late { file, path });
            }
        }
    }

    /// Programs write through the files that they have had open since before the cycle; whether there were any.
    pub(crate) fn write_late(&mut self) -> bool {
        let late = self.parts.as_mut().map(|it| std::mem::take(&mut it.late)).unwrap_or_default();
        let is_any = !late.is_empty();
        let Some(mut hand) = self.hand() else { return false };
        for Late { mut file, path } in late {
            let text = hand.text();
            if file.write_all(format!("{text}\n").as_bytes()).is_ok() {
                hand.tokens().done(text, "late, through the open", &path);
            }
        }
        is_any
    }

    /// Opens the same files once more: those that were open were copied to another volume.
    pub(crate) fn open_late_again(&mut self) {
        let Some(parts) = &mut self.parts else { return };
        parts.late.retain_mut(|late| match File::options().append(true).open(&late.path) {
            Ok(file) => {
                late.file = file;
                true
            }
            Err(_) => false,
        });
    }

    /// Starts those who write while the cycle runs.
    pub(crate) fn start_work(&mut self) -> Option<Work> {
        let worktree = self.mirror.worktree();
        let places: Vec<PathBuf> = self.parts.as_ref()?.places().iter().map(|it| worktree.join(it)).collect();
        let stop = Arc::new(AtomicBool::new(false));
        let mut threads = Vec::new();
        // Each has files of its own, and so have those that are open: two who write over each other do not see it.
        let mut kinds = BTreeSet::new();
        for _ in 0..=self.chance.below(3) {
            kinds.insert(self.chance.below(11));
        }
        if kinds.contains(&5) {
            kinds.remove(&6);
        }
        for kind in kinds {
            let (mut hand, stop, places) = (self.hand()?, stop.clone(), places.clone());
            let mut wait = Duration::from_micros(500 + self.chance.below(40_000));
            if kind >= 7 {
                wait *= 4;
            }
            threads.push(thread::spawn(move || {
                let start = Instant::now();
                for save in 0..40_usize {
                    if stop.load(Ordering::Relaxed) || start.elapsed() > Duration::from_secs(3) {
                        break;
                    }
                    let top = places.get(save % places.len().max(1));
                    if let Some(top) = top.filter(|it| it.join(".git").exists()) {
                        let _ = hand.acts(top, kind);
                    }
                    thread::sleep(wait);
                }
            }));
        }
        Some(Work { stop, threads })
    }
}
