//! The real thing: an astro site, its lockfile, npm and node, from `init` to the page that shows a merge.

use std::fs;
use std::time::Duration;

use support::processes::{self, Kept};
use support::{Mirror, Part, Test, parts};

pub(crate) const TESTS: &[Test] = &[
    Test { name: "from_init_to_the_page_that_shows_a_merge", needs: PARTS, run: whole },
    Test { name: "an_old_node_for_the_jobs_is_the_cause", needs: OLD, run: old_node },
    Test { name: "an_old_clone_with_its_own_astro_is_the_cause", needs: PARTS, run: old_clone },
];

const PARTS: &[Part] = &[Part::Astro, Part::Node(22), Part::Lighttpd];
const OLD: &[Part] = &[Part::Astro, Part::Node(20), Part::Node(22), Part::Lighttpd];

fn whole() {
    let mut mirror = Mirror::astro();
    fs::remove_file(&mirror.config).expect("init is to write it");
    let path = format!("{}:/usr/bin:/bin", parts::node(22).display());
    mirror.home.set("PATH", path);
    let init = mirror.home.housecall_in(&mirror.repository, ["init"]).exits(0);
    let written = mirror.home.git(&mirror.repository, ["status", "--porcelain"]);
    assert_eq!(written, "", "nothing is written into the repository");
    mirror.config = written_by_init(&mirror);
    let text = fs::read_to_string(&mirror.config).expect("the configuration");
    assert!(
        text.contains("astro") && text.contains("4321") && text.contains("origin/main"),
        "{text}\n{init}"
    );
    // The port that it infers may be taken on this machine.
    let text = text.replace("4321", &mirror.port.to_string());
    let text = if text.contains(&parts::node(22).display().to_string()) {
        text
    } else {
        text.replacen(
            "[mirror]",
            &format!("[runtime]\npath = [\"{}\"]\n\n[mirror]", parts::node(22).display()),
            1,
        )
    };
    fs::write(&mirror.config, text).expect("the configuration");

    let before = mirror.run(&["--json"]).exits(1).report();
    let _ = before.with("canonical-repo", "pass").caused_by("worktree-exists");
    let mended = mirror.run(&["--fix", "--json"]).exits(0).report().healthy();
    assert!(
        mended.told("runtime-version:node").contains("22."),
        "{:#}",
        mended.check("runtime-version:node")
    );
    assert!(mirror.page("/").contains("The first text"));

    mirror.settle();
    mirror.publish("src/pages/index.astro", "The first text", "The second text");
    let _ = mirror.run(&["sync"]).exits(0);
    let shown = || mirror.page("/").contains("The second text");
    assert!(processes::eventually(Duration::from_secs(10), shown), "{}", mirror.page("/"));
    let _ = mirror.run(&["--json"]).exits(0).report().healthy();
    let _ = mirror.run(&["down"]).exits(0);
    assert_eq!(mirror.home.processes(), [], "npm's and astro's children are gone too");
}

fn written_by_init(mirror: &Mirror) -> std::path::PathBuf {
    let mut command = mirror.home.command("find");
    command.arg(mirror.home.at(".config")).args(["-name", "*.toml"]);
    let output = command.output().expect("find runs").stdout;
    let found = String::from_utf8_lossy(&output).into_owned();
    let mut toml = found.lines().map(std::path::PathBuf::from);
    toml.find(|it| fs::read_to_string(it).is_ok_and(|text| text.contains("[mirror]")))
        .expect("init writes it")
}

fn old_node() {
    let mirror = Mirror::astro();
    let (new, old) = (parts::node(22), parts::node(20));
    mirror.configure(&new.to_string_lossy(), &old.to_string_lossy());
    let _ = mirror.run(&["sync"]);
    let report = mirror.run(&["--json"]).exits(1).report();
    let report = report.with("runtime-version:node", "fail").caused_by("runtime-version:node");
    let told = report.told("runtime-version:node");
    assert!(told.contains("20.") && told.contains(">=22"), "{told}");
    assert_eq!(report.status("listener"), "blocked", "{}", report.troubles());
}

fn old_clone() {
    let mirror = Mirror::astro();
    let clone = mirror.stale_clone("dev/old-clone");
    let modules = parts::folder().join("astro-site/node_modules");
    let mut copy = mirror.home.command("cp");
    assert!(
        copy.args(["-a", "--reflink=auto"]).arg(modules).arg(&clone).status().is_ok_and(|it| it.success())
    );
    let mut command = mirror.home.command(parts::node(22).join("node"));
    command.args([
        "node_modules/.bin/astro",
        "dev",
        "--host",
        "127.0.0.1",
        "--port",
        &mirror.port.to_string(),
    ]);
    let log = fs::File::create(mirror.home.at("old-clone.log")).expect("a log");
    let mut server = Kept::start(command.current_dir(&clone).stdout(log));
    let answers = || mirror.page("/").contains("The first text");
    assert!(processes::eventually(Duration::from_secs(30), answers), "the old clone answers");

    let report = mirror.run(&["--fix", "--json"]).exits(1).report();
    let report = report.with("sha-parity", "pass").with("listener-cwd", "fail").caused_by("listener-cwd");
    let told = report.told("listener-cwd");
    for fact in [&*server.pid().to_string(), "astro", "~/dev/old-clone"] {
        assert!(told.contains(fact), "{fact} is named in {told}");
    }
    assert!(server.alive(), "nothing is killed without consent");
    let _ = mirror.run(&["--fix", "--risky", "--yes", "--json"]).exits(0).report().healthy();
    assert!(!server.alive());
}
