//! A clone whose configuration came with it, and what must hold of every run there.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use support::{Mirror, Ran};

/// Characters that steer a terminal, turn a line round or hide in it: an escape, a bell, C1, RTL, zero width.
pub(crate) const WICKED: &str = "\u{1b}[31mred\u{1b}]0;title\u{7}\u{9b}2J\u{202e}txt\u{200b}\r";

/// A clone that names programs of its own; each leaves a mark where it runs.
pub(crate) struct Clone {
    pub(crate) mirror: Mirror,
}

impl Clone {
    /// One whose tracked configuration is the fixed mirror's, with `more` behind it.
    pub(crate) fn new(more: &str) -> Self {
        let mirror = Mirror::fixed();
        let made = Self { mirror };
        made.mirror.home.write("marks/none", "");
        for name in ["node", "evil"] {
            let _ = made.program(&format!("dev/site/tools/{name}"), name);
        }
        let tools = made.mirror.repository.join("tools");
        made.mirror.configure(
            "[mirror]",
            &format!("[runtime]\nnode = \">=1\"\npath = [\"{}\"]\n\n[mirror]", tools.display()),
        );
        let text = fs::read_to_string(&made.mirror.config).expect("the configuration");
        fs::remove_file(&made.mirror.config).expect("it moves");
        let marks = made.mirror.home.at("marks").display().to_string();
        made.mirror.home.write("dev/site/housecall.toml", text + &more.replace("MARKS", &marks));
        made
    }

    /// A program that leaves a mark of that name.
    pub(crate) fn program(&self, place: &str, name: &str) -> PathBuf {
        let mark = self.mirror.home.at("marks").join(name);
        let script = format!("#!/bin/sh\ntouch '{}'\necho v22.1.0\n", mark.display());
        self.mirror.home.program(place, &script)
    }

    /// All of it is committed: whoever clones it has it.
    pub(crate) fn commit(&self) {
        self.mirror.home.commit(&self.mirror.repository, "A doctor for everybody");
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        self.mirror.home.housecall_in(&self.mirror.repository, arguments)
    }

    /// What ran.
    pub(crate) fn marks(&self) -> Vec<String> {
        let mut marks = names(&self.mirror.home.at("marks"));
        marks.retain(|it| it != "none");
        marks
    }
}

pub(crate) fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).expect("a directory");
    let mut names: Vec<String> =
        entries.map(|it| it.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// Nothing that it wrote steers the terminal of whoever reads it.
#[track_caller]
pub(crate) fn harmless(ran: &Ran) {
    for text in [&ran.stdout, &ran.stderr] {
        let found = text.chars().find(|it| *it != '\n' && housecall::report::words::is_dangerous(*it));
        assert!(found.is_none(), "{found:?} reaches the terminal: {text:?}");
    }
}

/// A pipe that nobody writes to: whoever opens it to read waits for ever.
pub(crate) fn fifo(path: &Path) {
    let made = Command::new("mkfifo").arg(path).status();
    assert!(made.is_ok_and(|it| it.success()), "a pipe at {}", path.display());
}
