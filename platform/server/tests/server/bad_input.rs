//! What people and broken software send: a clear refusal or a withheld result, and the server lives on.

use crate::client::{OWNER_KEY, Server, borrowed, csv, record_100, sample};

const HEADER: &str = "x 1 360 3600\nx.dat 16 200 11 1024 0 0 0 MLII\n";

fn still_works(server: &Server) {
    assert_eq!(server.form("/v1/classify", &borrowed(&record_100()), &[]).status, 200);
}

#[test]
fn nothing_and_nonsense() {
    let server = Server::start();
    server.post("/v1/classify", "text/csv", b"").problem(400, "empty_file");
    server.form("/v1/classify", &[], &[]).problem(400, "empty_file");
    server
        .form("/v1/classify", &[("a.csv", b"")], &[])
        .problem(400, "empty_file");
    server
        .post(
            "/v1/classify",
            "text/plain",
            b"Dear doctor, please find attached nothing.\n",
        )
        .problem(422, "not_an_ecg");
    server
        .post("/v1/classify", "application/octet-stream", &[0xff; 4096])
        .problem(422, "not_an_ecg");
    server
        .post("/v1/classify?color=red", "text/csv", b"1,2")
        .problem(400, "bad_query");
    server
        .form("/v1/classify", &[("a.csv", b"1,2")], &[("color", "red")])
        .problem(400, "unknown_field");
    server
        .post("/v1/classify", "multipart/form-data; boundary=x", b"--x\r\nbroken")
        .problem(400, "bad_form");
    still_works(&server);
}

#[test]
fn what_is_missing_is_named_with_the_way_to_give_it() {
    let server = Server::start();
    let values = "0.1\n0.2\n0.3\n".repeat(2000);
    let no_rate = server.post("/v1/classify?unit=mV", "text/csv", values.as_bytes());
    let detail = no_rate.problem(422, "missing_field");
    assert!(detail.contains("rate"), "{detail}");
    assert_eq!(no_rate.json()["errors"][0]["pointer"], "sampling_rate");
    let no_unit = server.post("/v1/classify?rate=250", "text/csv", values.as_bytes());
    assert!(no_unit.problem(422, "missing_field").contains("unit"));
    let field = &no_unit.json()["errors"][0];
    assert_eq!(field["pointer"], "unit");
    let lacks = field["detail"].as_str().unwrap();
    assert!(
        lacks.contains("does not say which unit") && !lacks.contains("parameter"),
        "{lacks}"
    );
    assert_eq!(
        server
            .post("/v1/classify?rate=250&unit=mV", "text/csv", values.as_bytes())
            .status,
        200
    );
    server
        .post("/v1/classify?rate=fast&unit=mV", "text/csv", values.as_bytes())
        .problem(422, "bad_field");
    server
        .post("/v1/classify?rate=250&unit=mmHg", "text/csv", values.as_bytes())
        .problem(422, "bad_field");
    server
        .form("/v1/classify", &borrowed(&record_100()), &[("lead", "V9")])
        .problem(422, "no_such_lead");
    server
        .form("/v1/classify", &borrowed(&record_100()), &[("model", "none")])
        .problem(404, "no_such_model");
}

#[test]
fn records_that_are_not_whole() {
    let server = Server::start();
    let whole = sample("100s.dat");
    let hea = sample("100s.hea");
    let cut = server.form(
        "/v1/classify",
        &[("100s.hea", &hea), ("100s.dat", &whole[..100_000])],
        &[],
    );
    assert!(cut.problem(422, "truncated").contains("108000"));
    let alone = server.form("/v1/classify", &[("100s.hea", &hea)], &[]);
    assert!(alone.problem(422, "missing_file").contains("100s.dat"));
    let escaping = "x 1 360 10\n../../etc/passwd 16 200 11 1024 0 0 0 MLII\n";
    server
        .form("/v1/classify", &[("x.hea", escaping.as_bytes())], &[])
        .problem(422, "unsafe_file_name");
    let before = server.resident_bytes();
    let huge = HEADER.replace("3600", "2147483648");
    let answer = server.form(
        "/v1/classify",
        &[("x.hea", huge.as_bytes()), ("x.dat", &[0; 7200])],
        &[],
    );
    assert!((400..500).contains(&answer.status), "{}", answer.json());
    assert!(server.resident_bytes() < before + (64 << 20));
    still_works(&server);
}

