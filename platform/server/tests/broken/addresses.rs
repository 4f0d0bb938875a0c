//! An address that asks without end.

use crate::client::Server;
use serde_json::json;

#[test]
fn an_address_is_metered_whoever_it_proves_to_be() {
    let server = Server::start_with(&["--address-rate", "1"]);
    let answers: Vec<_> = (0..60)
        .map(|number| match number % 3 {
            0 => server.get("/v1/system"),
            1 => server.ask("GET", "/v1/system", &[("x-api-key", "ein_nobody_nothing")], b""),
            _ => server.bare("GET", "/v1/health/live", &[], b"").unwrap(),
        })
        .collect();
    let limits = &answers[0].json()["limits"];
    assert_eq!(limits["address_rate"], json!({"per_second": 1.0, "burst": 2.0}));
    let refused: Vec<_> = answers.iter().filter(|answer| answer.status == 429).collect();
    assert!(!refused.is_empty() && refused.len() < answers.len());
    for answer in refused {
        let after: u32 = answer.header("retry-after").parse().unwrap();
        assert!((1..=2).contains(&after), "{after}");
    }
}
