//! Arguments in, exit code out.

fn main() -> std::process::ExitCode {
    offhours::cli::run()
}
