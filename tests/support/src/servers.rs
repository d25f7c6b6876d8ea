//! Servers that a test puts in the mirror's way: of files, mute ones, and ones that answer too much.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::home::Home;
use crate::processes::{self, Kept};

/// A port of 127.0.0.1 that nobody had a moment ago.
#[must_use]
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("its address").port()
}

/// Whether somebody accepts connections there.
#[must_use]
pub fn answers(address: impl Into<SocketAddr>) -> bool {
    TcpStream::connect_timeout(&address.into(), Duration::from_millis(500)).is_ok()
}

/// A server in the test's own process.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// One that accepts and never answers.
    #[must_use]
    pub fn mute() -> Self {
        Self::mute_at("127.0.0.1:0")
    }

    /// The same, at that address.
    #[must_use]
    pub fn mute_at(address: &str) -> Self {
        let mut held = Vec::new();
        Self::start(address, move |stream| held.push(stream))
    }

    /// One that answers each request with what `answer` writes for its first line.
    #[must_use]
    pub fn answering(address: &str, answer: fn(&str, &mut TcpStream)) -> Self {
        Self::start(address, move |mut stream| {
            thread::spawn(move || {
                let mut request = [0; 2048];
                let _ = stream.set_write_timeout(Some(Duration::from_secs(10)));
                let length = stream.read(&mut request).unwrap_or(0);
                let text = String::from_utf8_lossy(&request[..length]).into_owned();
                answer(text.lines().next().unwrap_or_default(), &mut stream);
                let _ = stream.flush();
            });
        })
    }

    pub(crate) fn start(address: &str, mut take: impl FnMut(TcpStream) + Send + 'static) -> Self {
        let listener = TcpListener::bind(address).expect("the address is free");
        listener.set_nonblocking(true).expect("a listener that does not block");
        let address = listener.local_addr().expect("its address");
        let over = Arc::new(AtomicBool::new(false));
        let until = Arc::clone(&over);
        let thread = thread::spawn(move || {
            while !until.load(Ordering::Relaxed) {
                match listener.accept() {
                    Ok((stream, _)) => {
                        let _ = stream.set_nonblocking(false);
                        take(stream);
                    }
                    Err(error) if error.kind() == ErrorKind::WouldBlock => {
                        thread::sleep(Duration::from_millis(5));
                    }
                    Err(_) => break,
                }
            }
        });
        Self { address, over, thread: Some(thread) }
    }

    /// Its port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.address.port()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// A file server of another maker, in a process of its own, with that directory as its own.
///
/// # Panics
/// Where it does not answer within ten seconds.
#[must_use]
pub fn python(home: &Home, directory: &Path, bind: &str, port: u16) -> Kept {
    let mut command = home.command("python3");
    command.args(["-m", "http.server", "--bind", bind, &port.to_string()]).current_dir(directory);
    command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
    // The shell's python may be a shim that needs the user's own home; this one is asked for by its path.
    command.env("PATH", "/usr/bin:/bin");
    let server = Kept::start(&mut command);
    let address: SocketAddr = match bind {
        "::1" => format!("[::1]:{port}"),
        other => format!("{other}:{port}"),
    }
    .parse()
    .expect("an address");
    assert!(
        processes::eventually(Duration::from_secs(10), || answers(address)),
        "python serves on {address}"
    );
    server
}
