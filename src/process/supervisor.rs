//! What a service manager is told (sd_notify(3)): that the program has begun, that it is alive, that it stops.

use std::ffi::OsString;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

/// Whoever started the program and wants to hear from it.
#[derive(Debug)]
pub struct Supervisor {
    socket: Option<(UnixDatagram, SocketAddr)>,
    /// Without a word for so long it ends the program.
    patience: Option<Duration>,
}

impl Supervisor {
    /// The one that the environment names, if any.
    ///
    /// # Errors
    /// It cannot be reached.
    pub fn of_environment() -> std::io::Result<Supervisor> {
        let asked = std::env::var("WATCHDOG_USEC").ok();
        // Meant for another process if it names one.
        let pid = std::env::var("WATCHDOG_PID").ok();
        let is_ours = pid.is_none_or(|pid| pid == std::process::id().to_string());
        Supervisor::new(std::env::var_os("NOTIFY_SOCKET"), asked.filter(|_| is_ours).as_deref())
    }

    fn new(socket: Option<OsString>, watchdog_usec: Option<&str>) -> std::io::Result<Supervisor> {
        let micros = watchdog_usec.and_then(|text| text.parse().ok()).filter(|n| 0 < *n);
        let Some(name) = socket.filter(|name| !name.is_empty()) else {
            return Ok(Supervisor { socket: None, patience: None });
        };
        let address = match name.as_bytes() {
            [b'@', name @ ..] => SocketAddr::from_abstract_name(name)?,
            name => SocketAddr::from_pathname(std::ffi::OsStr::from_bytes(name))?,
        };
        let socket = UnixDatagram::unbound()?;
        // It must hold up nobody.
        socket.set_nonblocking(true)?;
        Ok(Supervisor {
            socket: Some((socket, address)),
            patience: micros.map(Duration::from_micros),
        })
    }

    /// How often it is to hear that the program is alive; `None`: it does not ask.
    pub fn interval(&self) -> Option<Duration> {
        self.patience.map(|patience| patience / 3)
    }

    /// Says something, such as `READY=1`. That nobody listens changes nothing.
    pub fn tell(&self, state: &str) {
        if let Some((socket, address)) = &self.socket
            && let Err(error) = socket.send_to_addr(state.as_bytes(), address)
        {
            tracing::debug!(%error, state, "the service manager cannot be told");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_manager_hears_what_is_told() {
        let home = tempfile::tempdir().expect("a folder");
        let path = home.path().join("notify");
        let manager = UnixDatagram::bind(&path).expect("a socket");
        let supervisor = Supervisor::new(Some(path.into()), Some("60000000")).expect("a manager");
        assert_eq!(supervisor.interval(), Some(Duration::from_secs(20)));
        supervisor.tell("WATCHDOG=1");
        let mut buffer = [0; 64];
        let n = manager.recv(&mut buffer).expect("a word");
        assert_eq!(&buffer[..n], b"WATCHDOG=1");
    }

    #[test]
    fn without_a_service_manager_nothing_is_told() {
        for (socket, watchdog) in [(None, Some("60000000")), (Some("".into()), None)] {
            let supervisor = Supervisor::new(socket, watchdog).expect("nobody");
            assert_eq!(supervisor.interval(), None);
            supervisor.tell("READY=1");
        }
    }
}
