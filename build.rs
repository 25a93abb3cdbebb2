//! Tells the program what it was built from and with.

use std::process::Command;

fn main() {
    let first_line = |program: &str, arguments: &[&str]| {
        let output = Command::new(program).args(arguments).output().ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        text.lines().next().map(String::from).filter(|_| output.status.success())
    };
    let revision = first_line("git", &["rev-parse", "--short=12", "HEAD"]);
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".into());
    let rustc = first_line(&rustc, &["--version"]);
    println!("cargo::rustc-env=OFFHOURS_REVISION={}", revision.as_deref().unwrap_or("unknown"));
    println!("cargo::rustc-env=OFFHOURS_RUSTC={}", rustc.as_deref().unwrap_or("unknown"));
    println!("cargo::rerun-if-changed=.git/HEAD");
    println!("cargo::rerun-if-changed=.git/refs/heads");
}
