//! Programs of others that tests start and stop by pid, on free ports of the loopback interface, and a receiver
//! for what Alertmanager sends.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::DEADLINE;

/// Where a program of others is. Without it a test is skipped, and says so; with CI=true it fails.
pub fn program_of_others(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|dir| dir.join(name)).find(|path| path.is_file());
    if found.is_none() {
        let is_ci = std::env::var("CI").is_ok_and(|ci| ci == "true");
        assert!(!is_ci, "{name} is not installed, and nothing may be skipped with CI=true");
        eprintln!("SKIPPED: {name} is not installed");
    }
    found
}

/// A running program of others; killed when the value goes away.
pub struct Daemon {
    child: Child,
    lines: Receiver<String>,
    what: String,
}

impl Daemon {
    pub fn start(program: &Path, arguments: &[String]) -> Daemon {
        let mut child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let log = BufReader::new(child.stderr.take().expect("a pipe"));
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in log.lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        Daemon { child, lines, what: program.display().to_string() }
    }

    /// The next line of its log that contains this.
    pub fn line(&self, wanted: &str) -> String {
        let deadline = Instant::now() + DEADLINE;
        let mut seen = Vec::new();
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(line) if line.contains(wanted) => return line,
                Ok(line) => seen.push(line),
                Err(_) => panic!("{}: no line with {wanted:?} in {seen:#?}", self.what),
            }
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The real Alertmanager, which sends everything to one webhook.
pub struct Alertmanager {
    program: PathBuf,
    home: tempfile::TempDir,
    daemon: Option<Daemon>,
    address: SocketAddr,
}

impl Alertmanager {
    /// `None`: it is not installed. Groups wait for nothing and are looked at each `group_interval`.
    pub fn start(webhook: &Webhook, group_interval: &str) -> Option<Alertmanager> {
        Alertmanager::start_with(&format!(
            "route:\n  receiver: hook\n  group_by: [alertname, partner, affected_service, procedure]\n  group_wait: 0s\n  group_interval: {group_interval}\n  repeat_interval: 1h\nreceivers:\n  - name: hook\n    webhook_configs:\n      - url: http://{}/\n        send_resolved: true\n",
            webhook.address
        ))
    }

    /// The same with the example of the repository: its routes, inhibitions and receivers, but it waits for nothing.
    pub fn start_example(webhook: &Webhook) -> Option<Alertmanager> {
        let path = super::root().join("alerts/alertmanager.example.yaml");
        let mut config = std::fs::read_to_string(path).expect("an example");
        let waits = ["group_wait: 30s", "group_interval: 5m", "group_interval: 1m"];
        for wait in waits {
            let (what, _) = wait.split_once(' ').expect("a key");
            assert!(config.contains(wait), "{wait}");
            let now = if what == "group_wait:" { "0s" } else { "1s" };
            config = config.replace(wait, &format!("{what} {now}"));
        }
        Alertmanager::start_with(&config.replace("127.0.0.1:9099", &webhook.address.to_string()))
    }

    fn start_with(config: &str) -> Option<Alertmanager> {
        let program = program_of_others("prometheus-alertmanager")?;
        let home = super::folder();
        std::fs::write(home.path().join("alertmanager.yml"), config).expect("a file");
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut started = Alertmanager { program, home, daemon: None, address };
        started.start_again();
        Some(started)
    }

    /// Starts it, after a stop at the address that it had.
    pub fn start_again(&mut self) {
        let of_home = |name: &str| self.home.path().join(name).display().to_string();
        let arguments = [
            format!("--config.file={}", of_home("alertmanager.yml")),
            format!("--storage.path={}", of_home("data")),
            format!("--web.listen-address={}", self.address),
            "--cluster.listen-address=".to_owned(),
            "--web.external-url=http://localhost/".to_owned(),
            "--web.route-prefix=/".to_owned(),
        ];
        let daemon = Daemon::start(&self.program, &arguments);
        let line = daemon.line("Listening on");
        let (_, address) = line.split_once("address=").expect("an address in the line");
        self.address = address.split_whitespace().next().expect("it").parse().expect("an address");
        self.daemon = Some(daemon);
    }

