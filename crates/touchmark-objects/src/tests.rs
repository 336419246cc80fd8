//! A folder in the place of a service, and services that are none.

use crate::{Error, Objects, Place};
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::time::{Duration, Instant};

fn place(url: impl Into<String>) -> Place {
    Place { url: url.into(), ..Place::default() }
}

fn folder() -> (tempfile::TempDir, Objects) {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("file://{}", folder.path().display());
    let objects = Objects::open(&place(url), "net", 16).unwrap();
    (folder, objects)
}

/// A service in a bucket, with credentials.
fn service(endpoint: &str) -> Objects {
    let variables = [("AWS_ACCESS_KEY_ID", "id"), ("AWS_SECRET_ACCESS_KEY", "a secret")];
    let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let (endpoint, region) = (Some(endpoint.to_owned()), Some("us-east-1".to_owned()));
    let place = Place { url: "s3://bucket/some/prefix".into(), endpoint, region, variables };
    assert!(!format!("{place:?}").contains("a secret"));
    Objects::open(&place, "net", 16).unwrap()
}

fn read(objects: &Objects, path: &str) -> Result<Vec<u8>, Error> {
    objects.read(&[path.to_owned()]).remove(0)
}

#[test]
fn what_is_written_is_read_again_and_is_a_file_of_that_path() {
    let (folder, objects) = folder();
    let path = "tile/entries/x001/234".to_owned();
    objects.write(vec![(path.clone(), b"old".to_vec())]).unwrap();
    objects.write(vec![(path.clone(), b"new".to_vec()), ("b".into(), vec![1; 16])]).unwrap();
    assert_eq!(std::fs::read(folder.path().join("net").join(&path)).unwrap(), b"new");
    let missing = Error::Missing { path: "c".into() };
    let found = objects.read(&[path, "c".into(), "b".into()]);
    assert_eq!(found, [Ok(b"new".to_vec()), Err(missing), Ok(vec![1; 16])]);
}

#[test]
fn what_is_longer_than_anything_written_is_not_read() {
    let (folder, objects) = folder();
    std::fs::create_dir(folder.path().join("net")).unwrap();
    std::fs::write(folder.path().join("net/long"), [0; 17]).unwrap();
    assert_eq!(read(&objects, "long"), Err(Error::TooLong { path: "long".into(), length: 17 }));
}

#[test]
fn what_is_no_place_is_said_before_anybody_is_asked() {
    let missing = tempfile::tempdir().unwrap().path().join("none");
    for url in [
        "",
        "s3://",
        "s3:///prefix",
        "s3://id:secret@bucket",
        "http://host/x",
        "file://relative",
        "/a/folder",
    ]
    .into_iter()
    .map(ToOwned::to_owned)
    .chain([format!("file://{}", missing.display())])
    {
        let refused = Objects::open(&place(&url), "net", 16).unwrap_err();
        assert!(matches!(&refused, Error::Place(_)), "{url}: {refused}");
        assert!(!refused.to_string().contains("secret"), "{refused}");
    }
    let endpoint = Some("http://id:a-secret@127.0.0.1:1".into());
    let refused = Objects::open(&Place { endpoint, ..place("s3://bucket") }, "net", 16);
    let refused = refused.unwrap_err().to_string();
    assert!(refused.contains("no user in it") && !refused.contains("secret"), "{refused}");
}

#[test]
fn a_service_that_is_not_there_is_said_soon() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let objects = service(&format!("http://{free}"));
    let start = Instant::now();
    let failed = read(&objects, "a").unwrap_err();
    assert!(matches!(&failed, Error::Failed { path, .. } if path == "a"), "{failed}");
    assert!(!failed.to_string().contains("a secret"), "{failed}");
    assert!(start.elapsed() < Duration::from_secs(12));
    assert!(objects.write(vec![("a".into(), vec![])]).is_err());
}

/// The secret signs and is not sent, and the answer's status decides.
#[test]
fn a_service_that_refuses_is_told_from_one_without_the_object() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let serving = std::thread::spawn(move || {
        let mut asked = Vec::new();
        for status in ["403 Forbidden", "404 Not Found"] {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = vec![0; 8_192];
            let length = stream.read(&mut request).unwrap();
            asked.push(String::from_utf8_lossy(&request[..length]).into_owned());
            let answer =
                format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            stream.write_all(answer.as_bytes()).unwrap();
        }
        asked
    });
    let objects = service(&endpoint);
    assert_eq!(read(&objects, "a"), Err(Error::Denied { path: "a".into() }));
    assert_eq!(read(&objects, "a"), Err(Error::Missing { path: "a".into() }));
    for request in serving.join().unwrap() {
        assert!(request.starts_with("GET /bucket/some/prefix/net/a HTTP/1.1\r\n"), "{request}");
        assert!(request.contains("Credential=id/") && !request.contains("secret"), "{request}");
    }
}
