//! A server of files that can be made to fail.

use crate::question;
use std::io::Write as _;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread;

pub(crate) struct Site {
    address: SocketAddr,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Default)]
struct Seen {
    /// Paths that were served.
    paths: Vec<String>,
    /// How many more are.
    left: Option<usize>,
}

impl Site {
    pub(crate) fn serve(folder: &Path) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::<Mutex<Seen>>::default();
        let (folder, shared) = (folder.to_path_buf(), seen.clone());
        // Ends with the process of the test.
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let _ = answer(&stream, &folder, &shared);
            }
        });
        Self { address, seen }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Serves so many more files, then none.
    pub(crate) fn end_after(&self, files: Option<usize>) {
        self.seen.lock().unwrap().left = files;
    }

    /// What was served since the last time.
    pub(crate) fn served(&self) -> Vec<String> {
        std::mem::take(&mut self.seen.lock().unwrap().paths)
    }
}

fn answer(mut stream: &TcpStream, folder: &Path, seen: &Mutex<Seen>) -> std::io::Result<()> {
    let path = question::path(stream)?[1..].to_owned();
    let mut seen = seen.lock().unwrap();
    if let Some(left) = &mut seen.left {
        if *left == 0 {
            return write!(
                stream,
                "HTTP/1.1 503 X\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
            );
        }
        *left -= 1;
    }
    let file: PathBuf = folder.join(&path);
    let Ok(bytes) = std::fs::read(file) else {
        return write!(stream, "HTTP/1.1 404 X\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
    };
    seen.paths.push(path);
    let length = bytes.len();
    write!(stream, "HTTP/1.1 200 X\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n")?;
    stream.write_all(&bytes)
}
