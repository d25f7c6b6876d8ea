//! What a long step shows on a real terminal while it is at work, and that nobody else gets anything of it.
#![expect(clippy::disallowed_methods, reason = "these tests read and write files of their own")]

use std::fs;
use std::io::Read;
use std::time::Duration;

use support::Mirror;
use support::proxy::{Line, Proxy};
use support::remotes::Remote;
use support::terminal::Terminal;

/// Waits until the test has seen enough.
const WAITS: &str = "while [ ! -e \"$HOME/go\" ]; do sleep 0.05; done\n";

/// The beginning of an installer.
const NPM: &str = "#!/bin/sh\n[ \"$1\" = ci ] || { echo 10.9.0; exit; }\nmkdir -p node_modules\n";

/// What takes a line away: to its beginning, and what is behind it goes.
const CLEARED: &str = "\r\u{1b}[2K";

/// A mirror whose dependencies are installed by that script; it was synced once.
fn installing(script: &str) -> Mirror {
    let mirror = Mirror::fixed();
    mirror.home.program("bin/node", "#!/bin/sh\necho v22.1.0\n");
    mirror.home.program("bin/npm", &format!("{NPM}{script}"));
    mirror.configure("install = []", "install = [\"npm\", \"ci\"]");
    let bin = mirror.home.at("bin");
    mirror.configure("[mirror]", &format!("[runtime]\npath = [\"{}\"]\n\n[mirror]", bin.display()));
    mirror.home.write("go", "");
    let _ = mirror.run(&["sync"]).exits(0);
    push(&mirror, "package-lock.json", b"{}\n");
    fs::remove_file(mirror.home.at("go")).expect("the next one waits");
    mirror
}

/// Somebody pushes a file.
fn push(mirror: &Mirror, file: &str, content: &[u8]) {
    mirror.publish("public/index.html", "text", "text");
    let clone = mirror.home.at("elsewhere");
    mirror.home.write(format!("elsewhere/{file}"), content);
    mirror.home.commit(&clone, "More");
    mirror.home.git(&clone, ["push", "--quiet"]);
}

#[test]
fn an_install_shows_the_size_of_its_tree_and_its_own_words_and_takes_the_line_away() {
    let script =
        format!("head -c 3145728 /dev/zero > node_modules/x\nprintf 'added 7 \\033[2Jpackages\\n'\n{WAITS}");
    let mirror = installing(&script);
    let terminal = Terminal::start(&mirror, &["sync"], &[]);
    terminal.shows("sync: install, 3.0 MiB");
    terminal.shows("s: added 7 ");
    mirror.home.write("go", "");
    let (code, text) = terminal.wait();
    assert_eq!(code, 0, "{text:?}");
    assert!(!text.contains("\u{1b}[2Jpackages"), "it steers no terminal: {text:?}");
    let (_, after) = text.rsplit_once("sync: install").expect("the line");
    let (_, after) = after.split_once(CLEARED).unwrap_or_else(|| panic!("it is taken away: {after:?}"));
    assert!(after.contains("updated: "), "{after:?}");
}

#[test]
fn a_large_fetch_shows_its_phase_and_sizes() {
    let mirror = Mirror::fixed();
    let remote = Remote::daemon(mirror.origin.parent().expect("the remotes' folder"));
    let proxy = Proxy::before(remote.port());
    let url = format!("git://127.0.0.1:{}/site.git", proxy.port());
    mirror.home.git(&mirror.repository, ["remote", "set-url", "origin", &url]);
    let _ = mirror.run(&["sync"]).exits(0);
    // So many that git writes them as they come, and of what packs badly.
    let mut random = fs::File::open("/dev/urandom").expect("what packs badly");
    for number in 0..200 {
        let mut much = vec![0; 20 << 10];
        random.read_exact(&mut much).expect("what packs badly");
        mirror.home.write(format!("much/{number}"), much);
    }
    push(&mirror, "new", b"");
    fs::rename(mirror.home.at("much"), mirror.home.at("elsewhere/much")).expect("moved");
    push(&mirror, "newer", b"");
    proxy.becomes(Line::Slow(4096, Duration::from_millis(10)));
    let terminal = Terminal::start(&mirror, &["sync"], &[]);
    terminal.shows("sync: fetch");
    terminal.shows("receiving objects ");
    terminal.shows(" KiB/s");
    proxy.becomes(Line::Good);
    let (code, text) = terminal.wait();
    assert_eq!(code, 0, "{text:?}");
}

#[test]
fn a_large_checkout_shows_how_far_it_is_the_first_one_too() {
    let mirror = Mirror::fixed();
    let filter = mirror.home.program("bin/filter", &format!("#!/bin/sh\n{WAITS}cat\n"));
    mirror.home.git(&mirror.repository, ["config", "filter.slow.smudge", &filter.to_string_lossy()]);
    for (step, content) in [("sync: add worktree", "x\n"), ("sync: align", "y\n")] {
        push(&mirror, ".gitattributes", b"c.slow filter=slow\n");
        for file in ["a", "b", "c.slow", "d"] {
            push(&mirror, file, content.as_bytes());
        }
        let terminal = Terminal::start(&mirror, &["sync"], &[]);
        terminal.shows(step);
        terminal.shows("updating files ");
        mirror.home.write("go", "");
        let (code, text) = terminal.wait();
        assert_eq!(code, 0, "{text:?}");
        fs::remove_file(mirror.home.at("go")).expect("the next one waits");
    }
}

#[test]
fn an_agent_a_quiet_call_and_a_pipe_get_nothing_of_it() {
    type Case<'a> = (&'a [&'a str], &'a [(&'a str, &'a str)]);
    let cases: [Case<'_>; 5] = [
        (&["-q", "sync"], &[]),
        (&["sync"], &[("CLAUDECODE", "1")]),
        (&["sync"], &[("CODEX_SANDBOX", "seatbelt")]),
        (&["sync"], &[("CI", "true")]),
        (&["sync"], &[("TERM", "dumb")]),
    ];
    let mirror = installing("echo added\nsleep 1.2\n");
    for (number, (arguments, variables)) in cases.into_iter().enumerate() {
        push(&mirror, "package-lock.json", format!("{{\"a\": {number}}}\n").as_bytes());
        let (code, text) = Terminal::start(&mirror, arguments, variables).wait();
        assert_eq!(code, 0, "{text:?}");
        assert!(text.contains("updated: "), "it was at work: {text:?}");
        assert!(!text.contains("install,") && !text.contains('\u{1b}'), "{variables:?}: {text:?}");
    }
    push(&mirror, "package-lock.json", b"{\"a\": true}\n");
    let piped = mirror.run(&["sync"]).exits(0);
    assert_eq!(piped.stderr, "");
    push(&mirror, "package-lock.json", b"{\"a\": false}\n");
    let (_, text) = Terminal::start(&mirror, &["sync"], &[("CI", "false")]).wait();
    assert!(text.contains("sync: install, "), "a person who says that it is no CI: {text:?}");
}
