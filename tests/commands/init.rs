//! What `init` infers: from each framework's own files, from the repository, from jobs that are there.
#![expect(clippy::disallowed_methods, clippy::unwrap_used, reason = "a test makes a world and looks at it")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use housecall::config::{Config, Options, Serving, Surroundings, Trust};
use housecall::init::{self, InitError, Place, write};
use insta::assert_snapshot;
use support::{Folder, shown};

/// A home with a repository in it that has a remote.
struct World {
    _folder: Folder,
    surroundings: Surroundings,
}

impl World {
    fn new(fixture: &str) -> Self {
        let folder = Folder::new();
        let home = folder.path().canonicalize().unwrap();
        let repository = home.join("dev/site");
        fs::create_dir_all(&repository).unwrap();
        copy(
            &Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/frameworks").join(fixture),
            &repository,
        );
        fs::write(repository.join(".gitignore"), ".env.*\nnode_modules\n").unwrap();
        let environment = BTreeMap::from([("HOME".to_owned(), home.display().to_string())]);
        let uid = rustix::process::geteuid().as_raw();
        let surroundings = Surroundings { home, directory: repository, environment, odd: [].into(), uid };
        let world = Self { _folder: folder, surroundings };
        let remote = world.surroundings.home.join("remote.git");
        world.git(&["init", "-q", "--bare", "-b", "trunk", &remote.to_string_lossy()]);
        world.git(&["init", "-q", "-b", "trunk"]);
        world.git(&["add", "-A"]);
        world.git(&["commit", "-q", "-m", "a site"]);
        world.git(&["remote", "add", "origin", &remote.to_string_lossy()]);
        world.git(&["push", "-q", "origin", "trunk"]);
        world.git(&["remote", "set-head", "origin", "trunk"]);
        fs::write(world.repository().join(".env.local"), "SECRET=1\n").unwrap();
        fs::write(world.repository().join(".env.example"), "SECRET=\n").unwrap();
        world
    }

    fn repository(&self) -> &Path {
        &self.surroundings.directory
    }

    fn git(&self, arguments: &[&str]) {
        let mut git = Command::new("git");
        git.args(["-c", "user.name=A", "-c", "user.email=a@example.org"]).args(arguments);
        git.current_dir(self.repository())
            .env("HOME", &self.surroundings.home)
            .env("GIT_CONFIG_NOSYSTEM", "1");
        assert!(git.status().unwrap().success(), "git {arguments:?}");
    }

    fn write(&self, place: Place) -> Result<(PathBuf, String), InitError> {
        let mut inferred = init::infer(&self.surroundings)?;
        let file = write::place(&mut inferred, &self.surroundings, place)?;
        let text = inferred.toml(&self.surroundings, place);
        write::write(&file, &text, &self.surroundings)?;
        Ok((file, text))
    }

    fn load(&self, file: &Path) -> Config {
        let options = Options { file: Some(file.to_owned()), ..Options::default() };
        Config::load(&options, &self.surroundings).unwrap_or_else(|error| panic!("{}", error.render(false)))
    }

    /// What the written file means, in one line.
    fn means(&self) -> String {
        let (file, _) = self.write(Place::Registry).unwrap();
        let config = self.load(&file);
        assert_eq!(config.trust, Trust::Trusted);
        let mirror = config.mirror.unwrap();
        assert_eq!(mirror.carry, [Path::new(".env.local")]);
        assert_eq!(mirror.upstream_name(), "origin/trunk");
        let server = config.server.unwrap();
        let run = match &server.run {
            Serving::Program(argv) => argv.join(" "),
            Serving::Static(directory) => format!("the files in {}", directory.display()),
        };
        format!("{}; {run}; {}", mirror.install.join(" "), server.listen)
    }
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let (source, target) = {
            let it = entry.unwrap();
            (it.path(), to.join(it.file_name()))
        };
        if source.is_dir() {
            fs::create_dir_all(&target).unwrap();
            copy(&source, &target);
        } else {
            fs::copy(&source, &target).unwrap();
        }
    }
}

