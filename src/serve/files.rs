//! Housecall's own small file server, for sites that are plain files: it names the commit that it serves.
#![expect(clippy::disallowed_methods, reason = "this is a server of files")]

use std::convert::Infallible;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Cursor;
use std::net::SocketAddr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use tiny_http::{Header, Method, Request, Response, ResponseBox, Server, StatusCode};

use crate::checks::page::page_sha::HEADER;
use crate::error::StepError;

/// How many requests are answered at once.
const WORKERS: usize = 8;
/// How long HEAD may take to read; its volume may hang.
const PATIENCE: Duration = Duration::from_millis(300);

/// Serves a directory at exactly that address until the process is ended.
///
/// # Errors
/// The address cannot be had.
pub fn serve(listen: SocketAddr, worktree: &Path, root: &Path) -> Result<Infallible, StepError> {
    let failed = |error: &dyn std::fmt::Display| StepError::failed(format!("listen on {listen}"), error);
    let server = Arc::new(Server::http(listen).map_err(|error| failed(&error))?);
    let head = Arc::new(Head::of(worktree.to_owned()));
    let site = Arc::new(Site { worktree: worktree.to_owned(), root: root.to_owned() });
    let workers: Vec<_> = (0..WORKERS)
        .map(|_| {
            let (server, head, site) = (Arc::clone(&server), Arc::clone(&head), Arc::clone(&site));
            thread::spawn(move || {
                while let Ok(request) = server.recv() {
                    answer(request, &site, &head);
                }
            })
        })
        .collect();
    for worker in workers {
        // One that crashed leaves its work to the others.
        let _ = worker.join();
    }
    Err(failed(&"its socket closed"))
}

fn answer(request: Request, site: &Site, head: &Head) {
    // The commit is read before the file: a page may be newer than its mark, never older.
    let commit = head.read();
    let mut response = if matches!(request.method(), Method::Get | Method::Head) {
        page(site, request.url())
    } else {
        with(plain(405, "method not allowed"), header("Allow", "GET, HEAD"))
    };
    response = with(response, header("Cache-Control", "no-cache"));
    response = with(response, commit.and_then(|commit| header(HEADER, &commit)));
    // A reader who has gone is no fault of ours.
    let _ = request.respond(response);
}

fn page(site: &Site, url: &str) -> ResponseBox {
    let raw = url.split(['?', '#']).next().unwrap_or_default();
    let Some(root) = site.real_root() else { return plain(404, "not found") };
    let Some(found) = locate(&root, raw) else { return not_found(&root) };
    match found {
        Found::File(path) => file(200, &path).unwrap_or_else(|| not_found(&root)),
        Found::Directory => {
            let clean = raw.trim_start_matches(['/', '\\']);
            with(plain(301, "moved"), header("Location", &format!("/{clean}/")))
        }
    }
}

/// What is served, and what it may not lead out of.
struct Site {
    worktree: PathBuf,
    root: PathBuf,
}

impl Site {
    /// The served directory by its real path; none where a commit made it a link that leads out of the worktree.
    fn real_root(&self) -> Option<PathBuf> {
        let (worktree, root) = (fs::canonicalize(&self.worktree).ok()?, fs::canonicalize(&self.root).ok()?);
        root.starts_with(worktree).then_some(root)
    }
}

enum Found {
    File(PathBuf),
    /// It is there under its name with a slash behind.
    Directory,
}

/// The file that an address names: never outside the root, links resolved, and never a hidden one.
fn locate(root: &Path, raw: &str) -> Option<Found> {
    let mut path = root.to_owned();
    for part in raw.split('/').filter(|it| !it.is_empty()) {
        let part = decoded(part)?;
        let is_hidden = part.starts_with(b".") && part != b".well-known";
        if is_hidden || part.contains(&b'/') || part.contains(&0) {
            return None;
        }
        path.push(OsStr::from_bytes(&part));
    }
    if path.is_dir() {
        if !raw.ends_with('/') {
            return Some(Found::Directory);
        }
        return within(root, &path.join("index.html")).map(Found::File);
    }
    within(root, &path)
        .or_else(|| {
            let mut name = path.file_name()?.to_owned();
            name.push(".html");
            within(root, &path.with_file_name(name))
        })
        .map(Found::File)
}

