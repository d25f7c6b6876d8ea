//! Submodules of a campaign's world: a library, its own part, one more now and then; and what upstream does with them.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use support::Home;

use crate::chance::Chance;
use crate::person::{Late, Tokens};
use crate::world::World;

/// What the project has of submodules, and what a person wrote in them.
#[derive(Debug)]
pub(crate) struct Parts {
    /// Where the library lies; nowhere while upstream is without it.
    pub(crate) library: Option<&'static str>,
    has_extra: bool,
    is_elsewhere: bool,
    pub(crate) tokens: Arc<Mutex<Tokens>>,
    /// Files that a program has open, to write there after the cycle.
    pub(crate) late: Vec<Late>,
}

/// Where upstream has the library, one after the other.
const PLACES: [&str; 2] = ["lib", "vendor/lib"];

/// What upstream does with the submodules between two cycles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Move {
    Changed,
    Deeper,
    AddedAndDeleted,
    Shape,
    Tracked,
    Ignored,
    Gone,
    Moved,
    Extra,
    Address,
}

/// The frequent ones more than once.
const MOVES: [Move; 14] = [
    Move::Changed,
    Move::Changed,
    Move::Deeper,
    Move::Deeper,
    Move::AddedAndDeleted,
    Move::Shape,
    Move::Shape,
    Move::Tracked,
    Move::Tracked,
    Move::Ignored,
    Move::Gone,
    Move::Moved,
    Move::Extra,
    Move::Address,
];

impl Parts {
    /// Gives a project its submodules; its owner has all of them checked out.
    pub(crate) fn add(home: &Home, repository: &Path, chance: &mut Chance) -> Self {
        let filter = home.at("bin/filter").display().to_string();
        for (key, value) in [
            ("protocol.file.allow", "always"),
            ("core.trustctime", "false"),
            ("filter.slow.smudge", &filter),
            ("filter.slow.clean", &filter),
        ] {
            home.git(home.path(), ["config", "--global", key, value]);
        }
        for name in ["library", "library-too", "depth", "extra"] {
            let bare = home.bare(&format!("remotes/{name}.git")).display().to_string();
            home.git(home.path(), ["clone", "--quiet", &bare, name]);
        }
        let it = Self {
            library: Some(PLACES[0]),
            has_extra: false,
            is_elsewhere: false,
            tokens: Arc::default(),
            late: Vec::new(),
        };
        for name in ["library", "depth"] {
            home.write(format!("{name}/.gitignore"), "*.local\n");
            home.write(format!("{name}/.gitattributes"), "*.slow filter=slow\n");
            home.write(format!("{name}/shape"), line(chance));
            home.write(format!("{name}/gone.html"), line(chance));
            pages(home, name, chance);
        }
        pages(home, "extra", chance);
        let url = home.at("remotes/depth.git").display().to_string();
        home.write("library/.gitmodules", format!("[submodule \"deep\"]\n\tpath = deep\n\turl = {url}\n"));
        it.publish(home);
        home.git(repository, ["pull", "--quiet", "origin", "main"]);
        home.git(repository, ["submodule", "--quiet", "update", "--init", "--recursive"]);
        let extra = home.at("remotes/extra.git").display().to_string();
        home.git(repository, ["config", "submodule.extra.url", &extra]);
        it
    }

    /// Where the parts are in the mirror, those that upstream has.
    pub(crate) fn places(&self) -> Vec<PathBuf> {
        let deep = self.library.map(|it| Path::new(it).join("deep"));
        self.library.map(PathBuf::from).into_iter().chain(deep).collect()
    }

    /// Those that must be checked out, as their owner has them at that place.
    pub(crate) fn wanted(&self) -> Vec<PathBuf> {
        let extra = self.has_extra.then(|| PathBuf::from("extra"));
        let all = if self.library == Some(PLACES[0]) { self.places() } else { Vec::new() };
        all.into_iter().chain(self.library.map(PathBuf::from)).chain(extra).collect()
    }

