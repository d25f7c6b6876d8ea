//! A project with a library in it, a library with a part of its own, and those who publish new versions of all three.

use std::fs;
use std::path::{Path, PathBuf};

use crate::world::World;

/// A mirror whose project has a submodule that its owner has initialised.
pub(crate) fn with_submodule() -> World {
    with_submodule_at(World::new(), |library| library)
}

/// The same, whose address is made of where it lies.
pub(crate) fn with_submodule_at(world: World, address: impl Fn(String) -> String) -> World {
    world.home.git(world.home.path(), ["config", "--global", "protocol.file.allow", "always"]);
    let library = world.home.bare("library.git");
    let part = world.home.at("part");
    world.home.git(world.home.path(), ["clone", "--quiet", &library.display().to_string(), "part"]);
    world.home.write("part/lib.txt", "one\n");
    world.home.commit(&part, "one");
    world.home.git(&part, ["push", "--quiet", "origin", "main"]);
    let author = world.home.at("author");
    world.home.git(&author, ["submodule", "--quiet", "add", &address(library.display().to_string()), "lib"]);
    world.push("index.html", "with a library\n");
    let repository = world.repository();
    world.home.git(&repository, ["pull", "--quiet"]);
    world.home.git(&repository, ["submodule", "--quiet", "update", "--init"]);
    world
}

/// Somebody publishes a new version of the library, and the project takes it.
pub(crate) fn bump(world: &World, text: &str) {
    world.home.write("part/lib.txt", text);
    let part = world.home.at("part");
    world.home.commit(&part, "more");
    world.home.git(&part, ["push", "--quiet", "origin", "main"]);
    let inner = world.home.at("author/lib");
    world.home.git(&inner, ["pull", "--quiet", "origin", "main"]);
    world.push("index.html", text);
}

pub(crate) fn library(world: &World) -> String {
    fs::read_to_string(world.worktree().join("lib/lib.txt")).unwrap_or_default()
}

/// The library has a part of its own, which its owner may have.
pub(crate) fn with_nested() -> World {
    let world = with_submodule();
    let depth = world.home.bare("depth.git").display().to_string();
    world.home.git(world.home.path(), ["clone", "--quiet", &depth, "inner"]);
    world.home.write("inner/deep.txt", "one\n");
    world.home.commit(&world.home.at("inner"), "one");
    world.home.git(&world.home.at("inner"), ["push", "--quiet", "origin", "main"]);
    world.home.git(&world.home.at("part"), ["submodule", "--quiet", "add", &depth, "deep"]);
    bump(&world, "with a part\n");
    world
}

/// Files of a new version: a name and what it holds; nothing where it is deleted.
pub(crate) type Files<'a> = &'a [(&'a str, Option<&'a str>)];

/// A new version of the three: the project, the library, the library's own part.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Version<'a> {
    pub(crate) project: Files<'a>,
    pub(crate) library: Files<'a>,
    pub(crate) deep: Files<'a>,
}

/// A synced mirror with all three, each with pages, something that git ignores, and a file that goes through a filter
/// of its own: `main`, `library`, `deep`.
pub(crate) fn furnished() -> World {
    let world = with_nested();
    let repository = world.repository();
    let pages = |filter: &'static str| {
        [
            (".gitattributes", Some(filter)),
            (".gitignore", Some("*.local\n")),
            ("filtered.txt", Some("one\n")),
            ("page.html", Some("old\n")),
            ("page2.html", Some("old\n")),
            ("page3.html", Some("old\n")),
            ("page4.html", Some("old\n")),
            ("gone.html", Some("old\n")),
            ("shape/page.html", Some("old\n")),
            ("folder/page.html", Some("old\n")),
        ]
    };
    let project = pages("filtered.txt filter=main\n");
    let library = pages("filtered.txt filter=library\n");
    let deep = pages("filtered.txt filter=deep\n");
    publish(&world, Version { project: &project, library: &library, deep: &deep });
    world.home.git(&repository, ["pull", "--quiet"]);
    world.home.git(&repository, ["submodule", "--quiet", "update", "--init", "--recursive"]);
    world.heals();
    world
}

/// Somebody publishes that version of all three; what has filters changes in each.
pub(crate) fn publish(world: &World, version: Version<'_>) {
    let home = &world.home;
    let count = home.git(&home.at("author"), ["rev-list", "--count", "HEAD"]);
    let next = ("filtered.txt", Some(count.as_str()));
    let push = |clone: &str, files: Files<'_>| {
        let top = home.at(clone);
        for (name, content) in [&[next], files].concat() {
            write(&top.join(name), content);
        }
        home.git(&top, ["add", "--all", "--force"]);
        home.git(&top, ["commit", "--quiet", "-m", "more"]);
        home.git(&top, ["push", "--quiet", "--force", "origin", "HEAD:main"]);
    };
    push("inner", version.deep);
    home.git(&home.at("part/deep"), ["pull", "--quiet", "origin", "main"]);
    push("part", version.library);
    let inner = home.at("author/lib");
    if inner.join(".git").exists() {
        home.git(&inner, ["pull", "--quiet", "origin", "main"]);
    }
    push("author", version.project);
}

fn write(path: &Path, content: Option<&str>) {
    let Some(content) = content else { return fs::remove_file(path).expect("one less") };
    if path.is_dir() {
        fs::remove_dir_all(path).expect("out of the way");
    }
    let parent = path.parent().expect("a parent");
    if parent.is_file() {
        fs::remove_file(parent).expect("out of the way");
    }
    fs::create_dir_all(parent).expect("a directory");
    fs::write(path, content).expect("a file");
}

/// A second library beside the first, whose remote is always asked for the newest version.
pub(crate) fn with_another(world: &World) {
    let home = &world.home;
    let other = home.bare("other.git").display().to_string();
    home.git(home.path(), ["clone", "--quiet", &other, "beside"]);
    another(world, "one\n", false);
    home.git(&home.at("author"), ["submodule", "--quiet", "add", &other, "other"]);
    publish(world, Version::default());
    home.git(&world.repository(), ["pull", "--quiet"]);
    home.git(&world.repository(), ["submodule", "--quiet", "update", "--init", "--recursive"]);
    world.heals();
}

/// Somebody publishes a new version of the second one; the project's next version takes it.
pub(crate) fn another(world: &World, text: &str, is_taken: bool) {
    let home = &world.home;
    home.write("beside/other.txt", text);
    home.commit(&home.at("beside"), "more");
    home.git(&home.at("beside"), ["push", "--quiet", "origin", "HEAD:main"]);
    if is_taken {
        home.git(&home.at("author/other"), ["pull", "--quiet", "origin", "main"]);
    }
}

/// git's directory of a part in the mirror.
pub(crate) fn module(world: &World, part: &str) -> PathBuf {
    let inside = part.replace("lib/", "lib/modules/");
    world.administration().join("modules").join(inside)
}
