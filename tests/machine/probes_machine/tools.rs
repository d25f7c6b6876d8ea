//! Real programs on the jobs' PATH: told by a file, told by themselves, silent, absent, not trusted.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use housecall::config::{Config, Limits, Trust};
use housecall::error::ProbeError;
use housecall::probes::machine::Machine;
use housecall::probes::tools::{find, installers, version_of, written};
use support::Folder;
use support::processes::HANG;

use super::worlds;

/// A machine's home with one directory of tools, first on the jobs' PATH.
struct Home {
    place: Folder,
}

impl Home {
    fn new() -> Self {
        Self { place: Folder::new() }
    }

    fn path(&self) -> PathBuf {
        self.place.path().canonicalize().expect("a directory")
    }

    fn config(&self) -> Config {
        let home = self.path();
        Config {
            file: home.join("site/housecall.toml"),
            runtime_path: vec![home.join("tools/bin")],
            system_path: Vec::new(),
            services: Vec::new(),
            limits: Limits { timeout: Duration::from_millis(400), ..Limits::default() },
            mirror: None,
            home,
            ..worlds::config()
        }
    }

    fn write(&self, file: &str, content: &str) -> PathBuf {
        let file = self.path().join(file);
        fs::create_dir_all(file.parent().expect("a parent")).expect("a directory");
        fs::write(&file, content).expect("a file");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).expect("a mode");
        file
    }

    /// A program that leaves a line in a list each time that it is run.
    fn script(&self, file: &str, body: &str) -> PathBuf {
        let list = self.path().join("runs");
        self.write(file, &format!("#!/bin/sh\necho \"$0 $*\" >> {}\n{body}\n", list.display()))
    }

    fn runs(&self) -> usize {
        fs::read_to_string(self.path().join("runs")).unwrap_or_default().lines().count()
    }

    fn version(&self, name: &str) -> Result<Option<String>, ProbeError> {
        let found = find(&Machine::default(), &self.config(), name)?;
        Ok(found.map(|it| it.version.expect("it starts")))
    }
}

const HEADER: &str = "\
#ifndef SRC_NODE_VERSION_H_
#define NODE_MAJOR_VERSION 22
#define NODE_MINOR_VERSION 23
#define NODE_PATCH_VERSION 3
#define NODE_VERSION_IS_LTS 1
";

#[test]
fn the_word_of_node_counts_and_not_what_is_written_beside_it() {
    let home = Home::new();
    let node = home.script("tools/bin/node", "echo v22.1.0");
    home.write("tools/include/node/node_version.h", HEADER);
    let (machine, config) = (Machine::default(), home.config());
    // Whoever asks for the version alone reads it.
    assert_eq!(version_of(&machine, &config, &node), Ok("22.23.3".to_owned()));
    let read = written(&machine, &config, "node").expect("the version that is written");
    assert_eq!((read.version, home.runs()), (Ok("22.23.3".to_owned()), 0), "it is not started");
    assert_eq!(home.version("node"), Ok(Some("22.1.0".to_owned())));
    assert_eq!(home.runs(), 1);
}

#[test]
fn a_program_that_does_not_start_is_found_with_its_last_words() {
    let home = Home::new();
    home.write("tools/include/node/node_version.h", HEADER);
    let said = |name: &str| find(&Machine::default(), &home.config(), name).map(|it| it.expect(name).version);
    for (body, words) in [
        // As macOS has it once an upgrade has taken a library away.
        (
            "echo 'dyld[1]: Library not loaded: /opt/icu/lib/libicu.74.dylib' >&2; kill -ABRT $$",
            "dyld[1]: Library",
        ),
        ("kill -KILL $$", "signal 9 ended it, without a word"),
        ("echo 'node: --wrong is not allowed in NODE_OPTIONS' >&2; exit 9", "node: --wrong is not allowed"),
    ] {
        home.script("tools/bin/node", body);
        let said = said("node").unwrap().expect_err(body);
        assert!(said.starts_with(words), "{said}");
    }
    home.write("tools/bin/deno", "#!/no/such/interpreter\n");
    assert!(said("deno").unwrap().unwrap_err().contains("No such file"));
    home.write("tools/bin/bun", "\u{7f}ELF, and no more\n");
    assert!(said("bun").unwrap().unwrap_err().contains("xec format error"));
    home.script("tools/bin/ruby", "echo 'ruby: error while loading shared libraries: libz' >&2; exit 127");
    assert!(said("ruby").unwrap().unwrap_err().contains("loading shared libraries"));
    // Why node does not start is its own business.
    home.script("tools/bin/pnpm", "echo 'env: node: No such file or directory' >&2; exit 127");
    assert!(said("pnpm").unwrap_err().to_string().contains("env: node"));
}

#[test]
#[cfg(target_os = "linux")]
fn a_node_whose_library_is_gone_is_told_in_the_loaders_own_words() {
    let home = Home::new();
    let node = home.write("tools/bin/node", "");
    support::parts::without_library(Path::new("/bin/sh"), &node);
    home.write("tools/include/node/node_version.h", HEADER);
    let found = find(&Machine::default(), &home.config(), "node").unwrap().expect("node");
    let said = found.version.unwrap_err();
    assert!(said.contains(support::parts::LOST) && said.contains("loading shared libraries"), "{said}");
}