    /// Pushes all that changed: the part of the library, the library, the project.
    fn publish(&self, home: &Home) {
        let push = |name: &str| {
            let clone = home.at(name);
            home.git(&clone, ["add", "--all", "--force"]);
            home.git(&clone, ["commit", "--quiet", "--allow-empty", "-m", "More"]);
            home.git(&clone, ["push", "--quiet", "--force", "origin", "HEAD:main"]);
            home.git(&clone, ["rev-parse", "HEAD"])
        };
        let link = |name: &str, path: &str, sha: &str| {
            // An empty directory is to git a submodule that is not checked out.
            fs::create_dir_all(home.at(name).join(path)).expect("the submodule's place");
            let entry = format!("160000,{sha},{path}");
            home.git(&home.at(name), ["update-index", "--add", "--cacheinfo", &entry]);
        };
        link("library", "deep", &push("depth"));
        let library = push("library");
        let too = home.at("remotes/library-too.git").display().to_string();
        home.git(&home.at("library"), ["push", "--quiet", "--force", &too, "HEAD:main"]);
        let author = home.at("author");
        let mut modules = String::new();
        for (name, path, remote, sha) in [
            ("lib", self.library, if self.is_elsewhere { "library-too" } else { "library" }, library),
            ("extra", self.has_extra.then_some("extra"), "extra", push("extra")),
        ] {
            let before: &[&str] = if name == "extra" { &["extra"] } else { &PLACES };
            for place in before {
                home.git(&author, ["rm", "--quiet", "--cached", "--ignore-unmatch", place]);
                let _ = fs::remove_dir_all(author.join(place));
            }
            let Some(path) = path else { continue };
            link("author", path, &sha);
            let url = home.at("remotes").join(format!("{remote}.git")).display().to_string();
            let _ = write!(modules, "[submodule \"{name}\"]\n\tpath = {path}\n\turl = {url}\n");
        }
        fs::write(author.join(".gitmodules"), modules).expect("its submodules");
        push("author");
    }
}

/// As long as what a person writes.
fn line(chance: &mut Chance) -> String {
    format!("ups-{:08}-{:016x}\n", chance.below(100_000_000), chance.next())
}

fn pages(home: &Home, name: &str, chance: &mut Chance) {
    for file in 0..6 {
        home.write(format!("{name}/many/{file}.html"), line(chance));
    }
    home.write(format!("{name}/slow/0.slow"), line(chance));
}

impl World {
    /// Upstream goes on with the submodules; what it did.
    pub(crate) fn move_parts(&mut self) -> String {
        let Some(parts) = &mut self.parts else { return String::new() };
        let (home, chance) = (&self.mirror.home, &mut self.chance);
        let mut moves: Vec<Move> = (0..=chance.below(3)).map(|_| chance.of(&MOVES)).collect();
        moves.dedup();
        for it in &moves {
            let name = if chance.one_in(3) { "depth" } else { "library" };
            let top = home.at(name);
            match it {
                Move::Changed => pages(home, "library", chance),
                Move::Deeper => pages(home, "depth", chance),
                Move::AddedAndDeleted => {
                    toggle(&top.join("gone.html"), &line(chance));
                    toggle(&top.join(format!("added/{}.html", chance.below(3))), &line(chance));
                }
                Move::Shape => {
                    let shape = top.join("shape");
                    if shape.is_dir() {
                        fs::remove_dir_all(&shape).expect("out of the way");
                        fs::write(&shape, line(chance)).expect("a file");
                    } else {
                        fs::remove_file(&shape).expect("out of the way");
                        home.write(format!("{name}/shape/inner.html"), line(chance));
                    }
                }
                Move::Tracked => toggle(&top.join(format!("cfg{}.local", chance.below(3))), &line(chance)),
                Move::Ignored => {
                    let text = chance.of(&["*.local\n", "other\n", "*.local\nnew*\n"]);
                    home.write(format!("{name}/.gitignore"), text);
                }
                Move::Gone => parts.library = if parts.library.is_some() { None } else { Some(PLACES[0]) },
                Move::Moved => {
                    let other = |it| if it == PLACES[0] { PLACES[1] } else { PLACES[0] };
                    parts.library = parts.library.map(other);
                }
                Move::Extra => parts.has_extra = !parts.has_extra,
                Move::Address => parts.is_elsewhere = !parts.is_elsewhere,
            }
        }
        // It is missed soon.
        if parts.library.is_none() && !moves.contains(&Move::Gone) {
            parts.library = Some(PLACES[0]);
        }
        parts.publish(home);
        format!("{moves:?}")
    }

    /// Where a submodule is not what it should be after a cycle that says that all is well.
    pub(crate) fn parts_not_aligned(&self) -> Vec<String> {
        let mut found = Vec::new();
        for path in self.parts.iter().flat_map(Parts::wanted) {
            let inner = self.mirror.worktree().join(&path);
            if !inner.join(".git").exists() {
                found.push(format!("the submodule {} is not checked out", path.display()));
            } else if path.starts_with("lib") && !path.ends_with("deep") {
                let (is, should) = (self.git_in(&inner), self.git_in(&self.mirror.home.at("library")));
                if is != should {
                    found.push(format!("the submodule {} is on {is} and not on {should}", path.display()));
                }
            }
        }
        found
    }

    fn git_in(&self, top: &Path) -> String {
        self.mirror.home.git(top, ["rev-parse", "HEAD"])
    }
}

/// Deletes a file, or makes it.
fn toggle(path: &Path, content: &str) {
    if path.exists() {
        return fs::remove_file(path).expect("one less");
    }
    fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
    fs::write(path, content).expect("one more");
}
