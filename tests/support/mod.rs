//! The program as a child process, its answers over HTTP, and temporary folders.

pub mod outside;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// Longer than anything takes: only a failure waits for it.
const DEADLINE: Duration = Duration::from_secs(30);

/// The root of the repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The program, not yet started, without the caller's colours and filters.
pub fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_offhours"));
    command.env_remove("RUST_LOG").env("NO_COLOR", "1").stdin(Stdio::null());
    command
}

/// Runs the program in the repository's root to its end.
pub fn offhours(arguments: &[&str]) -> Output {
    program().current_dir(root()).args(arguments).output().expect("the program starts")
}

/// Text of an output stream.
pub fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8 output")
}

/// An empty folder that goes away with the value.
pub fn folder() -> tempfile::TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a temporary folder")
}

/// All files below a folder, sorted; target folders and hidden ones are left out.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        if path.is_dir() {
            if name != "target" && !name.starts_with('.') {
                found.extend(files(&path));
            }
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// A running `offhours serve`; killed when the value goes away.
pub struct Server {
    child: Child,
    lines: Receiver<String>,
    address: SocketAddr,
    storage: PathBuf,
    _folder: Option<tempfile::TempDir>,
}

impl Server {
    /// Starts with a ledger of its own, on a free port of the loopback interface, and waits until it is ready.
    pub fn start(config: &Path) -> Server {
        let storage = folder();
        let mut server = Server::start_in(config, storage.path());
        server._folder = Some(storage);
        server
    }

    /// The same with the ledger in this folder.
    pub fn start_in(config: &Path, storage: &Path) -> Server {
        Server::launch(config, storage).wait_until_ready()
    }

    fn wait_until_ready(mut self) -> Server {
        let line = self.line("listening");
        let (_, address) = line.split_once("address=").expect("an address in the line");
        let address = address.split_whitespace().next().expect("an address");
        self.address = address.parse().expect("an address");
        eventually("it is ready", || self.get("/-/ready").0 == 200);
        self
    }

    /// The same, of a command that becomes the program once it has arranged what it is to run in.
    pub fn start_by(command: Command, config: &Path, storage: &Path) -> Server {
        Server::spawn(command, config, storage).wait_until_ready()
    }

    /// The same with more options.
    pub fn start_with(options: &[&str], config: &Path, storage: &Path) -> Server {
        Server::spawn_at(anywhere(), (program(), options), config, storage).wait_until_ready()
    }

    /// Starts and waits for nothing.
    pub fn launch(config: &Path, storage: &Path) -> Server {
        Server::spawn(program(), config, storage)
    }

    /// The same at an address that another one had.
    pub fn start_at(address: SocketAddr, config: &Path, storage: &Path) -> Server {
        Server::spawn_at(address, (program(), &[]), config, storage).wait_until_ready()
    }

    fn spawn(command: Command, config: &Path, storage: &Path) -> Server {
        Server::spawn_at(anywhere(), (command, &[]), config, storage)
    }

