//! What answers: `[serve]` and `[[page]]`, validated.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use toml::Spanned;

use super::validate::Validation;
use super::{Mirror, Page, Ready, Server, Service, Serving, raw, vain, values};

impl Validation<'_> {
    pub(super) fn server(
        &mut self,
        serve: Spanned<raw::Serve>,
        mirror: Option<&Mirror>,
        is_mirror: bool,
    ) -> Option<Server> {
        let at = serve.span();
        let serve = serve.into_inner();
        if !is_mirror {
            self.wrong(
                at.clone(),
                "[serve] runs from a worktree, and there is no [mirror]",
                "add a [mirror] section",
            );
        }
        let run = match (&serve.run, &serve.directory) {
            (Some(_), Some(directory)) => {
                self.wrong(directory.span(), "[serve] has both `run` and `static`", "keep one of them");
                None
            }
            (Some(run), None) if run.get_ref().first().is_none_or(String::is_empty) => {
                self.wrong(run.span(), "`run` names no program", "such as [\"npm\", \"run\", \"dev\"]");
                None
            }
            (Some(run), None) => Some(Serving::Program(run.get_ref().clone())),
            (None, Some(directory)) => {
                let path = values::lexical(Path::new(directory.get_ref()));
                let path = if path.as_os_str().is_empty() { ".".into() } else { path };
                if path.is_absolute() || path.starts_with("..") || path.iter().any(values::is_gits_own) {
                    let message = format!("`{}` is no directory inside the worktree", directory.get_ref());
                    self.wrong(directory.span(), message, "write it relative to the worktree: \"public\"");
                }
                Some(Serving::Static(path))
            }
            (None, None) => {
                if self.mistakes.is_empty() {
                    let hint = "add `run = [\"npm\", \"run\", \"dev\"]` or `static = \"public\"`";
                    self.wrong(at.clone(), "[serve] says neither what to run nor what to serve", hint);
                }
                None
            }
        };
        if serve.listen.is_none() && self.mistakes.is_empty() {
            self.wrong(at, "[serve] names no address", "add `listen = \"127.0.0.1:4321\"`");
        }
        let listen = serve.listen.as_ref();
        let listen = listen.and_then(|listen| self.or_wrong(listen.span(), values::listen(listen.get_ref())));
        let ready = self.ready(&serve.ready.unwrap_or_default());
        if let (Some(watches), Some(_)) = (&serve.watches, &serve.directory) {
            let hint = "take it away";
            self.wrong(
                watches.span(),
                "`static` reads each file when it is asked for; `watches` is for `run`",
                hint,
            );
        }
        Some(Server {
            run: run?,
            directory: mirror?.worktree.clone(),
            listen: listen?,
            watches: serve.watches.map(Spanned::into_inner),
            env: serve.env,
            ready,
        })
    }

    fn ready(&mut self, ready: &raw::Ready) -> Ready {
        let path = ready.path.as_ref().map_or_else(|| "/".to_owned(), |path| self.page_path(path));
        Ready { path, within: self.duration(ready.within.as_ref(), Duration::from_mins(1)) }
    }

    fn page_path(&mut self, path: &raw::Text) -> String {
        let text = path.get_ref();
        if !text.starts_with('/') || text.contains(char::is_whitespace) {
            self.wrong(
                path.span(),
                format!("`{text}` is no path of a page"),
                "start it with /, without spaces",
            );
        }
        text.clone()
    }

    pub(super) fn pages(
        &mut self,
        written: &[Spanned<raw::Page>],
        server: Option<&Server>,
        services: &[Arc<Service>],
    ) -> Vec<Page> {
        let mut pages: Vec<Page> = Vec::new();
        let mut subjects = BTreeSet::new();
        for page in written {
            let at = page
                .get_ref()
                .path
                .as_ref()
                .or(page.get_ref().url.as_ref())
                .map_or_else(|| page.span(), Spanned::span);
            let Some(page) = self.page(page, server, services) else { continue };
            if !subjects.insert(page.subject()) {
                let message = format!("there are two pages `{}`", page.subject());
                self.wrong(at, message, "put all that is asked of it into one [[page]]");
            }
            pages.push(page);
        }
        if let (true, Some(server)) = (written.is_empty(), server) {
            pages.push(plain_page(server.ready.path.clone(), server.url(&server.ready.path), None));
        }
        for service in services {
            let Some(health) = &service.health else { continue };
            let path = health.place.path();
            let page = plain_page(path.clone(), path, Some(Arc::clone(service)));
            if subjects.insert(page.subject()) {
                pages.push(Page { status: health.status, ..page });
            }
        }
        pages
    }

    fn page(
        &mut self,
        page: &Spanned<raw::Page>,
        server: Option<&Server>,
        services: &[Arc<Service>],
    ) -> Option<Page> {
        let (at, page) = (page.span(), page.get_ref());
        let service = match &page.service {
            Some(name) => Some(self.answering(name, services)?),
            None => None,
        };
        let (path, url) = match (&page.path, &page.url, server) {
            (_, Some(url), _) if service.is_some() => {
                self.wrong(
                    url.span(),
                    "a service's page has a path, not an address of its own",
                    "keep one of them",
                );
                return None;
            }
            (Some(path), None, _) if service.is_some() => {
                let path = self.page_path(path);
                (path.clone(), path)
            }
            (Some(_), Some(url), _) => {
                self.wrong(url.span(), "a page has either a path or a whole address", "keep one of them");
                return None;
            }
            (None, Some(url), _) => {
                let text = url.get_ref();
                if !["http://", "https://"].iter().any(|it| text.starts_with(it)) {
                    let hint = "write http://ADDRESS:PORT/PATH, or https://";
                    self.wrong(url.span(), format!("`{text}` is no address of a page"), hint);
                    return None;
                }
                (text.clone(), text.clone())
            }
            (Some(path), None, Some(server)) => {
                let path = self.page_path(path);
                let url = server.url(&path);
                (path, url)
            }
            (Some(path), None, None) => {
                // A [serve] that is there and mistaken is told already.
                if self.mistakes.is_empty() {
                    let hint = "add a [serve] section, or write `url = \"http://…\"`";
                    self.wrong(path.span(), "a path alone says not which server answers it", hint);
                }
                return None;
            }
            (None, None, _) => {
                if self.mistakes.is_empty() {
                    self.wrong(at, "[[page]] names no page", "add `path = \"/\"`");
                }
                return None;
            }
        };
        let status = self.status(page.status.as_ref());
        let (contains, absent) = (self.parts(&page.contains), self.parts(&page.absent));
        let matches = page.matches.iter().filter_map(|pattern| self.pattern(pattern)).collect();
        let sha = page.sha.as_ref().and_then(|pattern| {
            let compiled = self.pattern(pattern)?;
            if compiled.captures_len() != 2 {
                let hint = "put one group around it: \"<meta name=\\\"sha\\\" content=\\\"([0-9a-f]+)\\\"\"";
                self.wrong(pattern.span(), "the pattern does not say where the SHA is", hint);
            }
            Some(compiled)
        });
        Some(Page { status, contains, absent, matches, sha, ..plain_page(path, url, service) })
    }

    /// The service of that name, which has an address.
    fn answering(&mut self, name: &raw::Text, services: &[Arc<Service>]) -> Option<Arc<Service>> {
        let text = name.get_ref();
        match services.iter().find(|it| it.name == *text) {
            Some(service) if service.health.is_some() => return Some(Arc::clone(service)),
            Some(_) => {
                let message = format!("[service.{text}] does not say where it answers");
                self.wrong(name.span(), message, "add `health = \"http://…\"` to it");
            }
            // A [service.NAME] that is there and mistaken is told already.
            None if self.mistakes.is_empty() => {
                let hint = format!("add a [service.{text}] section");
                self.wrong(name.span(), format!("there is no service `{text}`"), hint);
            }
            None => {}
        }
        None
    }

    pub(super) fn status(&mut self, written: Option<&Spanned<u16>>) -> u16 {
        let Some(written) = written else { return 200 };
        let status = *written.get_ref();
        if !(100..600).contains(&status) {
            self.wrong(written.span(), format!("{status} is no HTTP status"), "from 100 to 599");
        }
        status
    }

    /// Texts that a page has or lacks.
    fn parts(&mut self, written: &[raw::Text]) -> Vec<String> {
        if let Some(empty) = written.iter().find(|it| it.get_ref().is_empty()) {
            self.wrong(empty.span(), vain::EMPTY_TEXT, vain::LOOKED_FOR);
        }
        written.iter().map(|it| it.get_ref().clone()).collect()
    }

    fn pattern(&mut self, pattern: &raw::Text) -> Option<regex::Regex> {
        if vain::pattern(pattern.get_ref()) {
            self.wrong(pattern.span(), vain::found_everywhere(pattern.get_ref()), vain::LOOKED_FOR);
            return None;
        }
        let compiled = regex::Regex::new(pattern.get_ref()).map_err(|error| {
            let text = error.to_string();
            let why = text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
            ("this is no regular expression".to_owned(), why)
        });
        self.or_wrong(pattern.span(), compiled)
    }
}

fn plain_page(path: String, url: String, service: Option<Arc<Service>>) -> Page {
    let (contains, absent, matches) = (Vec::new(), Vec::new(), Vec::new());
    Page { path, url, service, status: 200, contains, absent, matches, sha: None }
}
