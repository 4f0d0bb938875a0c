//! HTTPS: which versions are spoken, HTTP/2, and a certificate that changes while the server runs.

use crate::client::{OWNER_KEY, Server, csv};
use crate::frames::Http2;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned, SupportedProtocolVersion};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A certificate of its own for this machine's name, put where the server reads it.
fn certify(folder: &Path) -> CertificateDer<'static> {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    for (name, text) in [
        ("chain.pem", made.cert.pem()),
        ("key.pem", made.signing_key.serialize_pem()),
    ] {
        let whole = folder.join("new");
        std::fs::write(&whole, text).unwrap();
        std::fs::rename(whole, folder.join(name)).unwrap();
    }
    made.cert.der().clone()
}

type Connection = StreamOwned<ClientConnection, TcpStream>;

/// Shakes hands with who has that certificate, by that version alone.
fn connect(
    server: &Server,
    trusted: &CertificateDer<'static>,
    version: &'static SupportedProtocolVersion,
    protocol: &str,
) -> std::io::Result<Connection> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
    let name = ServerName::try_from("localhost").unwrap();
    let mut client = ClientConnection::new(Arc::new(config), name).unwrap();
    let mut stream = TcpStream::connect(&server.address)?;
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    while client.is_handshaking() {
        client.complete_io(&mut stream)?;
    }
    assert_eq!(client.protocol_version(), Some(version.version));
    assert_eq!(client.alpn_protocol(), Some(protocol.as_bytes()));
    Ok(StreamOwned::new(client, stream))
}

/// Whether the server says that it is alive, and by TLS alone from now on, by a connection that stays open.
fn is_alive(connection: &mut BufReader<Connection>) -> bool {
    let request = b"GET /v1/health/live HTTP/1.1\r\nhost: localhost\r\n\r\n";
    connection.get_mut().write_all(request).unwrap();
    let (mut status, mut line, mut length, mut strict) = (String::new(), String::new(), 0, false);
    connection.read_line(&mut status).unwrap();
    while line != "\r\n" {
        line.clear();
        assert!(connection.read_line(&mut line).unwrap() > 0, "it ended in the middle");
        if let Some(said) = line.to_ascii_lowercase().strip_prefix("content-length: ") {
            length = said.trim().parse().unwrap();
        }
        strict |= line
            .to_ascii_lowercase()
            .starts_with("strict-transport-security: max-age=");
    }
    connection.read_exact(&mut vec![0; length]).unwrap();
    assert!(strict, "browsers are not told to stay with TLS");
    status.starts_with("HTTP/1.1 200")
}

/// What begins the answer to a greeting of TLS 1.`minor - 1`.
fn greeted(server: &Server, minor: u8) -> [u8; 7] {
    let mut greeting = vec![3, minor];
    greeting.extend([7; 32]);
    greeting.extend([0, 0, 4, 0xc0, 0x2b, 0xc0, 0x2f, 1, 0]);
    let extensions = [0, 13, 0, 4, 0, 2, 4, 3, 0, 10, 0, 4, 0, 2, 0, 23, 0, 11, 0, 2, 1, 0];
    greeting.extend([0, extensions.len() as u8]);
    greeting.extend(extensions);
    let mut record = vec![22, 3, 1, 0, greeting.len() as u8 + 4, 1, 0, 0, greeting.len() as u8];
    record.extend(greeting);
    let mut stream = TcpStream::connect(&server.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    stream.write_all(&record).unwrap();
    let mut answer = [0; 7];
    stream.read_exact(&mut answer).unwrap();
    answer
}

#[test]
fn nothing_older_than_tls_1_2_is_spoken_and_a_new_certificate_is_taken_over() {
    let folder = tempfile::tempdir().unwrap();
    let (chain, key) = (folder.path().join("chain.pem"), folder.path().join("key.pem"));
    let first = certify(folder.path());
    let files = [chain.to_str().unwrap(), key.to_str().unwrap()];
    let server = Server::start_with(&["--tls-certificate", files[0], "--tls-key", files[1]]);
    let mut open = Vec::new();
    for version in [&TLS12, &TLS13] {
        let mut connection = BufReader::new(connect(&server, &first, version, "http/1.1").unwrap());
        assert!(is_alive(&mut connection));
        open.push(connection);
        let mut second = Http2::open(connect(&server, &first, version, "h2").unwrap());
        let asked = second.ask(
            &[
                (":method", "POST"),
                (":scheme", "https"),
                (":path", "/v1/classify?name=a.csv"),
                (":authority", "localhost"),
                ("content-type", "text/csv"),
                ("x-api-key", OWNER_KEY),
            ],
            csv(10, 250, 1.0).as_bytes(),
        );
        let answer = second.answer(asked);
        let document: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
        assert!(answer.is_ok(), "{document}");
        assert!(document["beats"].as_array().unwrap().len() > 5, "{document}");
    }

    // The same greeting by two versions, with ciphers, curves and signatures that the newer one takes: the older one is refused for what
    // it is.
    assert_eq!(greeted(&server, 3)[0], 22, "a handshake goes on by TLS 1.2");
    assert_eq!(
        greeted(&server, 2),
        [21, 3, 3, 0, 2, 2, 70],
        "the alert says that it is the version"
    );
    // Nor is anything answered without TLS.
    let mut plain = TcpStream::connect(&server.address).unwrap();
    plain.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    plain
        .write_all(b"GET /v1/health/live HTTP/1.1\r\nhost: localhost\r\n\r\n")
        .unwrap();
    let mut answer = Vec::new();
    let _ = plain.read_to_end(&mut answer);
    assert!(!answer.starts_with(b"HTTP"), "{}", String::from_utf8_lossy(&answer));

    let next = certify(folder.path());
    let until = Instant::now() + Duration::from_secs(60);
    while connect(&server, &next, &TLS13, "http/1.1").is_err() {
        assert!(Instant::now() < until, "the new certificate is not taken over");
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(connect(&server, &first, &TLS13, "http/1.1").is_err());
    assert!(open.iter_mut().all(is_alive), "who is connected goes on");
}
