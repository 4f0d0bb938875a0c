//! A wire that cuts, lies and dawdles between us and the real server.

use crate::common::{source, three};
use einthoven_registry_mlflow::{Client, Downloaded, Error, Expected, Location, RemoteFile};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What the wire does to the answer of the connection with this number.
type Fault = fn(connection: usize, answer: Vec<u8>) -> Act;

struct Act {
    /// What is sent.
    bytes: Vec<u8>,
    /// How long the wire waits before it closes.
    then: Duration,
}

fn at_once(bytes: Vec<u8>) -> Act {
    Act {
        bytes,
        then: Duration::ZERO,
    }
}

/// The real server's answers through a fault, one request for each connection; counts them.
async fn wire(fault: Fault) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    tokio::spawn(async move {
        while let Ok((mut near, _)) = listener.accept().await {
            let number = counted.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(async move {
                let mut request = Vec::new();
                while !request.ends_with(b"\r\n\r\n") {
                    let mut byte = [0];
                    if near.read(&mut byte).await.unwrap_or(0) == 0 {
                        return;
                    }
                    request.push(byte[0]);
                }
                let text = String::from_utf8(request).unwrap();
                let request = text.replacen("\r\n", "\r\nConnection: close\r\n", 1);
                let mut far = TcpStream::connect(("127.0.0.1", three().port)).await.unwrap();
                far.write_all(request.as_bytes()).await.unwrap();
                let mut answer = Vec::new();
                far.read_to_end(&mut answer).await.unwrap();
                let act = fault(number, answer);
                let _ = near.write_all(&act.bytes).await;
                tokio::time::sleep(act.then).await;
            });
        }
    });
    (url, count)
}

fn head(answer: &[u8]) -> usize {
    answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4
}

/// The same answer with another header in place of Content-Length.
fn relabelled(answer: &[u8], length: &str) -> Vec<u8> {
    let end = head(answer);
    let text = String::from_utf8(answer[..end].to_vec()).unwrap();
    let lines = text
        .split("\r\n")
        .filter(|line| !line.to_ascii_lowercase().starts_with("content-length"));
    let mut changed = lines.collect::<Vec<_>>().join("\r\n");
    if !length.is_empty() {
        changed = changed.replacen("\r\n", &format!("\r\nContent-Length: {length}\r\n"), 1);
    }
    [changed.as_bytes(), &answer[end..]].concat()
}

async fn large(client: &Client) -> (Location, RemoteFile) {
    let reference = format!("runs:/{}/large", three().logged.run).parse().unwrap();
    let location = client.resolve(&reference).await.unwrap().location;
    let file = client.files(&location).await.unwrap().remove(0);
    assert_eq!(file.bytes, 3_000_017);
    (location, file)
}

async fn whole(folder: &Path) -> Downloaded {
    let client = three().client();
    let (location, file) = large(&client).await;
    let to = folder.join("whole");
    client
        .download(&location, &file, &to, &Expected::at_most(1 << 30))
        .await
        .unwrap()
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

async fn through(fault: Fault, folder: &Path) -> (Result<Downloaded, Error>, usize) {
    let (location, file) = large(&three().client()).await;
    let (url, count) = wire(fault).await;
    let mut source = source(&url);
    source.timeouts.idle_ms = 1_500;
    let client = Client::new(&source).unwrap();
    let done = client
        .download(&location, &file, &folder.join("file"), &Expected::at_most(1 << 30))
        .await;
    (done, count.load(Ordering::SeqCst))
}

#[tokio::test]
async fn cut_at_every_tenth_it_goes_on_where_it_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let expected = whole(folder.path()).await;
    let cut: Fault = |_, answer| {
        let end = (head(&answer) + 300_002).min(answer.len());
        at_once(answer[..end].to_vec())
    };
    let (done, connections) = through(cut, folder.path()).await;
    assert_eq!(done.unwrap(), expected);
    assert_eq!(connections, 10, "each piece was asked for once");
    assert_eq!(names(folder.path()), ["file", "whole"]);
}