    fn spawn_at(
        address: SocketAddr,
        (mut command, options): (Command, &[&str]),
        config: &Path,
        storage: &Path,
    ) -> Server {
        let mut child = command
            .args(["serve", "--web.listen-address", &address.to_string(), "--config.file"])
            .arg(config)
            .arg("--storage.path")
            .arg(storage)
            .args(options)
            .stderr(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let log = child.stderr.take().expect("a pipe");
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            let mut lines = BufReader::new(log).lines().map_while(Result::ok);
            while lines.next().is_some_and(|line| sender.send(line).is_ok()) {}
        });
        Server { child, lines, address, storage: storage.into(), _folder: None }
    }

    /// The same with a standard error that is full and that nobody reads: the other end of it comes along.
    pub fn start_unheard(config: &Path, storage: &Path) -> (std::io::PipeReader, Server) {
        let (unread, full) = std::io::pipe().expect("a pipe");
        let mut filling = full.try_clone().expect("the pipe");
        // Ends when nobody holds the other end any more.
        std::thread::spawn(move || while filling.write_all(b"unread\n").is_ok() {});
        let free = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let address = free.local_addr().expect("an address");
        drop(free);
        let mut command = program();
        command.args(["serve", "--web.listen-address", &address.to_string(), "--config.file"]);
        command.arg(config).arg("--storage.path").arg(storage).stderr(full);
        let child = command.spawn().expect("the server starts");
        let lines = channel().1;
        let server = Server { child, lines, address, storage: storage.into(), _folder: None };
        eventually("it is ready", || {
            TcpStream::connect(address).is_ok() && server.get("/-/ready").0 == 200
        });
        (unread, server)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The folder of its ledger.
    pub fn storage(&self) -> &Path {
        &self.storage
    }

    /// Ends it without a word: SIGKILL.
    pub fn kill(&mut self) {
        self.child.kill().expect("a signal");
        self.child.wait().expect("an end");
    }

    pub fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Nobody reads its log any more: after the next line the pipe is closed.
    pub fn ignore_log(&mut self) {
        self.lines = channel().1;
    }

    /// The next log line that contains this.
    pub fn line(&self, wanted: &str) -> String {
        self.lines_until(wanted).pop().unwrap_or_default()
    }

    /// The next log lines up to one that contains this.
    pub fn lines_until(&self, wanted: &str) -> Vec<String> {
        let deadline = Instant::now() + DEADLINE;
        let mut seen = Vec::new();
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(line) => {
                    let is_it = line.contains(wanted);
                    seen.push(line);
                    if is_it {
                        return seen;
                    }
                }
                Err(_) => panic!("no line with {wanted:?} in {seen:#?}"),
            }
        }
    }

    /// Status and body of a GET.
    pub fn get(&self, path: &str) -> (u16, String) {
        self.ask("GET", path)
    }

    /// The status line and the fields of the answer to a HEAD.
    pub fn head(&self, path: &str) -> String {
        exchange(self.address, "localhost", "HEAD", path)
            .split("\r\n\r\n")
            .next()
            .unwrap_or_default()
            .to_owned()
    }

    /// The status of a request with this name in the place of ours.
    pub fn ask_as(&self, host: &str, method: &str, path: &str) -> u16 {
        status_of(&exchange(self.address, host, method, path))
    }

    /// Status and body of a POST without a body.
    pub fn post(&self, path: &str) -> (u16, String) {
        self.ask("POST", path)
    }

    fn ask(&self, method: &str, path: &str) -> (u16, String) {
        ask(self.address, method, path)
    }

    /// Waits until it has ended by itself.
    pub fn wait(&mut self) -> ExitStatus {
        let mut status = None;
        eventually("it ends", || {
            status = self.child.try_wait().expect("a child");
            status.is_some()
        });
        status.expect("it has ended")
    }

    /// Asks it to end, and waits until it has.
    pub fn stop(mut self) -> ExitStatus {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, Signal::TERM).expect("a signal");
        let mut status = None;
        eventually("it ends", || {
            status = self.child.try_wait().expect("a child");
            status.is_some()
        });
        status.expect("it has ended")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Status and body of a request without a body.
pub fn ask(address: SocketAddr, method: &str, path: &str) -> (u16, String) {
    let answer = exchange(address, "localhost", method, path);
    let (_, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
    (status_of(&answer), body.to_owned())
}

fn status_of(answer: &str) -> u16 {
    answer.split(' ').nth(1).expect("a status").parse().expect("a number")
}

/// A free port of the loopback interface.
fn anywhere() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

/// The whole answer to a request without a body.
fn exchange(address: SocketAddr, host: &str, method: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("a connection");
    stream.set_read_timeout(Some(DEADLINE)).expect("a deadline");
    write!(stream, "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")
        .expect("a request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    answer
}

/// Polls a condition until it holds.
pub fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + DEADLINE;
    while !holds() {
        assert!(Instant::now() < deadline, "in vain: {what}");
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

/// Lets others have the machine for a moment: paces a writer, decides nothing.
pub fn breathe() {
    std::thread::park_timeout(Duration::from_millis(1));
}