#[test]
fn each_framework_is_known_by_its_own_files() {
    let means = |fixture: &str| World::new(fixture).means();
    assert_snapshot!(means("astro"), @"npm ci; node node_modules/.bin/astro dev --host 127.0.0.1 --port 4321; 127.0.0.1:4321");
    assert_snapshot!(means("vite"), @"pnpm install --frozen-lockfile; pnpm exec vite dev --host 127.0.0.1 --port 5173 --strictPort; 127.0.0.1:5173");
    assert_snapshot!(means("sveltekit"), @"npm ci; node node_modules/.bin/vite dev --host 127.0.0.1 --port 5173 --strictPort; 127.0.0.1:5173");
    assert_snapshot!(means("sveltekit-port"), @"npm ci; node node_modules/.bin/vite dev --host 127.0.0.1 --port 5199 --strictPort; 127.0.0.1:5199");
    assert_snapshot!(means("next"), @"yarn install --frozen-lockfile; node node_modules/.bin/next dev --hostname 127.0.0.1 --port 3000; 127.0.0.1:3000");
    assert_snapshot!(means("nuxt"), @"pnpm install --frozen-lockfile; pnpm exec nuxt dev --host 127.0.0.1 --port 3000; 127.0.0.1:3000");
    assert_snapshot!(means("gatsby"), @"npm ci; node node_modules/.bin/gatsby develop --host 127.0.0.1 --port 8123; 127.0.0.1:8123");
    assert_snapshot!(means("eleventy"), @"bun install --frozen-lockfile; node node_modules/.bin/eleventy --serve --port=8080; 127.0.0.1:8080");
    assert_snapshot!(means("yarn-berry"), @"yarn install --immutable; yarn run astro dev --host 127.0.0.1 --port 4321; 127.0.0.1:4321");
    assert_snapshot!(means("hugo"), @"; hugo server --bind 127.0.0.1 --port 1313; 127.0.0.1:1313");
    assert_snapshot!(means("static"), @"; the files in public; 127.0.0.1:8080");
    assert_snapshot!(means("own-script"), @"npm ci; npm run dev; 127.0.0.1:4711");
}

#[test]
fn a_server_that_is_not_known_to_watch_its_files_says_so() {
    let world = World::new("own-script");
    let (file, text) = world.write(Place::Registry).unwrap();
    assert_eq!(world.load(&file).server.unwrap().watches, Some(false), "{text}");
    assert!(
        text.contains("# `node server.js --port 4711` is not known to serve what its files are now"),
        "{text}"
    );
    let rows = init::infer(&world.surroundings).unwrap().rows(&world.surroundings);
    assert!(rows.iter().any(|row| row.what == "watches" && row.from.contains("node server.js")), "{rows:?}");
    for known in ["astro", "vite", "hugo", "static", "eleventy"] {
        let world = World::new(known);
        let (file, text) = world.write(Place::Registry).unwrap();
        assert_eq!(world.load(&file).server.unwrap().watches, None, "{text}");
    }
}

#[test]
fn the_file_is_commented() {
    let (_, text) = World::new("astro").write(Place::Registry).unwrap();
    shown!(text);
}

#[test]
fn for_a_team_it_lies_in_the_repository_and_says_nothing_of_one_machine() {
    let world = World::new("astro");
    let (file, text) = world.write(Place::Repository).unwrap();
    assert_eq!(file, world.repository().join("housecall.toml"));
    assert!(!text.contains(&*world.surroundings.home.to_string_lossy()), "{text}");
    assert_eq!(world.load(&file).mirror.unwrap().repository, world.repository());
    // The user's own until it is committed; then it came with a repository.
    assert_eq!(world.load(&file).trust, Trust::Trusted);
    world.git(&["add", "housecall.toml"]);
    assert_eq!(world.load(&file).trust, Trust::Untrusted);
    housecall::trust::allow(&file, text.as_bytes(), &world.surroundings).unwrap();
    assert_eq!(world.load(&file).trust, Trust::Trusted);
    fs::write(&file, text.replace("60s", "61s")).unwrap();
    assert_eq!(world.load(&file).trust, Trust::Untrusted);
}

#[test]
fn what_everybody_may_write_is_nobodys_word() {
    use std::os::unix::fs::PermissionsExt as _;
    let world = World::new("static");
    let (file, _) = world.write(Place::Registry).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o666)).unwrap();
    assert_eq!(world.load(&file).trust, Trust::Untrusted);
}

#[test]
fn nothing_is_overwritten() {
    let world = World::new("static");
    let (file, text) = world.write(Place::Registry).unwrap();
    let again = world.write(Place::Registry).unwrap_err();
    assert_eq!(again, InitError::Registered(world.surroundings.tilde(&file)));
    assert_eq!(fs::read_to_string(&file).unwrap(), text);
    fs::write(world.repository().join("housecall.toml"), "mine").unwrap();
    assert!(matches!(world.write(Place::Repository), Err(InitError::Exists(_))));
    assert_eq!(fs::read_to_string(world.repository().join("housecall.toml")).unwrap(), "mine");
}

