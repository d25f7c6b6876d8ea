//! Which commands serve what their files are now: those that watch them, and those that read each when it is asked for.

use super::found::{CARRIERS, word_of};

/// What a command comes to, its scripts followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// As it would be typed: "astro dev".
    pub line: String,
    /// Whether it is known to serve what its files are now.
    pub watches: bool,
}

/// Programs that do where the first word behind them is one of these; the empty one stands for no word.
const WATCHERS: [(&str, &[&str]); 47] = [
    ("air", &[""]),
    ("angular", &["serve"]),
    ("astro", &["dev"]),
    ("caddy", &["file-server"]),
    ("cargo-watch", &[""]),
    ("docusaurus", &["start"]),
    ("eleventy-dev-server", &[""]),
    ("fastapi", &["dev"]),
    ("ember", &["serve", "server", "s"]),
    ("gatsby", &["develop"]),
    ("hexo", &["server", "s"]),
    ("http-server", ANY),
    ("hugo", &["server", "serve"]),
    ("jekyll", &["serve", "server", "s"]),
    ("live-server", ANY),
    ("mdbook", &["serve"]),
    ("mkdocs", &["serve"]),
    ("ng", &["serve", "s"]),
    ("next", &["dev", ""]),
    ("nodemon", ANY),
    ("nuxi", &["dev"]),
    ("nuxt", &["dev"]),
    ("parcel", ANY),
    ("quarto", &["preview"]),
    ("quasar", &["dev"]),
    ("react-router", &["dev"]),
    ("react-scripts", &["start"]),
    ("remix", &["dev", "vite:dev"]),
    ("rsbuild", &["dev"]),
    ("rspack", &["serve", "dev"]),
    ("rspress", &["dev"]),
    ("serve", ANY),
    ("sirv", ANY),
    ("storybook", &["dev"]),
    ("start-storybook", &[""]),
    ("ts-node-dev", ANY),
    ("vinxi", &["dev"]),
    ("vite", &["dev", "serve", ""]),
    ("vitepress", &["dev", ""]),
    ("vue-cli-service", &["serve"]),
    ("vuepress", &["dev"]),
    ("web-dev-server", ANY),
    ("wds", ANY),
    ("webpack", &["serve"]),
    ("webpack-dev-server", ANY),
    ("wrangler", &["dev"]),
    ("zola", &["serve"]),
];
/// What such a program is told where it serves what was built.
const OTHERWISE: [&str; 5] = ["build", "preview", "start", "prod", "watch"];
/// Whatever comes behind it.
const ANY: &[&str] = &["*"];
/// What has another program watch, wherever it stands; what has one not.
const SWITCHES: [&str; 4] = ["--watch", "--hot", "--reload", "--serve"];
const UNSWITCHES: [&str; 6] = [
    "--no-watch",
    "--noreload",
    "--no-reload",
    "--disable-watch",
    "--watch=false",
    "--no-hot-module-replacement",
];
/// Programs for which a switch is theirs, and not that of the script they run.
const SWITCHED: [&str; 13] = [
    "node",
    "nodejs",
    "bun",
    "deno",
    "tsx",
    "uvicorn",
    "gunicorn",
    "hypercorn",
    "flask",
    "fastapi",
    "eleventy",
    "rollup",
    "esbuild",
];
/// Whose scripts `package.json` names.
const MANAGERS: [&str; 4] = ["npm", "pnpm", "yarn", "bun"];
/// A script that starts a script that starts … : more than this is a circle.
const DEPTH: usize = 8;

/// What a command comes to; `script` has the command lines of `package.json`.
#[must_use]
pub fn command(argv: &[String], script: &dyn Fn(&str) -> Option<String>) -> Command {
    let mut words = argv.to_vec();
    for _ in 0..DEPTH {
        let Some(line) = named_script(&words).and_then(script) else { break };
        match split(&line) {
            Some(inner) => words = inner,
            None => return Command { line, watches: false },
        }
    }
    Command { watches: watches(&words), line: bare(&words).join(" ") }
}

