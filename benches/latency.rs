//! How long it takes from a line that is appended to a log until `/metrics` tells of it: `cargo bench --bench latency`.
//!
//! With notifications, then with `--tail.poll-only`. It measures the running program from outside and judges
//! nothing: look at the figures on a quiet machine.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const TRIES: usize = 200;

const CONFIG: &str = "\
partners: { p: { timezone: UTC, windows: \"Mo-Su 22:00-05:00\", procedures: { x: {} } } }
sources: [ { name: s, partner: p, files: [p.log], format: logfmt } ]
";

fn main() -> std::io::Result<()> {
    println!("from an appended start line to /metrics, {TRIES} tries each, milliseconds");
    measure("with notifications (aim: median 50, worst 300)", &[])?;
    measure("--tail.poll-only   (aim: worst 600)", &["--tail.poll-only"])
}

fn measure(what: &str, arguments: &[&str]) -> std::io::Result<()> {
    let home = tempfile::tempdir()?;
    std::fs::write(home.path().join("offhours.yml"), CONFIG)?;
    let mut log = File::create(home.path().join("p.log"))?;
    let (mut server, address) = start(home.path(), arguments)?;
    while get(&address, "/-/ready")?.0 != 200 {
        std::thread::park_timeout(Duration::from_millis(5));
    }
    let mut took = Vec::new();
    for n in 0..TRIES {
        // So that the tries fall on every moment between two looks.
        std::thread::park_timeout(Duration::from_millis((n as u64 * 37) % 250));
        let now = offhours::time::rfc3339(offhours::clock::now());
        let begun = Instant::now();
        writeln!(log, "time={now} event=started procedure=x run_id=R-{n}")?;
        while starts(&get(&address, "/metrics")?.1) != n as u64 + 1 {
            std::thread::park_timeout(Duration::from_micros(500));
        }
        took.push(begun.elapsed().as_secs_f64() * 1e3);
    }
    server.kill()?;
    server.wait()?;
    took.sort_by(f64::total_cmp);
    let rank = |share: usize| took.get((took.len() * share / 100).min(took.len() - 1));
    let of = |share| rank(share).copied().unwrap_or_default();
    println!("{what}: median {:.1}, p95 {:.1}, worst {:.1}", of(50), of(95), of(100));
    Ok(())
}

fn start(home: &Path, arguments: &[&str]) -> std::io::Result<(Child, String)> {
    let mut child = Command::new(env!("CARGO_BIN_EXE_offhours"))
        .args(["serve", "--web.listen-address", "127.0.0.1:0", "--storage.path", "ledger"])
        .args(arguments)
        .current_dir(home)
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()?;
    let mut lines = BufReader::new(child.stderr.take().ok_or(std::io::ErrorKind::BrokenPipe)?);
    let mut line = String::new();
    while !line.contains("address=") {
        line.clear();
        if lines.read_line(&mut line)? == 0 {
            return Err(std::io::Error::other("it did not start"));
        }
    }
    // Its log is read to the end, so that it never waits for us.
    std::thread::spawn(move || std::io::copy(&mut lines, &mut std::io::sink()));
    let address = line.split_once("address=").map(|(_, rest)| rest.trim().to_owned());
    Ok((child, address.unwrap_or_default()))
}

fn get(address: &str, path: &str) -> std::io::Result<(u16, String)> {
    let mut stream = TcpStream::connect(address)?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let status = answer.split(' ').nth(1).and_then(|code| code.parse().ok());
    Ok((status.unwrap_or_default(), answer))
}

/// Runs started, over all series.
fn starts(page: &str) -> u64 {
    let series = page.lines().filter(|line| line.starts_with("maintenance_starts_total{"));
    series.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum()
}