#[test]
fn signals_that_say_nothing_are_withheld() {
    let server = Server::start();
    let flat = "0.0\n".repeat(250 * 30);
    let answer = server
        .post("/v1/classify?rate=250&unit=mV", "text/csv", flat.as_bytes())
        .json();
    assert!(
        answer["beats"]
            .as_array()
            .unwrap()
            .iter()
            .all(|beat| beat["class"].is_null()),
        "{answer}"
    );
    assert_eq!(answer["summary"]["readable_s"], 0.0, "{}", answer["summary"]);

    // Millivolts that are really microvolts: a thousand times too large.
    let scaled = server
        .post("/v1/classify", "text/csv", csv(30, 250, 1000.0).as_bytes())
        .json();
    assert!(
        scaled["beats"]
            .as_array()
            .unwrap()
            .iter()
            .all(|beat| beat["class"].is_null()),
        "{}",
        scaled["quality"]
    );

    // A wrong rate: 360 Hz declared as 60 makes 75 beats a minute 12.
    let slow = HEADER.replace("360 3600", "60 3600");
    let whole = sample("100s.dat");
    let samples: Vec<u8> = whole
        .chunks_exact(3)
        .take(3600)
        .flat_map(|b| {
            let value = i16::from(b[0]) | (i16::from(b[1] & 0x0f) << 8);
            (if value > 2047 { value - 4096 } else { value }).to_le_bytes()
        })
        .collect();
    let answer = server.form("/v1/classify", &[("x.hea", slow.as_bytes()), ("x.dat", &samples)], &[]);
    let document = answer.json();
    let said = document["quality"].to_string() + &document["unreadable"].to_string() + &document["type"].to_string();
    assert!(
        answer.status == 422 || said.contains("suspect") || said.contains("unreadable"),
        "{document}"
    );
    still_works(&server);
}

#[test]
fn short_invalid_and_odd_recordings() {
    let server = Server::start();
    let short = server.post("/v1/classify", "text/csv", csv(3, 250, 1.0).as_bytes());
    assert_eq!(short.status, 200, "{}", short.json());
    let holes = csv(30, 250, 1.0)
        .replace("12.000000,0.00000", "12.000000,NaN")
        .replace("12.004000,0.00000", "12.004000,inf");
    let answer = server.post("/v1/classify", "text/csv", holes.as_bytes());
    assert_eq!(answer.status, 200, "{}", answer.json());
    let wide = "1,".repeat(1_000_000) + "1\n";
    let before = server.resident_bytes();
    let answer = server.post("/v1/classify?rate=250&unit=mV", "text/csv", wide.as_bytes());
    assert!((400..500).contains(&answer.status), "{}", answer.json());
    assert!(server.resident_bytes() < before + (128 << 20));
    still_works(&server);
}

#[test]
fn bodies_and_archives_beyond_the_bounds() {
    let server = Server::start_with(&["--max-upload-mib", "4"]);
    let before = server.resident_bytes();
    // Five gigabytes declared: refused before a byte of it is read.
    let proven =
        format!("POST /v1/classify HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nx-api-key: {OWNER_KEY}\r\n");
    let head = format!("{proven}content-type: text/csv\r\ncontent-length: 5368709120\r\n\r\n");
    assert!(server.raw(head.as_bytes()).starts_with("HTTP/1.1 413"));
    // The same in chunks, which declare nothing.
    let mut chunked = format!("{proven}transfer-encoding: chunked\r\n\r\n").into_bytes();
    for _ in 0..6 {
        chunked.extend_from_slice(b"100000\r\n");
        chunked.extend(vec![b'1'; 0x10_0000]);
        chunked.extend_from_slice(b"\r\n");
    }
    assert!(server.raw(&chunked).starts_with("HTTP/1.1 413"));
    let mut bomb = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    let zeros = vec![0; 1 << 20];
    for _ in 0..1100 {
        std::io::Write::write_all(&mut bomb, &zeros).unwrap();
    }
    let bomb = bomb.finish().unwrap();
    server
        .post("/v1/classify", "application/gzip", &bomb)
        .problem(413, "too_large");
    // The same as a message of gRPC: a mark that it is compressed, its length, itself.
    let message = [&[1][..], &(bomb.len() as u32).to_be_bytes(), &bomb].concat();
    let compressed = [("content-type", "application/grpc"), ("grpc-encoding", "gzip")];
    let answer = server.ask(
        "POST",
        "/inference.GRPCInferenceService/ModelInfer",
        &compressed,
        &message,
    );
    let said = answer.header("grpc-message");
    assert!(said.contains("size%20limit"), "{said}");
    assert!(server.resident_bytes() < before + (256 << 20));
    still_works(&server);
}