#[tokio::test]
async fn cut_for_good_nothing_is_named_and_a_later_call_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let expected = whole(folder.path()).await;
    let cut: Fault = |number, answer| {
        let end = if number == 0 { 2_000_000 } else { 0 };
        at_once(answer[..end].to_vec())
    };
    let (done, _) = through(cut, folder.path()).await;
    assert!(done.as_ref().is_err_and(Error::is_passing), "{done:?}");
    assert_eq!(names(folder.path()), ["file.part", "file.part.etag", "whole"]);

    let rest: Fault = |_, answer| {
        assert!(answer.starts_with(b"HTTP/1.1 206"), "it asks for the rest only");
        at_once(answer)
    };
    let (done, connections) = through(rest, folder.path()).await;
    assert_eq!((done.unwrap(), connections), (expected, 1));
    assert_eq!(names(folder.path()), ["file", "whole"]);
}

#[tokio::test]
async fn a_changed_file_is_taken_from_its_start() {
    let folder = tempfile::tempdir().unwrap();
    let expected = whole(folder.path()).await;
    std::fs::write(folder.path().join("file.part"), vec![9; 1_000_000]).unwrap();
    std::fs::write(folder.path().join("file.part.etag"), "\"of another content\"").unwrap();
    let (done, connections) = through(|_, answer| at_once(answer), folder.path()).await;
    assert_eq!((done.unwrap(), connections), (expected, 1));
}

#[tokio::test]
async fn a_part_that_was_changed_on_the_disk_is_found_by_the_digest() {
    let folder = tempfile::tempdir().unwrap();
    let expected = whole(folder.path()).await;
    let client = three().client();
    let (location, file) = large(&client).await;
    let to = folder.path().join("file");
    let wanted = Expected {
        most_bytes: 1 << 30,
        sha256: Some([7; 32]),
    };
    let error = client.download(&location, &file, &to, &wanted).await.unwrap_err();
    assert!(matches!(error, Error::Checksum { .. }), "{error}");
    assert_eq!(names(folder.path()), ["whole"]);
    let wanted = Expected {
        most_bytes: 1 << 30,
        sha256: Some(expected.sha256),
    };
    client.download(&location, &file, &to, &wanted).await.unwrap();
    let small = Expected::at_most(1000);
    assert!(matches!(
        client.download(&location, &file, &to, &small).await,
        Err(Error::TooLarge { .. })
    ));
}

#[tokio::test]
async fn lies_about_the_length_are_told() {
    let faults: [Fault; 4] = [
        |_, answer| at_once(relabelled(&answer, "3000018")),
        |_, answer| at_once(relabelled(&answer, "5")),
        // Without a length the end of the connection is the end of the file.
        |_, answer| at_once([&relabelled(&answer, "")[..], b"more"].concat()),
        |_, answer| at_once(relabelled(&answer[..2_000_000], "")),
    ];
    for fault in faults {
        let folder = tempfile::tempdir().unwrap();
        let (done, connections) = through(fault, folder.path()).await;
        assert!(matches!(done, Err(Error::Length { listed: 3_000_017, .. })), "{done:?}");
        assert_eq!(connections, 1);
        assert!(names(folder.path()).is_empty());
    }
}

#[tokio::test]
async fn a_wire_that_stands_still_is_given_up() {
    let folder = tempfile::tempdir().unwrap();
    let still: Fault = |_, answer| Act {
        bytes: answer[..1000].to_vec(),
        then: Duration::from_secs(30),
    };
    let (done, connections) = through(still, folder.path()).await;
    assert!(matches!(done, Err(Error::TimedOut { .. })), "{done:?}");
    assert!(connections > 1, "it asks again first");
    assert!(!names(folder.path()).contains(&"file".to_owned()));
}

#[tokio::test]
async fn server_errors_are_asked_again_and_refusals_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let failing: Fault = |number, answer| {
        at_once(match number {
            0 => b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbusy".to_vec(),
            _ => answer,
        })
    };
    let (done, connections) = through(failing, folder.path()).await;
    assert_eq!((done.is_ok(), connections), (true, 2));
    let refusing: Fault =
        |_, _| at_once(b"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\nConnection: close\r\n\r\ngone".to_vec());
    let folder = tempfile::tempdir().unwrap();
    let (done, connections) = through(refusing, folder.path()).await;
    assert!(matches!(done, Err(Error::NotFound { .. })), "{done:?}");
    assert_eq!(connections, 1);
}