#[test]
fn the_version_of_npm_is_read_in_its_package() {
    let home = Home::new();
    let program = home.script("tools/lib/node_modules/npm/bin/npm-cli.js", "echo 1.2.3");
    home.write("tools/lib/node_modules/npm/package.json", r#"{"name": "npm", "version": "10.9.9"}"#);
    fs::create_dir(home.path().join("tools/bin")).unwrap();
    std::os::unix::fs::symlink(&program, home.path().join("tools/bin/npm")).unwrap();
    let found = find(&Machine::default(), &home.config(), "npm").unwrap().expect("npm");
    assert_eq!((found.version, found.real), (Ok("10.9.9".to_owned()), program));
    assert_eq!(home.runs(), 0, "it is not started");
}

#[test]
fn a_program_is_asked_once_for_each_of_its_states() {
    let home = Home::new();
    let node = home.script("tools/bin/node", "echo v20.11.1");
    let (machine, config) = (Machine::default(), home.config());
    for _ in 0..3 {
        assert_eq!(find(&machine, &config, "node").unwrap().expect("node").version, Ok("20.11.1".to_owned()));
        assert_eq!(version_of(&machine, &config, &node).unwrap(), "20.11.1");
    }
    assert_eq!(home.runs(), 1);
    home.script("tools/bin/node", "echo v22.0.10 # another size");
    assert_eq!(find(&machine, &config, "node").unwrap().expect("node").version, Ok("22.0.10".to_owned()));
    assert_eq!(home.runs(), 2);
}

#[test]
fn what_a_shim_answers_is_asked_each_time() {
    let home = Home::new();
    let shim = home.script(".asdf/shims/pnpm", "echo 9.1.0");
    let (machine, config) = (Machine::default(), home.config());
    version_of(&machine, &config, &shim).unwrap();
    version_of(&machine, &config, &shim).unwrap();
    assert_eq!(home.runs(), 2);
}

#[test]
fn a_program_that_never_returns_costs_one_deadline() {
    let home = Home::new();
    home.script("tools/bin/node", "sleep 1000");
    let start = Instant::now();
    let after = home.config().limits.timeout;
    assert_eq!(home.version("node"), Err(ProbeError::TimedOut { what: "node".to_owned(), after }));
    assert!(start.elapsed() < HANG, "{:?}", start.elapsed());
}

#[test]
fn one_that_fails_or_talks_nonsense_is_unknown() {
    let home = Home::new();
    home.script("tools/bin/pnpm", "echo 'pnpm: no network' >&2; exit 1");
    home.script("tools/bin/yarn", "echo hello");
    let error = home.version("pnpm").unwrap_err();
    assert_eq!(error.to_string(), "cannot ask pnpm for its version: pnpm: no network");
    assert!(matches!(home.version("yarn"), Err(ProbeError::Unreadable { .. })));
}

#[test]
fn only_a_program_on_the_jobs_path_is_found() {
    let home = Home::new();
    home.write("tools/bin/plain-file-here", "x");
    fs::set_permissions(home.path().join("tools/bin/plain-file-here"), fs::Permissions::from_mode(0o644))
        .unwrap();
    home.script("elsewhere/no-such-tool", "echo 1.0.0");
    assert_eq!(home.version("plain-file-here"), Ok(None));
    assert_eq!(home.version("no-such-tool"), Ok(None));
}

#[test]
fn an_untrusted_configuration_runs_nothing_of_its_own() {
    let home = Home::new();
    home.script("tools/bin/node", "echo v22.0.0");
    let inside = home.script("site/node_modules/.bin/node", "echo v22.0.0");
    home.script("tools/bin/cleverly-named", "echo 1.0.0");
    let (machine, config) = (Machine::default(), Config { trust: Trust::Untrusted, ..home.config() });
    for name in ["node", "cleverly-named"] {
        assert!(matches!(find(&machine, &config, name), Err(ProbeError::NotTrusted { .. })), "{name}");
    }
    assert!(matches!(version_of(&machine, &config, &inside), Err(ProbeError::NotTrusted { .. })));
    assert_eq!(home.runs(), 0);
    // A file may be read, and says nothing of whether its program starts.
    home.write("tools/include/node/node_version.h", HEADER);
    assert!(matches!(find(&machine, &config, "node"), Err(ProbeError::NotTrusted { .. })));
    assert_eq!(version_of(&machine, &config, &home.path().join("tools/bin/node")), Ok("22.23.3".to_owned()));
    assert_eq!(home.runs(), 0);
    // The system's own git may be asked.
    let own = Config { runtime_path: Vec::new(), ..config };
    if Path::new("/usr/bin/git").exists() {
        assert!(find(&machine, &own, "git").unwrap().is_some());
    }
}

#[test]
fn installers_are_found_where_they_live() {
    let home = Home::new();
    let found = || installers(&Machine::default(), &home.config());
    let before = found();
    home.write(".local/share/fnm/fnm", "");
    home.write(".volta/bin/volta", "");
    home.write(".nvm/nvm.sh", "");
    let expected: Vec<&str> = ["brew", "mise", "fnm", "volta", "asdf", "n", "nvm"]
        .into_iter()
        .filter(|it| before.contains(it) || ["fnm", "volta", "nvm"].contains(it))
        .collect();
    assert_eq!(found(), expected);
}
