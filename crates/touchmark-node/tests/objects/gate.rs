//! A way to a service that can be cut.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// Passes on what comes to a port of its own.
pub(crate) struct Gate {
    port: u16,
    cut: Arc<AtomicBool>,
}

/// How often a connection looks whether it is cut.
const GLANCE: Duration = Duration::from_millis(20);

impl Gate {
    pub(crate) fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let own = listener.local_addr().unwrap().port();
        let cut = Arc::new(AtomicBool::new(false));
        let told = cut.clone();
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if told.load(Ordering::SeqCst) {
                    continue;
                }
                let Ok(server) = TcpStream::connect(("127.0.0.1", port)) else { continue };
                let ends = |from: &TcpStream, to: &TcpStream| {
                    (from.try_clone().unwrap(), to.try_clone().unwrap(), told.clone())
                };
                for (from, to, cut) in [ends(&client, &server), ends(&server, &client)] {
                    thread::spawn(move || pass(from, to, &cut));
                }
            }
        });
        Self { port: own, cut }
    }

    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    /// Nothing passes any more.
    pub(crate) fn cut(&self) {
        self.cut.store(true, Ordering::SeqCst);
        // What is connected is cut as well.
        thread::sleep(GLANCE * 3);
    }

    pub(crate) fn open(&self) {
        self.cut.store(false, Ordering::SeqCst);
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream, cut: &AtomicBool) {
    from.set_read_timeout(Some(GLANCE)).unwrap();
    let mut bytes = vec![0; 1 << 16];
    while !cut.load(Ordering::SeqCst) {
        let goes_on = match from.read(&mut bytes) {
            Ok(length) => length > 0 && to.write_all(&bytes[..length]).is_ok(),
            Err(error) => error.kind() == std::io::ErrorKind::WouldBlock,
        };
        if !goes_on {
            break;
        }
    }
    let _ = to.shutdown(std::net::Shutdown::Both);
    let _ = from.shutdown(std::net::Shutdown::Both);
}
