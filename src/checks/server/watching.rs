//! Which commands serve what their files are now: those that watch them, and those that read each when it is asked for.

use super::found::word_of;

/// What a command comes to, its scripts followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// As it would be typed: "astro dev".
    pub line: String,
    /// Whether it is known to serve what its files are now.
    pub watches: bool,
}

/// Programs that do where the first word behind them is one of these; the empty one stands for no word. What serves a build
/// is none of them: a new commit is in it only once it is built, and then comes the restart that the build waits for. Nor is
/// what starts itself anew for its own code alone, as `node --watch`, `nodemon` and `uvicorn --reload` do: what else the code
/// has read when it started, it goes on serving.
const WATCHERS: [(&str, &[&str]); 46] = [
    ("astro", &["dev"]),
    ("caddy", &["file-server"]),
    ("cargo", &["watch"]),
    ("craco", &["start"]),
    ("django-admin", &["runserver"]),
    ("docsify", &["serve"]),
    ("docusaurus", &["start"]),
    ("dotnet", &["watch"]),
    ("eleventy-dev-server", &[""]),
    ("ember", &["serve", "server", "s"]),
    ("gatsby", &["develop"]),
    ("hexo", &["server", "s"]),
    ("hugo", &["server", "serve"]),
    ("ionic", &["serve"]),
    ("jekyll", &["serve", "server", "s"]),
    ("mdbook", &["serve"]),
    ("mkdocs", &["serve"]),
    ("next", &["dev", ""]),
    ("ng", &["serve", "s"]),
    ("nuxi", &["dev"]),
    ("nuxt", &["dev"]),
    ("parcel", ANY),
    ("quarto", &["preview"]),
    ("quasar", &["dev"]),
    ("rails", &["server", "s"]),
    ("react-app-rewired", &["start"]),
    ("react-router", &["dev"]),
    ("react-scripts", &["start"]),
    ("remix", &["dev", "vite:dev"]),
    ("rsbuild", &["dev"]),
    ("rspack", &["serve", "dev"]),
    ("rspress", &["dev"]),
    ("slidev", ANY),
    ("start-storybook", &[""]),
    ("storybook", &["dev"]),
    ("trunk", &["serve"]),
    ("vinxi", &["dev"]),
    ("vite", &["dev", "serve", ""]),
    ("vitepress", &["dev", ""]),
    ("vue-cli-service", &["serve"]),
    ("vuepress", &["dev"]),
    ("webpack", &["serve"]),
    ("webpack-dev-server", ANY),
    ("wrangler", &["dev"]),
    ("symfony", &["serve", "server:start"]),
    ("zola", &["serve"]),
];
/// What such a program is told where it does something else.
const OTHERWISE: [&str; 7] = ["build", "preview", "start", "prod", "watch", "export", "help"];
/// Whatever comes behind it.
const ANY: &[&str] = &["*"];
/// Programs that do whatever stands behind them: they read each file when it is asked for, or start another program anew.
const ALWAYS: [&str; 12] = [
    "cargo-watch",
    "http-server",
    "http.server",
    "SimpleHTTPServer",
    "live-server",
    "livereload",
    "miniserve",
    "serve",
    "simple-http-server",
    "sphinx-autobuild",
    "wds",
    "web-dev-server",
];
/// Programs that do where they have one of these switches; what is none of theirs is that of the script they run.
const SWITCHED: [(&str, &[&str]); 7] = [
    ("browser-sync", &["--server", "-s", "serve"]),
    ("eleventy", &["--serve", "--watch"]),
    ("esbuild", &["--serve", "--servedir", "--watch"]),
    ("rollup", &["--watch"]),
    ("flask", &["--debug"]),
    // Without it, it knows only the files that were there when it started.
    ("sirv", &["--dev", "-D"]),
    // Without it, it waits until the server ends.
    ("watchexec", &["-r", "--restart"]),
];
/// What has one not.
const UNSWITCHES: [&str; 11] = [
    "--no-watch",
    "--noreload",
    "--no-reload",
    "--disable-watch",
    "--watch=false",
    "--no-hot-module-replacement",
    "--no-livereload",
    "--no-restart",
    "--proxy",
    "--environment=production",
    "RAILS_ENV=production",
];
/// Programs that run a script: their own switches stand before it, those of the script behind.
const INTERPRETERS: [&str; 7] = ["node", "nodejs", "bun", "deno", "tsx", "ts-node", "vite-node"];
/// Programs that only prepare the one behind them.
const WRAPPERS: [&str; 18] = [
    "bundle",
    "caffeinate",
    "corepack",
    "cross-env",
    "cross-env-shell",
    "doppler",
    "dotenv",
    "dotenvx",
    "env",
    "env-cmd",
    "exec",
    "hatch",
    "nice",
    "pdm",
    "pipenv",
    "poetry",
    "rye",
    "uv",
];
/// Switches of all these that have a word behind them.
const VALUED: [&str; 24] = [
    "-C",
    "-c",
    "-e",
    "-f",
    "-n",
    "-p",
    "-r",
    "-u",
    "--conditions",
    "--config",
    "--cwd",
    "--env-file",
    "--experimental-loader",
    "--host",
    "--import",
    "--import-map",
    "--loader",
    "--package",
    "--port",
    "--preload",
    "--require",
    "--tsconfig",
    "--watch-path",
    "--with",
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

/// The words without what only prepares: variables that are set, `env`, `dotenv -e .env --`, `bundle exec`.
fn bare(mut words: &[String]) -> &[String] {
    while let Some((first, rest)) = words.split_first() {
        let (name, _) = first.split_once('=').unwrap_or(("-", ""));
        if !name.starts_with('-') && !name.contains('/') {
            words = rest;
        } else if WRAPPERS.contains(&word_of(first).as_str()) {
            words = past(rest, &["run", "exec"]);
        } else {
            break;
        }
    }
    words
}

/// What stands behind the switches and these words.
fn past<'a>(words: &'a [String], verbs: &[&str]) -> &'a [String] {
    let mut at = 0;
    while let Some(word) = words.get(at) {
        if word == "--" {
            return &words[at + 1..];
        }
        if !word.starts_with('-') && !verbs.contains(&word.as_str()) {
            break;
        }
        at += 1 + usize::from(VALUED.contains(&word.as_str()));
    }
    words.get(at..).unwrap_or_default()
}

