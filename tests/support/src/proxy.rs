//! A bad line: a proxy before a real server, which hands on every byte until it is told to misbehave.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use crate::servers::Server;

/// How the line behaves towards whoever called; counts are of bytes since it was told so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Line {
    /// Every byte is handed on.
    Good,
    /// Every byte is handed on, so many at once, with that pause after each.
    Slow(usize, Duration),
    /// Nothing is answered for that long, and then all.
    Late(Duration),
    /// The connection is closed after so many bytes.
    Cut(usize),
    /// The connection is reset after so many bytes.
    Reset(usize),
    /// After so many bytes nothing comes any more, and the connection stays open.
    Stall(usize),
    /// The bytes after so many are other ones.
    Garbage(usize),
}

/// The proxy.
#[derive(Debug)]
pub struct Proxy {
    server: Server,
    line: Arc<Mutex<(Line, usize)>>,
}

impl Proxy {
    /// One before the server on that port of 127.0.0.1.
    #[must_use]
    pub fn before(port: u16) -> Self {
        let line = Arc::new(Mutex::new((Line::Good, 0)));
        let shared = Arc::clone(&line);
        let server = Server::start("127.0.0.1:0", move |caller| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || join(&caller, port, &shared));
        });
        Self { server, line }
    }

    /// How it behaves from now on.
    pub fn becomes(&self, line: Line) {
        *self.line.lock().unwrap_or_else(PoisonError::into_inner) = (line, 0);
    }

    /// Its port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.server.port()
    }
}

fn join(caller: &TcpStream, port: u16, line: &Mutex<(Line, usize)>) {
    let Ok(server) = TcpStream::connect(("127.0.0.1", port)) else { return };
    let (Ok(mut from), Ok(mut to)) = (caller.try_clone(), server.try_clone()) else { return };
    let asking = thread::spawn(move || {
        let _ = std::io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Write);
    });
    answer(caller, &server, line);
    let _ = caller.shutdown(Shutdown::Both);
    let _ = server.shutdown(Shutdown::Both);
    let _ = asking.join();
}

fn answer(mut caller: &TcpStream, mut server: &TcpStream, line: &Mutex<(Line, usize)>) {
    let mut buffer = [0; 4096];
    loop {
        let Ok(count @ 1..) = server.read(&mut buffer) else { return };
        let (behaves, before) = {
            let mut line = line.lock().unwrap_or_else(PoisonError::into_inner);
            let now = *line;
            line.1 += count;
            now
        };
        // So many of these bytes are still handed on as they are.
        let good = |limit: usize| limit.saturating_sub(before).min(count);
        let handed = match behaves {
            Line::Good => caller.write_all(&buffer[..count]).is_ok(),
            Line::Slow(size, pause) => buffer[..count].chunks(size).all(|chunk| {
                thread::sleep(pause);
                caller.write_all(chunk).is_ok()
            }),
            Line::Late(pause) => {
                if before == 0 {
                    thread::sleep(pause);
                }
                caller.write_all(&buffer[..count]).is_ok()
            }
            Line::Cut(limit) => caller.write_all(&buffer[..good(limit)]).is_ok() && good(limit) == count,
            Line::Reset(limit) => {
                let sent = caller.write_all(&buffer[..good(limit)]).is_ok();
                if good(limit) < count {
                    // What is closed with no time to linger is reset; a shutdown would be polite.
                    let _ = rustix::net::sockopt::set_socket_linger(caller, Some(Duration::ZERO));
                    let _ = rustix::net::connect_unspec(caller);
                    return;
                }
                sent
            }
            Line::Stall(limit) => {
                let sent = caller.write_all(&buffer[..good(limit)]).is_ok();
                if good(limit) < count {
                    // Until whoever called hangs up.
                    while matches!(caller.peek(&mut [0]), Ok(1..)) {
                        thread::sleep(Duration::from_millis(20));
                    }
                    return;
                }
                sent
            }
            Line::Garbage(limit) => {
                let from = good(limit);
                buffer[from..count].iter_mut().for_each(|byte| *byte ^= 0x5a);
                caller.write_all(&buffer[..count]).is_ok()
            }
        };
        if !handed {
            return;
        }
    }
}