    /// Asks it to end, and waits until it has: it writes down what it has sent.
    pub fn stop(&mut self) {
        let Some(mut daemon) = self.daemon.take() else { return };
        let pid = rustix::process::Pid::from_child(&daemon.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("a signal");
        super::eventually("it ends", || daemon.child.try_wait().expect("a child").is_some());
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The alerts that it holds.
    pub fn alerts(&self) -> Vec<Value> {
        let (status, body) = super::ask(self.address, "GET", "/api/v2/alerts");
        assert_eq!(status, 200, "{body}");
        serde_json::from_str(&body).expect("a list")
    }

    /// Posts alerts, as Prometheus would.
    pub fn post(&self, alerts: &Value) {
        let body = alerts.to_string();
        let mut stream = TcpStream::connect(self.address).expect("a connection");
        stream.set_read_timeout(Some(DEADLINE)).expect("a deadline");
        let length = body.len();
        write!(stream, "POST /api/v2/alerts HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}")
            .expect("a request");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
}

/// The real Prometheus with the rules of the repository.
pub struct Prometheus {
    _daemon: Daemon,
    address: SocketAddr,
    _home: tempfile::TempDir,
}

impl Prometheus {
    /// Only scrapes, each second. `None`: it is not installed.
    pub fn witness(scraped: SocketAddr) -> Option<Prometheus> {
        let config = format!(
            "global: {{ scrape_interval: 1s, scrape_timeout: 1s }}\nscrape_configs:\n  - job_name: offhours\n    static_configs: [{{ targets: [\"{scraped}\"] }}]\n"
        );
        Prometheus::with(&config)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `None`: it is not installed. `intervals`: of scraping and of evaluation, as Prometheus writes them.
    pub fn start(
        scraped: SocketAddr,
        alertmanager: &Alertmanager,
        intervals: [&str; 2],
    ) -> Option<Prometheus> {
        let [scrape, evaluation] = intervals;
        let rules = super::root().join("alerts/*.rules.yaml");
        let config = format!(
            "global: {{ scrape_interval: {scrape}, scrape_timeout: {scrape}, evaluation_interval: {evaluation} }}\nrule_files: [\"{}\"]\nscrape_configs:\n  - job_name: offhours\n    static_configs: [{{ targets: [\"{scraped}\"] }}]\nalerting:\n  alertmanagers:\n    - static_configs: [{{ targets: [\"{}\"] }}]\n",
            rules.display(),
            alertmanager.address(),
        );
        Prometheus::with(&config)
    }

    fn with(config: &str) -> Option<Prometheus> {
        let program = program_of_others("prometheus")?;
        let home = super::folder();
        std::fs::write(home.path().join("prometheus.yml"), config).expect("a file");
        let of_home = |name: &str| home.path().join(name).display().to_string();
        let arguments = [
            format!("--config.file={}", of_home("prometheus.yml")),
            format!("--storage.tsdb.path={}", of_home("data")),
            "--web.listen-address=127.0.0.1:0".to_owned(),
            // What it sends before it has found Alertmanager is lost: it says it again soon.
            "--rules.alert.resend-delay=1s".to_owned(),
        ];
        let daemon = Daemon::start(&program, &arguments);
        let line = daemon.line("Listening on");
        let (_, address) = line.split_once("address=").expect("an address in the line");
        let address = address.split_whitespace().next().expect("it").parse().expect("an address");
        daemon.line("Server is ready to receive web requests");
        Some(Prometheus { _daemon: daemon, address, _home: home })
    }
}

/// Receives what Alertmanager sends, one group at a time.
pub struct Webhook {
    pub address: SocketAddr,
    received: Receiver<(Instant, Value)>,
}

impl Webhook {
    pub fn start() -> Webhook {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let (sender, received) = channel();
        // It ends with the test's process.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let sender = sender.clone();
                std::thread::spawn(move || {
                    let mut reader = BufReader::new(stream);
                    while let Some(body) = request(&mut reader) {
                        let at = Instant::now();
                        let _ = reader
                            .get_mut()
                            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
                        if sender.send((at, body)).is_err() {
                            return;
                        }
                    }
                });
            }
        });
        Webhook { address, received }
    }

    /// The next group that is sent, and when it came.
    pub fn next(&self) -> (Instant, Value) {
        self.received.recv_timeout(DEADLINE).expect("something is sent")
    }

    /// What is sent while this time passes: to hold that nothing else comes, a time has to pass.
    pub fn during(&self, time: Duration) -> Vec<Value> {
        self.timed(time).into_iter().map(|(_, value)| value).collect()
    }

    /// The same, each with the moment at which it came.
    pub fn timed(&self, time: Duration) -> Vec<(Instant, Value)> {
        let until = Instant::now() + time;
        let mut all = Vec::new();
        loop {
            match self.received.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(one) => all.push(one),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return all,
            }
        }
    }
}

/// One request's body; `None` at the end of the connection.
fn request(reader: &mut BufReader<TcpStream>) -> Option<Value> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if line.trim().is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    serde_json::from_slice(&body).ok()
}