/// The file itself, if it is a plain one inside the root and no part of its real path is hidden.
fn within(root: &Path, path: &Path) -> Option<PathBuf> {
    let real = fs::canonicalize(path).ok()?;
    let inside = real.strip_prefix(root).ok()?;
    let is_hidden = |part: &OsStr| part.as_bytes().starts_with(b".") && part != ".well-known";
    let seen = real.is_file() && !inside.iter().any(is_hidden);
    seen.then_some(real)
}

fn decoded(part: &str) -> Option<Vec<u8>> {
    let mut bytes = part.bytes();
    let mut text = Vec::with_capacity(part.len());
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            text.push(byte);
            continue;
        }
        let digits = [bytes.next()?, bytes.next()?];
        text.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
    }
    Some(text)
}

fn file(status: u16, path: &Path) -> Option<ResponseBox> {
    let response = Response::from_file(File::open(path).ok()?).with_status_code(StatusCode(status));
    Some(with(response.boxed(), header("Content-Type", content_type(path))))
}

fn not_found(root: &Path) -> ResponseBox {
    let own = within(root, &root.join("404.html"));
    own.and_then(|own| file(404, &own)).unwrap_or_else(|| plain(404, "not found"))
}

fn plain(status: u16, text: &str) -> ResponseBox {
    let body = format!("{text}\n").into_bytes();
    let length = body.len();
    let headers = header("Content-Type", "text/plain; charset=utf-8").into_iter().collect();
    Response::new(StatusCode(status), headers, Cursor::new(body), Some(length), None).boxed()
}

fn with(response: ResponseBox, header: Option<Header>) -> ResponseBox {
    match header {
        Some(header) => response.with_header(header),
        None => response,
    }
}

/// `None` for a value that cannot be a header, such as one with a control character.
fn header(name: &str, value: &str) -> Option<Header> {
    Header::from_bytes(name.as_bytes(), value.as_bytes()).ok()
}

fn content_type(path: &Path) -> &'static str {
    match path.extension().and_then(OsStr::to_str).map(str::to_ascii_lowercase).as_deref() {
        Some("html" | "htm") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("json" | "map" | "webmanifest") => "application/json; charset=utf-8",
        Some("xml" | "rss" | "atom") => "application/xml; charset=utf-8",
        Some("txt" | "md") => "text/plain; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("jpg" | "jpeg") => "image/jpeg",
        Some("gif") => "image/gif",
        Some("webp") => "image/webp",
        Some("avif") => "image/avif",
        Some("ico") => "image/x-icon",
        Some("woff") => "font/woff",
        Some("woff2") => "font/woff2",
        Some("ttf") => "font/ttf",
        Some("pdf") => "application/pdf",
        Some("wasm") => "application/wasm",
        Some("mp3") => "audio/mpeg",
        Some("mp4") => "video/mp4",
        Some("webm") => "video/webm",
        _ => "application/octet-stream",
    }
}

/// Reads the worktree's commit in a thread of its own, so that no page waits for a volume that hangs.
struct Head {
    ask: Mutex<Sender<Sender<Option<String>>>>,
    is_stuck: Arc<AtomicBool>,
}

impl Head {
    fn of(worktree: PathBuf) -> Self {
        let (ask, asked) = mpsc::channel::<Sender<Option<String>>>();
        let is_stuck = Arc::new(AtomicBool::new(false));
        let stuck = Arc::clone(&is_stuck);
        thread::spawn(move || {
            for reply in asked {
                let head =
                    || Some(git2::Repository::open(&worktree).ok()?.head().ok()?.target()?.to_string());
                let commit = head();
                stuck.store(false, Ordering::Relaxed);
                // Whoever asked may have stopped waiting.
                let _ = reply.send(commit);
            }
        });
        Self { ask: Mutex::new(ask), is_stuck }
    }

    fn read(&self) -> Option<String> {
        if self.is_stuck.load(Ordering::Relaxed) {
            return None;
        }
        let (reply, answer) = mpsc::channel();
        self.ask.lock().unwrap_or_else(PoisonError::into_inner).send(reply).ok()?;
        answer.recv_timeout(PATIENCE).unwrap_or_else(|_| {
            self.is_stuck.store(true, Ordering::Relaxed);
            None
        })
    }
}
