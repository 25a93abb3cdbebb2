//! Arguments in, exit code out.

/// A third of a catch-up went into the allocator of the C library.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    offhours::cli::run()
}
