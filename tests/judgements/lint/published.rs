//! Published jobs, and the same with mistakes put into them.

use std::path::{Path, PathBuf};

use housecall::check::Severity;
use housecall::lint::{Finding, Place, lint};

use super::{job, judged, told};

/// The files of one folder of the corpus.
fn corpus(folder: &str) -> Vec<(PathBuf, String)> {
    let Some(corpus) = std::env::var_os("HOUSECALL_CORPUS").map(PathBuf::from) else {
        eprintln!("skipped: HOUSECALL_CORPUS is not set");
        return Vec::new();
    };
    let files = std::fs::read_dir(corpus.join("plists").join(folder)).unwrap().map(|it| it.unwrap().path());
    files.map(|path| (path.clone(), String::from_utf8(std::fs::read(path).unwrap()).unwrap())).collect()
}

#[test]
fn nothing_that_launchd_accepts_is_an_error() {
    for (path, text) in corpus("valid") {
        let findings = lint(path.to_str().unwrap(), text.as_bytes(), &Place::Elsewhere).unwrap();
        let errors: Vec<_> = findings.iter().filter(|it| it.severity == Severity::Error).collect();
        assert!(errors.is_empty(), "{}: {errors:?}", path.display());
    }
}

/// Every real mistake: its file, the finding's code and key, and a text that stands on its line.
const GOLD: [(&str, &str, &str, &str); 22] = [
    ("com.cclight.daemon", "unknown-key", "StandardErrPath", "<key>StandardErrPath"),
    ("com.sjyb.picgo-server", "unknown-key", "StandardErrPath", "<key>StandardErrPath"),
    ("com.user.wallpaper-switch", "unknown-key", "StandardOutputPath", "<key>StandardOutputPath"),
    ("com.gellyfish.mcp-mail", "unexpanded-path", "ProgramArguments", "~/.local/bin"),
    ("com.gellyfish.mcp-mail", "unexpanded-path", "StandardOutPath", "~/Library/Logs"),
    ("com.gellyfish.mcp-mail", "unexpanded-path", "StandardErrorPath", "@last ~/Library/Logs"),
    ("com.ned.automation.daily", "syntax", "ProgramArguments", "&& cd"),
    ("com.ned.automation.daily", "unexpanded-path", "StandardOutPath", "daily.log"),
    ("com.ned.automation.daily", "unexpanded-path", "StandardErrorPath", "daily.err"),
    ("diane-serve-watchpath", "unknown-key", "WatchPath", "<key>WatchPath"),
    ("fleet-monitor-startinterval-string", "wrong-type", "StartInterval", "<key>StartInterval"),
    ("fleet-monitor-startinterval-string", "wrong-type", "Nice", "<key>Nice"),
    ("kdj-tiddlywiki-tail", "unknown-key", "StandardOutputPath", "<key>StandardOutputPath"),
    ("kdj-tiddlywiki-tail", "relative-path", "StandardErrorPath", ">error.log"),
    ("outset-program-array-1", "wrong-type", "Program", "<key>Program<"),
    ("outset-program-array-2", "wrong-type", "Program", "<key>Program<"),
    ("outset-bundleprogram-array-1", "wrong-type", "BundleProgram", "<key>BundleProgram<"),
    ("rt-home-unexpanded", "unexpanded-path", "StandardOutPath", "daemon-stdout.log"),
    ("rt-home-unexpanded", "unexpanded-path", "StandardErrorPath", "daemon-stderr.log"),
    ("virtualbox-keepalive-interval", "keepalive-interval", "StartInterval", "<key>StartInterval"),
    ("virtualbox-keepalive-interval", "keepalive-interval", "KeepAlive", "<key>KeepAlive"),
    ("camjn-relative-update", "program-not-found", "ProgramArguments", ">update<"),
];

#[test]
fn every_real_mistake_is_found_at_its_line() {
    let files = corpus("gold");
    let mut unseen: Vec<&Path> = files.iter().map(|it| &*it.0).collect();
    for (name, code, key, mark) in GOLD {
        let Some((path, text)) = files.iter().find(|it| it.0.ends_with(format!("{name}.plist"))) else {
            continue;
        };
        unseen.retain(|it| it != path);
        let (mark, last) = mark.strip_prefix("@last ").map_or((mark, false), |mark| (mark, true));
        let mut marked = text.lines().enumerate().filter(|it| it.1.contains(mark)).map(|it| it.0 + 1);
        let line = if last { marked.last() } else { marked.next() };
        let findings = lint(path.to_str().unwrap(), text.as_bytes(), &Place::Elsewhere).unwrap();
        let is_it = |it: &Finding| it.code == code && it.key.as_deref() == Some(key) && it.line == line;
        assert!(findings.iter().any(is_it), "{name}: {code} {key} {line:?} is not in {:?}", told(&findings));
    }
    for path in unseen {
        assert!(path.to_str().unwrap().contains("NOT-A-MISTAKE"), "{} has no expectation", path.display());
        let text = std::fs::read(path).unwrap();
        let name = "/tmp/local.colima.plist";
        assert_eq!(told(&lint(name, &text, &Place::Elsewhere).unwrap()), Vec::<String>::new());
    }
}