fn watches(all: &[String]) -> bool {
    let is_not = |pair: &[String]| pair[0] == "--watch" && pair[1] == "false";
    if has(all, &UNSWITCHES) || all.windows(2).any(is_not) {
        return false;
    }
    let mut words = bare(all);
    for _ in 0..DEPTH {
        let Some((first, rest)) = words.split_first() else { return false };
        if first.ends_with("manage.py") {
            // It starts itself anew.
            return rest.first().is_some_and(|it| it == "runserver");
        }
        let Some(name) = installed(first) else { return false };
        let verb = rest.iter().find(|it| !it.starts_with('-')).map_or("", String::as_str);
        words = match name.as_str() {
            "npx" | "bunx" | "pnpx" => past(rest, &[]),
            "npm" if ["exec", "x"].contains(&verb) => past(rest, &["exec", "x"]),
            // A script that is not there.
            "npm" => return false,
            "pnpm" | "yarn" | "bun" if verb == "start" || name == "pnpm" && verb == "run" => return false,
            "pnpm" | "yarn" => past(rest, &["run", "exec", "dlx"]),
            // What such a task is, only deno.json says.
            "deno" if verb == "task" => return false,
            it if INTERPRETERS.contains(&it) => {
                let script = past(rest, if it == "tsx" { &[] } else { &["run", "serve", "x"] });
                // `node serve` is a file of the project.
                match script.first() {
                    Some(file)
                        if it == "bun" || file.contains("node_modules/") || file.starts_with("npm:") =>
                    {
                        script
                    }
                    _ => return false,
                }
            }
            it if it.starts_with("python") => {
                match rest.iter().position(|it| !it.starts_with('-') || it == "-m") {
                    Some(at) if rest[at] == "-m" => &rest[at + 1..],
                    Some(at) => &rest[at..],
                    None => return false,
                }
            }
            "ruby" => return has(rest, &["-run"]) && has(rest, &["httpd"]),
            // Each request runs the script anew.
            "php" => return has(rest, &["-S"]) || verb == "artisan" && has(rest, &["serve"]),
            it => return knows(it, rest),
        };
    }
    false
}

/// The name of a program that is no file of the project: what a script of its own does, its name does not tell.
fn installed(word: &str) -> Option<String> {
    let word = word.strip_prefix("npm:").unwrap_or(word);
    // `vite@5`, `@angular/cli@19`.
    let word = word.get(1..)?.find('@').map_or(word, |at| &word[..=at]);
    if word == "@angular/cli" {
        return Some("ng".to_owned());
    }
    let name = word_of(word);
    let is_script = !word.ends_with(&name);
    let place = word.strip_suffix(&name).unwrap_or_default();
    let is_found = place.is_empty()
        || place.starts_with(['/', '~', '@'])
        || place.ends_with("/bin/") && place != "./bin/"
        || name == "rails";
    (word.contains("node_modules/") || !is_script && is_found).then_some(name)
}

/// Whether a program that is no interpreter does.
fn knows(name: &str, rest: &[String]) -> bool {
    if ALWAYS.contains(&name) || is_switched(name, rest) {
        return true;
    }
    let known = WATCHERS.iter().find(|(known, _)| *known == name);
    let verb = rest.iter().find(|it| !it.starts_with('-')).map_or("", String::as_str);
    // What follows an option may be its value: `vite --port 5173`.
    let has_no_verb = rest.first().is_none_or(|it| it.starts_with('-'));
    let is_rails_otherwise = name == "rails" && has(rest, &["production"]);
    known.is_some_and(|(_, verbs)| {
        let is_any = verbs.contains(&"*") || has_no_verb && verbs.contains(&"");
        verbs.contains(&verb) && !is_rails_otherwise || is_any && !has(rest, &OTHERWISE)
    })
}

fn is_switched(name: &str, words: &[String]) -> bool {
    let names = words.iter().map(|it| it.split_once('=').map_or(it.as_str(), |(name, _)| name));
    let known = SWITCHED.iter().find(|(known, _)| *known == name);
    known.is_some_and(|(_, switches)| names.into_iter().any(|it| switches.contains(&it)))
}

fn has(words: &[String], any: &[&str]) -> bool {
    words.iter().any(|it| any.contains(&it.as_str()))
}
