use nmsg_os::{Interest, Latch, PollSet};
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::board::MetricsBoard;
use super::exposition::{self, Surroundings};
use super::request::{self, Page, Refusal, Request};
use crate::rotate::time_since_1970;

/// Clients that are served at the same time; a further one takes the place of the oldest.
const MOST_CLIENTS: usize = 16;
/// How long a client may take to ask, and again to take the answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long what a client still sends is read after it was answered, and how much of it.
const FAREWELL: Duration = Duration::from_secs(1);
const MOST_IGNORED: usize = 64 << 10;
/// How long to wait for fresh figures from an engine that is busy with one batch.
const FRESH: Duration = Duration::from_millis(50);
/// How long no client is taken after the system had no room for one.
const RECOVERY: Duration = Duration::from_millis(200);

/// The address of a [`MetricsServer`] that does not answer yet.
#[derive(Debug)]
pub struct MetricsSocket(TcpListener);

impl MetricsSocket {
    /// Takes the address; port 0 stands for any that is free.
    ///
    /// # Errors
    ///
    /// Those of bind(2) and listen(2).
    pub fn bind(address: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        Ok(Self(listener))
    }

    /// The address, with the port that was chosen.
    ///
    /// # Errors
    ///
    /// Those of getsockname(2).
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }

    /// Starts to answer; `version` is that of the program.
    ///
    /// # Errors
    ///
    /// When the system has no descriptor or thread left.
    pub fn serve(self, version: &str) -> io::Result<MetricsServer> {
        let board = Arc::<MetricsBoard>::default();
        let stop = Arc::new(Latch::new()?);
        let around = Surroundings { version: version.to_owned(), started: time_since_1970() };
        let mut service = Service {
            listener: self.0,
            board: Arc::clone(&board),
            stop: Arc::clone(&stop),
            around,
            clients: Vec::new(),
            closed_until: None,
        };
        let thread =
            std::thread::Builder::new().name("metrics".to_owned()).spawn(move || service.run())?;
        Ok(MetricsServer { board, stop, thread: Some(thread) })
    }
}

/// Answers HTTP requests with what is on a [`MetricsBoard`], until it is dropped.
#[derive(Debug)]
pub struct MetricsServer {
    board: Arc<MetricsBoard>,
    stop: Arc<Latch>,
    thread: Option<JoinHandle<()>>,
}

impl MetricsServer {
    /// Where the engine leaves its figures.
    #[must_use]
    pub fn board(&self) -> &MetricsBoard {
        &self.board
    }
}

impl Drop for MetricsServer {
    fn drop(&mut self) {
        self.stop.raise();
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has said so.
            let _ = thread.join();
        }
    }
}

struct Service {
    listener: TcpListener,
    board: Arc<MetricsBoard>,
    stop: Arc<Latch>,
    around: Surroundings,
    /// Oldest first.
    clients: Vec<Client>,
    /// Until when no client is taken.
    closed_until: Option<Instant>,
}

struct Client {
    stream: TcpStream,
    step: Step,
    deadline: Instant,
}

enum Step {
    /// What was read of the request.
    Asking(Vec<u8>),
    /// The answer, and how much of it was sent.
    Answering(Vec<u8>, usize),
    /// Octets that were read behind the request. A connection with unread octets would be reset, and the
    /// answer with it.
    Leaving(usize),
}

impl Service {
    fn run(&mut self) {
        let mut polled = PollSet::new();
        while !self.stop.is_raised() {
            let now = Instant::now();
            self.closed_until = self.closed_until.filter(|until| *until > now);
            polled.clear();
            polled.add(self.stop.as_fd(), READ);
            if self.closed_until.is_none() {
                polled.add(self.listener.as_fd(), READ);
            }
            let first = if self.closed_until.is_none() { 2 } else { 1 };
            for client in &self.clients {
                polled.add(client.stream.as_fd(), client.interest());
            }
            let deadlines = self.clients.iter().map(|client| client.deadline);
            let until = deadlines.chain(self.closed_until).min();
            if polled.wait(until).is_err() {
                // Without a way to wait there is no way to serve.
                return;
            }
            let Self { board, around, clients, .. } = self;
            let mut at = first;
            clients.retain_mut(|client| {
                let Interest { readable, writable } = polled.readiness(at);
                at += 1;
                client.goes_on(readable || writable, |request| answer(request, board, around))
            });
            if first == 2 && polled.readiness(1).readable {
                self.welcome();
            }
        }
    }

