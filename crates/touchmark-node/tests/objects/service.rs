//! S3 at a port of this machine, and what is in its bucket.

use super::gate::Gate;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;

/// The service; it ends when its standard input does.
pub(crate) struct Service {
    process: Child,
    port: u16,
    /// The way to it.
    pub(crate) gate: Gate,
}

const SCRIPT: &str = "../touchmark-testkit/interop/s3.py";
const BUCKET: &str = "touchmark";

/// The service looks whether somebody signed, and not what.
const SIGNED: &str = "AWS4-HMAC-SHA256 Credential=id/20260101/us-east-1/s3/aws4_request, \
                      SignedHeaders=host, Signature=none";

/// One makes the environment, the others find it.
static FIRST: Mutex<()> = Mutex::new(());

impl Service {
    /// A service with an empty bucket, if there can be one.
    pub(crate) fn start() -> Option<Self> {
        let _first = FIRST.lock().unwrap();
        let target = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join(SCRIPT);
        let mut process = Command::new("python3")
            .arg(script)
            .arg(target)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let port = lines.map_while(Result::ok).find_map(|line| line.parse().ok());
        let Some(port) = port else {
            let _ = process.wait();
            assert!(std::env::var_os("CI").is_none(), "moto cannot be installed from PyPI");
            println!("skipped: moto cannot be installed from PyPI");
            return None;
        };
        let service = Self { process, port, gate: Gate::to(port) };
        assert_eq!(ureq::put(service.at("")).send_empty().unwrap().status(), 200);
        Some(service)
    }

    fn at(&self, key: &str) -> String {
        format!("http://127.0.0.1:{}/{BUCKET}/{key}", self.port)
    }

    /// What is there, or nothing.
    pub(crate) fn object(&self, key: &str) -> Option<Vec<u8>> {
        let mut found = ureq::get(self.at(key)).header("authorization", SIGNED).call().ok()?;
        found.body_mut().read_to_vec().ok()
    }

    /// Puts something else in its place.
    pub(crate) fn replace(&self, key: &str, bytes: &[u8]) {
        let put = ureq::put(self.at(key)).header("authorization", SIGNED);
        assert_eq!(put.send(bytes).unwrap().status(), 200);
    }

    /// What a node needs to find it.
    pub(crate) fn variables(&self) -> Vec<(&'static str, String)> {
        vec![
            ("TOUCHMARK__OBJECTS__URL", format!("s3://{BUCKET}/logs")),
            ("TOUCHMARK__OBJECTS__ENDPOINT", format!("http://127.0.0.1:{}", self.gate.port())),
            ("AWS_ACCESS_KEY_ID", "an-id".into()),
            ("AWS_SECRET_ACCESS_KEY", "a-secret".into()),
            ("AWS_REGION", "us-east-1".into()),
        ]
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
