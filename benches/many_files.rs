//! What thousands of files cost of which most are idle: `cargo bench --bench many_files`.
//!
//! The running program is looked at from outside: its processor time while nothing happens, its memory, its
//! descriptors, and how long a line in any of the files takes to `/metrics`. It judges nothing.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const QUIET: Duration = Duration::from_secs(20);
const TRIES: usize = 40;

const CONFIG: &str = "\
partners: { p: { timezone: UTC, windows: \"Mo-Su 22:00-05:00\", procedures: { x: {} } } }
sources: [ { name: s, partner: p, files: [\"logs/*.log\"], format: logfmt } ]
";

fn main() -> std::io::Result<()> {
    println!(
        "aim: idle under 1 % of a core, under 64 MiB; a line within 1000 ms of 10,000 files, 300 ms of 1,000"
    );
    for files in [1_000, 10_000] {
        for arguments in [&[][..], &["--tail.poll-only"]] {
            measure(files, arguments)?;
        }
    }
    Ok(())
}

fn measure(files: usize, arguments: &[&str]) -> std::io::Result<()> {
    let home = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    fs::write(home.path().join("offhours.yml"), CONFIG)?;
    fs::create_dir(home.path().join("logs"))?;
    let log = |n: usize| home.path().join("logs").join(format!("{n}.log"));
    let noise = "time=2026-01-01T00:00:00Z text=\"nothing to be seen\"\n";
    for n in 0..files {
        fs::write(log(n), noise)?;
    }
    let (mut server, address) = start(home.path(), arguments)?;
    while get(&address, "/-/ready")?.0 != 200 {
        std::thread::park_timeout(Duration::from_millis(5));
    }
    std::thread::park_timeout(QUIET / 2);
    let before = ticks(&server)?;
    std::thread::park_timeout(QUIET);
    let used = (ticks(&server)? - before) as f64 / rustix::param::clock_ticks_per_second() as f64;
    let mut took = Vec::new();
    for n in 0..TRIES {
        std::thread::park_timeout(Duration::from_millis((n as u64 * 97) % 700));
        let now = offhours::time::rfc3339(offhours::clock::now());
        let mut file = File::options().append(true).open(log(n * 7_919 % files))?;
        let begun = Instant::now();
        writeln!(file, "time={now} event=started procedure=x run_id=R-{n}")?;
        while starts(&get(&address, "/metrics")?.1) != n as u64 + 1 {
            std::thread::park_timeout(Duration::from_millis(1));
        }
        took.push(begun.elapsed().as_secs_f64() * 1e3);
    }
    took.sort_by(f64::total_cmp);
    let (median, worst) = (took.get(TRIES / 2), took.last());
    let descriptors = fs::read_dir(format!("/proc/{}/fd", server.id()))?.count();
    println!(
        "{files} files {arguments:?}: idle {:.2} % of a core, {} MiB, {descriptors} descriptors; a line after {:.0} ms \
         (median), {:.0} ms (worst)",
        used / QUIET.as_secs_f64() * 100.0,
        resident_kib(&server)? >> 10,
        median.copied().unwrap_or_default(),
        worst.copied().unwrap_or_default(),
    );
    server.kill()?;
    server.wait()?;
    Ok(())
}

/// Processor time, in clock ticks (proc(5)).
fn ticks(server: &Child) -> std::io::Result<u64> {
    let stat = fs::read_to_string(format!("/proc/{}/stat", server.id()))?;
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    Ok(fields.skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum())
}

fn resident_kib(server: &Child) -> std::io::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{}/status", server.id()))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    Ok(number.unwrap_or_default())
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