    fn welcome(&mut self) {
        match self.listener.accept() {
            Ok((stream, _)) if stream.set_nonblocking(true).is_ok() => {
                if self.clients.len() >= MOST_CLIENTS {
                    self.clients.remove(0);
                }
                let deadline = Instant::now() + PATIENCE;
                self.clients.push(Client { stream, step: Step::Asking(Vec::new()), deadline });
            }
            Ok(_) => {}
            Err(error) => match error.kind() {
                io::ErrorKind::WouldBlock
                | io::ErrorKind::Interrupted
                | io::ErrorKind::ConnectionAborted => {}
                _ => self.closed_until = Some(Instant::now() + RECOVERY),
            },
        }
    }
}

const READ: Interest = Interest { readable: true, writable: false };
const WRITE: Interest = Interest { readable: false, writable: true };

impl Client {
    fn interest(&self) -> Interest {
        match self.step {
            Step::Asking(_) | Step::Leaving(_) => READ,
            Step::Answering(..) => WRITE,
        }
    }

    /// Takes the next steps with a client; false when it is done with.
    fn goes_on(
        &mut self,
        is_ready: bool,
        answer: impl Fn(Result<Request, Refusal>) -> Vec<u8>,
    ) -> bool {
        if Instant::now() >= self.deadline {
            match &self.step {
                Step::Asking(asked) if !asked.is_empty() => {
                    self.reply(answer(Err(Refusal::TooSlow)));
                }
                _ => return false,
            }
        } else if !is_ready {
            return true;
        }
        if let Step::Asking(asked) = &mut self.step {
            match read(&mut self.stream, asked) {
                Ok(true) => {}
                Ok(false) => return true,
                Err(_) => return false,
            }
            match request::parse(asked) {
                Some(request) => self.reply(answer(request)),
                None => return true,
            }
        }
        if let Step::Answering(octets, sent) = &mut self.step {
            match self.stream.write(&octets[*sent..]) {
                Ok(count) => *sent += count,
                Err(error) if is_passing(&error) => return true,
                Err(_) => return false,
            }
            if *sent < octets.len() {
                return true;
            }
            if self.stream.shutdown(Shutdown::Write).is_err() {
                return false;
            }
            self.deadline = Instant::now() + FAREWELL;
            self.step = Step::Leaving(0);
        }
        if let Step::Leaving(ignored) = &mut self.step {
            let mut buffer = [0; 4096];
            return match self.stream.read(&mut buffer) {
                Ok(0) => false,
                Ok(count) => {
                    *ignored += count;
                    *ignored < MOST_IGNORED
                }
                Err(error) => is_passing(&error),
            };
        }
        true
    }

    fn reply(&mut self, octets: Vec<u8>) {
        self.deadline = Instant::now() + PATIENCE;
        self.step = Step::Answering(octets, 0);
    }
}

/// Reads what there is of a request; false when there is nothing for the time being.
fn read(stream: &mut TcpStream, asked: &mut Vec<u8>) -> io::Result<bool> {
    let mut buffer = [0; 1024];
    let room = request::MOST_OCTETS.saturating_sub(asked.len()).min(buffer.len());
    match stream.read(&mut buffer[..room]) {
        Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
        Ok(count) => {
            asked.extend_from_slice(&buffer[..count]);
            Ok(true)
        }
        Err(error) if is_passing(&error) => Ok(false),
        Err(error) => Err(error),
    }
}

fn is_passing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}

fn answer(
    request: Result<Request, Refusal>,
    board: &MetricsBoard,
    around: &Surroundings,
) -> Vec<u8> {
    let head_only = request.is_ok_and(|request| request.head_only);
    let (status, kind, body) = match request.map(|request| request.page) {
        Ok(Page::Metrics) => {
            let page = exposition::text(&board.ledger(FRESH), around);
            ("200 OK", exposition::CONTENT_TYPE, page)
        }
        Ok(Page::Root) => ("200 OK", "text/plain", "The figures are at /metrics\n".to_owned()),
        Err(refusal) => (refusal.status(), "text/plain", format!("{}\n", refusal.status())),
    };
    let allow = match request {
        Err(Refusal::MethodNotAllowed) => "Allow: GET, HEAD\r\n",
        _ => "",
    };
    let len = body.len();
    let mut answer = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len}\r\n{allow}\
         Cache-Control: no-store\r\nConnection: close\r\n\r\n"
    );
    if !head_only {
        answer.push_str(&body);
    }
    answer.into_bytes()
}