/// The script that a package manager is told to run.
fn named_script(words: &[String]) -> Option<&str> {
    let words = bare(words);
    let mut plain = words.iter().map(String::as_str).filter(|it| !it.starts_with('-'));
    let manager = plain.next().filter(|it| MANAGERS.contains(it))?;
    match plain.next()? {
        "run" | "run-script" => plain.next(),
        verb @ ("start" | "test") => Some(verb),
        // `npm dev` is none of npm's words; a program of that name is no script, and `script` says so.
        verb => Some(verb).filter(|_| manager != "npm"),
    }
}

/// The words of a script's last command; `None` where only a shell can tell them.
fn split(line: &str) -> Option<Vec<String>> {
    let last = line.rsplit("&&").next().unwrap_or(line);
    let is_plain = !last.contains(['|', ';', '&', '`', '$', '<', '>', '(', '\\', '*', '#']);
    let unquoted = |word: &str| word.trim_matches(['"', '\'']).to_owned();
    is_plain.then(|| last.split_whitespace().map(unquoted).collect())
}

/// The words without the variables that are set for them.
fn bare(words: &[String]) -> &[String] {
    let is_setting = |word: &String| {
        let sets =
            word.split_once('=').is_some_and(|(name, _)| !name.starts_with('-') && !name.contains('/'));
        sets || ["env", "cross-env", "exec", "nice", "bundle", "poetry", "uv"].contains(&word.as_str())
    };
    let from = words.iter().position(|it| !is_setting(it)).unwrap_or(words.len());
    &words[from..]
}

fn watches(words: &[String]) -> bool {
    let words = bare(words);
    if has(words, &UNSWITCHES) {
        return false;
    }
    let is_switched = |words: &[String]| {
        words.iter().any(|it| SWITCHES.contains(&it.split_once('=').map_or(it.as_str(), |(name, _)| name)))
    };
    let first = words.first().map(word_of).unwrap_or_default();
    // Its own switches stand before the script, whose switches stand behind.
    let own = words.iter().skip(1).position(|it| !it.starts_with('-')).map_or(words.len(), |at| at + 1);
    if ["node", "nodejs", "bun", "deno", "tsx"].contains(&first.as_str()) && is_switched(&words[..own]) {
        return true;
    }
    if first.starts_with("python") || first == "ruby" || first == "php" {
        return reads_each_time(words);
    }
    let is_carrier = |it: &&String| CARRIERS.contains(&word_of(it).as_str()) || it.starts_with('-');
    let from = words.iter().take_while(is_carrier).count();
    // `bun start` and the like name a script that is not there.
    let Some(name) = words.get(from).map(word_of) else { return false };
    let rest = &words[from + 1..];
    if SWITCHED.contains(&name.as_str()) && is_switched(rest) || name == "flask" && has(rest, &["--debug"]) {
        return true;
    }
    let known = WATCHERS.iter().find(|(known, _)| *known == name);
    let verb = rest.iter().find(|it| !it.starts_with('-')).map_or("", String::as_str);
    // What follows an option may be its value: `vite --port 5173`.
    let has_no_verb = rest.first().is_none_or(|it| it.starts_with('-'));
    known.is_some_and(|(_, verbs)| {
        let is_any = verbs.contains(&"*") || has_no_verb && verbs.contains(&"");
        verbs.contains(&verb) || is_any && !has(rest, &OTHERWISE)
    })
}

fn has(words: &[String], any: &[&str]) -> bool {
    words.iter().any(|it| any.contains(&it.as_str()))
}

/// Whether an interpreter is told to serve files, or to start its server anew where they change.
fn reads_each_time(words: &[String]) -> bool {
    let says = |word: &str| has(words, &[word]);
    let serves_files = says("http.server") || says("SimpleHTTPServer") || says("-run") && says("httpd");
    // Each request runs the script anew.
    let is_php = words.first().is_some_and(|it| word_of(it) == "php") && says("-S");
    // It starts itself anew.
    let is_django = words.iter().any(|it| it.ends_with("manage.py")) && says("runserver");
    let is_told = has(words, &["uvicorn", "flask", "fastapi"]) && has(words, &["--reload", "--debug"]);
    serves_files || is_php || is_django || is_told || says("mkdocs") && says("serve")
}
