//! Any bytes as a request for outputs: JSON with or without tensors behind it, a message, and MLflow's forms.
#![no_main]

use einthoven_oip::grpc::{Asked, pb};
use einthoven_oip::{Compression, Datatype, InferRequest, inflated};
use einthoven_scoring::{ContentType, Wanted, parse};
use libfuzzer_sys::fuzz_target;
use prost::Message;

fuzz_target!(|data: &[u8]| {
    let [choice, body @ ..] = data else {
        return;
    };
    let body = bytes::Bytes::copy_from_slice(body);
    match choice % 4 {
        0 => {
            let header = (choice & 4 != 0).then_some(usize::from(choice / 8));
            if let Ok(request) = InferRequest::parse(&body, header) {
                assert!(request.inputs.iter().all(|input| input.check().is_ok()));
            }
        }
        1 => {
            if let Ok(asked) = pb::ModelInferRequest::decode(body).map(Asked::try_from)
                && let Ok(asked) = asked
            {
                assert!(asked.request.inputs.iter().all(|input| input.check().is_ok()));
            }
        }
        2 => {
            for compression in [Compression::Gzip, Compression::Deflate] {
                assert!(inflated(&body, compression, 4096).map_or(0, |out| out.len()) <= 4096);
            }
        }
        _ => {
            let row = vec![(choice & 4 != 0).then_some(2), Some(1)];
            let wanted = [Wanted { name: "x".to_owned(), datatype: Datatype::Fp32, row }];
            let kind = if choice & 8 != 0 { ContentType::Csv } else { ContentType::Json };
            if let Ok(scored) = parse(&body, kind, &wanted) {
                assert!(scored.inputs.iter().all(|input| input.check().is_ok()));
            }
        }
    }
});
