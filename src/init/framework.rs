//! Which framework serves a site, on which port, and with which command.
#![expect(clippy::disallowed_methods, reason = "what is inferred is read at the edge")]

use crate::plain;
use std::path::{Path, PathBuf};

use regex::Regex;

use super::Serves;
use super::project::{Manager, Project};
use crate::checks::server::watching;

/// A framework that is known.
#[derive(Debug, Clone, Copy)]
pub struct Framework {
    /// Its name.
    pub name: &'static str,
    /// The package that a site of it depends on.
    pub package: &'static str,
    /// Its program.
    pub program: &'static str,
    /// The program's arguments; `{port}` is filled in. It listens on 127.0.0.1, and moves to no other port where it
    /// can be told so.
    pub arguments: &'static [&'static str],
    /// Its usual port.
    pub port: u16,
    /// How its own configuration file begins.
    pub configuration: &'static str,
}

const HOST: &str = "127.0.0.1";

/// The frameworks, those that build upon another one before it.
pub(super) const ALL: [Framework; 10] = [
    Framework {
        name: "sveltekit",
        package: "@sveltejs/kit",
        program: "vite",
        arguments: &["dev", "--host", HOST, "--port", "{port}", "--strictPort"],
        port: 5173,
        configuration: "vite.config.",
    },
    Framework {
        name: "astro",
        package: "astro",
        program: "astro",
        arguments: &["dev", "--host", HOST, "--port", "{port}"],
        port: 4321,
        configuration: "astro.config.",
    },
    Framework {
        name: "nuxt",
        package: "nuxt",
        program: "nuxt",
        arguments: &["dev", "--host", HOST, "--port", "{port}"],
        port: 3000,
        configuration: "nuxt.config.",
    },
    Framework {
        name: "next",
        package: "next",
        program: "next",
        arguments: &["dev", "--hostname", HOST, "--port", "{port}"],
        port: 3000,
        configuration: "next.config.",
    },
    Framework {
        name: "gatsby",
        package: "gatsby",
        program: "gatsby",
        arguments: &["develop", "--host", HOST, "--port", "{port}"],
        port: 8000,
        configuration: "gatsby-config.",
    },
    Framework {
        name: "docusaurus",
        package: "@docusaurus/core",
        program: "docusaurus",
        arguments: &["start", "--host", HOST, "--port", "{port}", "--no-open"],
        port: 3000,
        configuration: "docusaurus.config.",
    },
    Framework {
        name: "vitepress",
        package: "vitepress",
        program: "vitepress",
        arguments: &["dev", "--host", HOST, "--port", "{port}", "--strictPort"],
        port: 5173,
        configuration: "vite.config.",
    },
    Framework {
        name: "react-router",
        package: "@react-router/dev",
        program: "react-router",
        arguments: &["dev", "--host", HOST, "--port", "{port}", "--strictPort"],
        port: 5173,
        configuration: "vite.config.",
    },
    Framework {
        name: "eleventy",
        package: "@11ty/eleventy",
        program: "eleventy",
        arguments: &["--serve", "--port={port}"],
        port: 8080,
        configuration: "eleventy.config.",
    },
    Framework {
        name: "vite",
        package: "vite",
        program: "vite",
        arguments: &["dev", "--host", HOST, "--port", "{port}", "--strictPort"],
        port: 5173,
        configuration: "vite.config.",
    },
];

impl Serves {
    /// The same on another port.
    pub(super) fn move_to(&mut self, port: u16, from: String) {
        let (old, new) = (self.port.to_string(), port.to_string());
        for argument in self.run.iter_mut().flatten() {
            if *argument == old || argument.ends_with(&format!("={old}")) {
                *argument = argument.replace(&old, &new);
            }
        }
        self.port = port;
        self.port_from = from;
    }
}

/// What serves the site, as far as it is known.
pub(super) fn serving(top: &Path, project: &Project) -> Option<Serves> {
    let known = ALL.iter().find(|framework| project.depends_on(framework.package));
    if let Some(framework) = known {
        return Some(framework.serving(top, project));
    }
    hugo(top).or_else(|| files(top, project)).or_else(|| script(project))
}