#[test]
fn what_does_not_parse_is_a_syntax_error_with_its_line() {
    for (path, text) in corpus("broken") {
        let findings = judged(&text);
        assert_eq!(told(&findings), ["error syntax - 1"], "{}", path.display());
    }
    for (_, text) in corpus("template") {
        let _ = judged(&text);
    }
}

/// Mistakes as they are put into valid jobs: what is written, and what must be found on its first line.
const MUTATIONS: [(&str, &str, &str); 26] = [
    ("<key>StandardErrPath</key>\n<string>/tmp/x</string>", "unknown-key", "StandardErrPath"),
    ("<key>StandardOutputPath</key><string>/tmp/x</string>", "unknown-key", "StandardOutputPath"),
    ("<key>WatchPath</key>\n<array/>", "unknown-key", "WatchPath"),
    ("<key>ExitTimeout</key><integer>5</integer>", "unknown-key", "ExitTimeout"),
    ("<key>runAtLoad</key><true/>", "unknown-key", "runAtLoad"),
    ("<key>SuccessfulExit</key><false/>", "misplaced-key", "SuccessfulExit"),
    ("<key>StartInterval</key><string>60</string>", "wrong-type", "StartInterval"),
    ("<key>StartInterval</key><integer>0</integer>", "out-of-range", "StartInterval"),
    ("<key>Nice</key><integer>40</integer>", "out-of-range", "Nice"),
    ("<key>ThrottleInterval</key><real>1.5</real>", "wrong-type", "ThrottleInterval"),
    ("<key>ProcessType</key><string>background</string>", "unknown-value", "ProcessType"),
    (
        "<key>LimitLoadToSessionType</key><array><string>aqua</string></array>",
        "unknown-value",
        "LimitLoadToSessionType",
    ),
    ("<key>StandardInPath</key><string>~/in</string>", "unexpanded-path", "StandardInPath"),
    ("<key>StandardInPath</key><string>/Users/${USER}/in</string>", "unexpanded-path", "StandardInPath"),
    ("<key>RootDirectory</key><string>$HOME/x</string>", "unexpanded-path", "RootDirectory"),
    ("<key>QueueDirectories</key><array><string>spool</string></array>", "relative-path", "QueueDirectories"),
    ("<key>Umask</key><integer>22</integer>", "decimal-umask", "Umask"),
    ("<key>TimeOut</key><integer>9</integer>", "obsolete-key", "TimeOut"),
    ("<key>ExitTimeOut</key><integer>0</integer>", "endless-exit", "ExitTimeOut"),
    ("<key>Label</key><string>twice</string>", "duplicate-key", "Label"),
    ("<key>Program</key><array><string>/bin/date</string></array>", "wrong-type", "Program"),
    ("<key>Program</key><string>bin/date</string>", "relative-program", "Program"),
    ("<key>BundleProgram</key><array/>", "wrong-type", "BundleProgram"),
    (
        "<key>SoftResourceLimits</key><dict><key>NumberOfFile</key><integer>9</integer></dict>",
        "unknown-key",
        "SoftResourceLimits.NumberOfFile",
    ),
    (
        "<key>HardResourceLimits</key><dict><key>Stack</key><string>9</string></dict>",
        "wrong-type",
        "HardResourceLimits.Stack",
    ),
    ("<key>Debug</key><string>YES</string>", "wrong-type", "Debug"),
];

#[test]
fn a_mistake_is_found_wherever_it_is_put() {
    let mut files = corpus("valid");
    files.push(("bare".into(), job("")));
    for (path, text) in &files {
        let Some(end) = text.rfind("</dict>") else { continue };
        for (mistake, code, key) in MUTATIONS {
            let name = &key[..key.find('.').unwrap_or(key.len())];
            if code != "duplicate-key" && text.contains(&format!("<key>{name}</key>")) {
                continue;
            }
            for blank in [0, 3, 40] {
                let space = "\n".repeat(blank);
                let changed = format!("{}{space}\n{mistake}\n{}", &text[..end], &text[end..]);
                let line = text[..end].matches('\n').count() + blank + 2;
                let findings = judged(&changed);
                let is_it =
                    |it: &Finding| it.code == code && it.key.as_deref() == Some(key) && it.line == Some(line);
                assert!(findings.iter().any(is_it), "{}: {mistake}: {:?}", path.display(), told(&findings));
            }
        }
    }
}