/// A mistake hides no mirror: its file is found all the same, and no second one is written beside it.
#[test]
fn a_registered_file_with_a_mistake_is_found_and_its_mistake_told() {
    let mut world = World::new("static");
    let (file, text) = world.write(Place::Registry).unwrap();
    world.surroundings.directory = world.repository().to_owned();
    let repository = text.lines().find(|it| it.starts_with("repository")).unwrap();
    for (mistaken, is_told) in [
        (text.replace("every", "evry"), "unknown key `evry`"),
        (text.replace("[serve]", "[serv]"), "unknown section `serv`"),
        (
            text.replace(repository, &repository.replace("repository", "repositori")),
            "unknown key `repositori`",
        ),
        (text.replace(repository, repository.trim_end_matches('"')), "not TOML"),
    ] {
        fs::write(&file, &mistaken).unwrap();
        let error =
            housecall::config::Config::load(&housecall::config::Options::default(), &world.surroundings);
        let told = error.unwrap_err().to_string();
        assert!(told.contains(is_told), "{told}");
        let again = world.write(Place::Registry).unwrap_err();
        assert!(matches!(again, InitError::Registered(_) | InitError::Unclear(_)), "{again}");
    }
    // One that is clearly about another repository is no reason.
    fs::write(&file, text.replace(repository, "repository = \"/elsewhere\"").replace("every", "evry"))
        .unwrap();
    let error = housecall::config::discover(&world.surroundings).unwrap_err();
    assert!(error.to_string().contains("no mirror is configured"), "{error}");
}

#[test]
fn jobs_that_serve_this_site_are_taken_over() {
    let world = World::new("astro");
    let home = world.surroundings.home.clone();
    let worktree = home.join("ops/localhost-worktree");
    world.git(&["worktree", "add", "-q", "-b", "localhost-sync", &worktree.to_string_lossy()]);
    let agents = home.join("Library/LaunchAgents");
    fs::create_dir_all(&agents).unwrap();
    let plist = |label: &str, more: &str| {
        format!(
            "<plist version=\"1.0\"><dict><key>Label</key><string>{label}</string>\
             <key>WorkingDirectory</key><string>{}</string>{more}</dict></plist>",
            worktree.display()
        )
    };
    let serve = "<key>ProgramArguments</key><array><string>/bin/sh</string><string>-c</string>\
                 <string>exec astro dev --host 127.0.0.1 --port 4399</string></array>\
                 <key>EnvironmentVariables</key><dict>\
                 <key>PATH</key><string>/opt/homebrew/opt/node@22/bin:/usr/bin:/bin</string>\
                 <key>LANG</key><string>fr_FR.UTF-8</string></dict>";
    let sync = "<key>StartInterval</key><integer>60</integer>";
    fs::write(agents.join("a.plist"), plist("me.site.localhost-astro", serve)).unwrap();
    fs::write(agents.join("b.plist"), plist("me.site.localhost-sync", sync)).unwrap();
    fs::write(agents.join("c.plist"), plist("other", "").replace("/ops/", "/elsewhere/")).unwrap();
    let (file, _) = world.write(Place::Registry).unwrap();
    let config = world.load(&file);
    assert_eq!(config.mirror.unwrap().worktree, worktree);
    let server = config.server.unwrap();
    assert_eq!(server.listen.port(), 4399);
    assert_eq!(server.env["LANG"], "fr_FR.UTF-8");
    assert_eq!(config.runtime_path, [Path::new("/opt/homebrew/opt/node@22/bin")]);
    let labels = [("serve", "me.site.localhost-astro"), ("sync", "me.site.localhost-sync")];
    assert_eq!(config.jobs.labels, labels.map(|(role, label)| (role.to_owned(), label.to_owned())).into());
}

#[test]
fn a_jobs_name_stays_within_its_comment() {
    let world = World::new("astro");
    let agents = world.surroundings.home.join("Library/LaunchAgents");
    fs::create_dir_all(&agents).unwrap();
    let plist = format!(
        "<plist version=\"1.0\"><dict><key>Label</key><string>me\n[check.log-size]\nseverity = \"off\"\n#</string>\
         <key>ProgramArguments</key><array><string>{}</string><string>--port</string><string>4399</string></array>\
         <key>EnvironmentVariables</key><dict><key>PATH</key><string>/opt/x/bin</string></dict></dict></plist>",
        world.repository().join("serve").display()
    );
    fs::write(agents.join("a.plist"), plist).unwrap();
    let (file, text) = world.write(Place::Registry).unwrap();
    let config = world.load(&file);
    assert_eq!(config.runtime_path, [Path::new("/opt/x/bin")], "this test can fail: {text}");
    assert_eq!(config.server.unwrap().listen.port(), 4399);
    assert!(config.overrides.is_empty(), "{text}");
}

#[test]
fn a_mirror_is_found_from_its_repository_and_from_its_worktree() {
    let world = World::new("static");
    let (file, _) = world.write(Place::Registry).unwrap();
    let from = |directory: PathBuf| {
        let surroundings = Surroundings { directory, ..world.surroundings.clone() };
        Config::load(&Options::default(), &surroundings).map(|config| config.file)
    };
    assert_eq!(from(world.repository().join("public")).unwrap(), file);
    let worktree = world.load(&file).mirror.unwrap().worktree.clone();
    fs::create_dir_all(&worktree).unwrap();
    assert_eq!(from(worktree).unwrap(), file);
    assert!(from(world.surroundings.home.clone()).is_err());
}