impl Framework {
    fn serving(&self, top: &Path, project: &Project) -> Serves {
        let (port, port_from) = self
            .written_port(top, project)
            .unwrap_or_else(|| (self.port, format!("{}'s usual port", self.name)));
        let arguments = self.arguments.iter().map(|it| it.replace("{port}", &port.to_string()));
        let manager = project.installer.as_ref().map_or(Manager::Npm, |it| it.manager);
        // Run by node directly: a wrapper that is killed would leave the server behind. Where the program is no script
        // that node could run, its manager has to.
        let run = match manager {
            Manager::Pnpm => vec!["pnpm".to_owned(), "exec".to_owned(), self.program.to_owned()],
            Manager::YarnPlugAndPlay => vec!["yarn".to_owned(), "run".to_owned(), self.program.to_owned()],
            _ => vec!["node".to_owned(), format!("node_modules/.bin/{}", self.program)],
        };
        Serves {
            what: self.name.to_owned(),
            run: Ok(run.into_iter().chain(arguments).collect()),
            port,
            from: format!("package.json depends on {}", self.package),
            port_from,
            unwatched: None,
        }
    }

    /// The port that the site itself writes down.
    fn written_port(&self, top: &Path, project: &Project) -> Option<(u16, String)> {
        for name in ["dev", "start", "develop"] {
            let port = project.script(name).and_then(port_of_command);
            if let Some(port) = port {
                return Some((port, format!("the script `{name}` in package.json")));
            }
        }
        let mut files: Vec<PathBuf> = std::fs::read_dir(top).ok()?.flatten().map(|it| it.path()).collect();
        files.sort();
        let is_own = |file: &PathBuf| {
            file.file_name().is_some_and(|name| name.to_string_lossy().starts_with(self.configuration))
        };
        let file = files.into_iter().find(is_own)?;
        let text = plain::text(&file).ok()?;
        let port = Regex::new(r"(?m)^[^/\n]*\bport\s*:\s*(\d{2,5})\b").ok()?.captures(&text)?.get(1)?;
        let name = file.file_name()?.to_string_lossy().into_owned();
        Some((port.as_str().parse().ok()?, name))
    }
}

/// The port in `--port 4000`, `--port=4000`, `-p 4000`.
pub(crate) fn port_of_command(command: &str) -> Option<u16> {
    let port = Regex::new(r"(?:^|\s)(?:--port|-p)[\s=]+(\d{2,5})(?:\s|$)").ok()?.captures(command)?.get(1)?;
    port.as_str().parse().ok()
}

fn hugo(top: &Path) -> Option<Serves> {
    let named = ["hugo.toml", "hugo.yaml", "hugo.json"].into_iter().find(|file| top.join(file).is_file());
    let older = || {
        let is_hugo = ["archetypes", "themes", "layouts"].iter().any(|it| top.join(it).is_dir());
        ["config.toml", "config.yaml"].into_iter().find(|file| is_hugo && top.join(file).is_file())
    };
    let file = named.or_else(older)?;
    let run = ["hugo", "server", "--bind", HOST, "--port", "1313"].map(str::to_owned).to_vec();
    let (from, port_from) = (file.to_owned(), "hugo's usual port".to_owned());
    Some(Serves { what: "hugo".to_owned(), run: Ok(run), port: 1313, from, port_from, unwatched: None })
}

/// A site that is files alone.
fn files(top: &Path, project: &Project) -> Option<Serves> {
    if project.script("dev").is_some() || project.script("start").is_some() {
        return None;
    }
    let directory = [".", "public", "docs", "site", "src"]
        .into_iter()
        .find(|directory| top.join(directory).join("index.html").is_file())?;
    let from = Path::new(directory).join("index.html");
    Some(Serves {
        what: "static files".to_owned(),
        run: Err(directory.into()),
        port: 8080,
        from: from.strip_prefix(".").unwrap_or(&from).display().to_string(),
        port_from: "a usual port of static files".to_owned(),
        unwatched: None,
    })
}

/// A framework that is not known, with a script that starts it.
fn script(project: &Project) -> Option<Serves> {
    let name = ["dev", "start"].into_iter().find(|name| project.script(name).is_some())?;
    let manager = match project.installer.as_ref().map(|it| it.manager) {
        Some(Manager::Pnpm) => "pnpm",
        Some(Manager::Yarn | Manager::YarnPlugAndPlay) => "yarn",
        Some(Manager::Bun) => "bun",
        _ => "npm",
    };
    let written = project.script(name).and_then(port_of_command);
    let port_from = if written.is_some() { "the same script" } else { "a guess: check what it prints" };
    let run = [manager, "run", name].map(str::to_owned).to_vec();
    let command = watching::command(&run, &|name| project.script(name).map(str::to_owned));
    Some(Serves {
        what: format!("the script `{name}`"),
        run: Ok(run),
        port: written.unwrap_or(3000),
        from: format!("the script `{name}` in package.json"),
        port_from: port_from.to_owned(),
        unwatched: (!command.watches).then_some(command.line),
    })
}
