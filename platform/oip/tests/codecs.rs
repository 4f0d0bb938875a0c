//! What is written is read back, by every way there is; whatever comes is answered or refused.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use bytes::Bytes;
use einthoven_oip::grpc::{Asked, pb};
use einthoven_oip::{
    Answer, Compression, Datatype, InferRequest, OipError, Output, Tensor, inflated, parse_data, write_data,
};
use proptest::prelude::*;
use prost::Message;
use std::io::Write;

/// Elements that JSON can hold: no infinity, no "not a number".
fn element(datatype: Datatype) -> BoxedStrategy<Vec<u8>> {
    match datatype {
        Datatype::Bool => any::<bool>().prop_map(|truth| vec![u8::from(truth)]).boxed(),
        Datatype::Fp16 => any::<u16>()
            .prop_filter("finite", |bits| bits & 0x7c00 != 0x7c00)
            .prop_map(|bits| bits.to_le_bytes().to_vec())
            .boxed(),
        Datatype::Fp32 => any::<f32>()
            .prop_filter("finite", |value| value.is_finite())
            .prop_map(|value| value.to_le_bytes().to_vec())
            .boxed(),
        Datatype::Fp64 => any::<f64>()
            .prop_filter("finite", |value| value.is_finite())
            .prop_map(|value| value.to_le_bytes().to_vec())
            .boxed(),
        Datatype::Bytes => "\\PC{0,8}"
            .prop_map(|text: String| [&u32::try_from(text.len()).unwrap().to_le_bytes(), text.as_bytes()].concat())
            .boxed(),
        _ => prop::collection::vec(any::<u8>(), datatype.size().unwrap()).boxed(),
    }
}

fn tensor() -> impl Strategy<Value = Tensor> {
    let datatype = prop::sample::select(Datatype::ALL.to_vec());
    (datatype, prop::collection::vec(0_usize..5, 1..4), "[a-z\"\\\\é]{1,6}").prop_flat_map(|(datatype, shape, name)| {
        let elements = shape.iter().product::<usize>();
        prop::collection::vec(element(datatype), elements).prop_map(move |elements| Tensor {
            name: name.clone(),
            datatype,
            shape: shape.clone(),
            data: elements.concat().into(),
        })
    })
}

fn tensors() -> impl Strategy<Value = Vec<Tensor>> {
    prop::collection::vec(tensor(), 1..4).prop_map(|mut tensors| {
        for (index, tensor) in tensors.iter_mut().enumerate() {
            tensor.name = format!("{}{index}", tensor.name);
        }
        tensors
    })
}

/// The tensors as the outputs of an answer, which as JSON have the fields of the inputs of a request.
fn outputs<'t>(tensors: &'t [Tensor], binary: impl Fn(usize) -> bool) -> Vec<Output<'t>> {
    let each = |(index, tensor): (usize, &'t Tensor)| Output {
        name: &tensor.name,
        datatype: tensor.datatype,
        shape: &tensor.shape,
        data: &tensor.data,
        binary: binary(index),
    };
    tensors.iter().enumerate().map(each).collect()
}

fn written(tensors: &[Tensor], id: &str, binary: impl Fn(usize) -> bool) -> (Bytes, Option<usize>) {
    let outputs = outputs(tensors, binary);
    let answer = Answer {
        model_name: "m",
        model_version: "1",
        id: Some(id),
        outputs,
    };
    let written = answer.write();
    let json = written.header_length.unwrap_or(written.body.len());
    // Exactly one `outputs`, in our own JSON.
    let text = String::from_utf8(written.body[..json].to_vec())
        .unwrap()
        .replacen(",\"outputs\":[", ",\"inputs\":[", 1);
    let body = [text.as_bytes(), &written.body[json..]].concat();
    (body.into(), written.header_length.map(|_| text.len()))
}

/// A flat list nested as the shape says.
fn nested(values: &mut std::vec::IntoIter<serde_json::Value>, shape: &[usize]) -> serde_json::Value {
    match shape {
        [] => values.next().unwrap(),
        [first, rest @ ..] => (0..*first).map(|_| nested(values, rest)).collect(),
    }
}

proptest! {
    #[test]
    fn answers_read_as_requests_are_the_same(tensors in tensors(), id in "\\PC{1,10}", mask in any::<u8>()) {
        let (body, header) = written(&tensors, &id, |index| mask >> (index % 8) & 1 == 1);
        let request = InferRequest::parse(&body, header).unwrap();
        prop_assert_eq!(&request.inputs, &tensors);
        prop_assert_eq!(request.id.unwrap(), id);
    }

    #[test]
    fn the_order_of_fields_does_not_matter(tensor in tensor()) {
        let mut data = Vec::new();
        write_data(&mut data, tensor.datatype, &tensor.data);
        let data = String::from_utf8(data).unwrap();
        let body = format!(
            r#"{{"inputs": [{{"data": {data}, "shape": {:?}, "other": [1], "name": "x", "datatype": "{}"}}]}}"#,
            tensor.shape, tensor.datatype
        );
        let request = InferRequest::parse(&body.into(), None).unwrap();
        prop_assert_eq!(&request.inputs[0].data, &tensor.data);
    }

    #[test]
    fn nested_data_is_flat_data(tensor in tensor().prop_filter("not FP64: Value rounds", |t| t.datatype != Datatype::Fp64)) {
        let mut data = Vec::new();
        write_data(&mut data, tensor.datatype, &tensor.data);
        let flat: Vec<serde_json::Value> = serde_json::from_slice(&data).unwrap();
        let value = nested(&mut flat.into_iter(), &tensor.shape).to_string();
        let read = parse_data(tensor.datatype, &value).unwrap();
        prop_assert_eq!(&read.bytes, &tensor.data.to_vec());
        if !tensor.shape.contains(&0) {
            prop_assert_eq!(&read.lengths, &tensor.shape);
        }
    }

    #[test]
    fn messages_are_the_same_as_json(tensors in tensors(), id in "[a-z]{1,8}") {
        let outputs = outputs(&tensors, |_| false);
        let answer = Answer { model_name: "m", model_version: "1", id: Some(&id), outputs };
        let message = einthoven_oip::grpc::answer(&answer, &[]).encode_to_vec();
        // The numbers of fields differ between both; what they mean does not.
        let sent = pb::ModelInferResponse::decode(message.as_slice()).unwrap();
        let asked = pb::ModelInferRequest {
            model_name: sent.model_name,
            id: sent.id,
            inputs: sent.outputs.into_iter().map(|output| pb::model_infer_request::InferInputTensor {
                name: output.name,
                datatype: output.datatype,
                shape: output.shape,
                ..Default::default()
            }).collect(),
            raw_input_contents: sent.raw_output_contents,
            ..Default::default()
        };
        let asked = Asked::try_from(pb::ModelInferRequest::decode(asked.encode_to_vec().as_slice()).unwrap()).unwrap();
        prop_assert_eq!(asked.request.inputs, tensors);
    }

    #[test]
    fn any_bytes_are_read_or_refused(body in prop::collection::vec(any::<u8>(), 0..200), header in prop::option::of(0_usize..250)) {
        let body = Bytes::from(body);
        let _ = InferRequest::parse(&body, header);
        let _ = inflated(&body, Compression::Gzip, 1000);
        let _ = inflated(&body, Compression::Deflate, 1000);
        if let Ok(message) = pb::ModelInferRequest::decode(body) {
            let _ = Asked::try_from(message);
        }
    }

    #[test]
    fn a_request_cut_or_changed_anywhere_is_read_or_refused(tensors in tensors(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let (body, header) = written(&tensors, "1", |index| index % 2 == 0);
        let at = at.index(body.len());
        let mut changed = body.to_vec();
        changed[at] = byte;
        for bytes in [body.slice(..at), changed.into()] {
            if let Ok(request) = InferRequest::parse(&bytes, header) {
                for input in &request.inputs {
                    input.check().unwrap();
                }
            }
        }
    }

    #[test]
    fn compressed_bodies_come_out_whole_or_not_at_all(body in prop::collection::vec(any::<u8>(), 0..3000), limit in 0_usize..3000) {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
        let mut raw = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
        gzip.write_all(&body).unwrap();
        zlib.write_all(&body).unwrap();
        raw.write_all(&body).unwrap();
        let raw = raw.finish().unwrap();
        for (packed, compression) in [
            (gzip.finish().unwrap(), Compression::Gzip),
            (zlib.finish().unwrap(), Compression::Deflate),
            (raw, Compression::Deflate),
        ] {
            match inflated(&packed, compression, limit) {
                Ok(out) => prop_assert_eq!(out, body.clone()),
                Err(cause) => prop_assert_eq!(cause, OipError::TooLarge { limit_bytes: limit }),
            }
            prop_assert!(body.len() <= limit || inflated(&packed, compression, limit).is_err());
        }
    }
}

fn refused(inputs: &str) -> String {
    let body = format!(r#"{{"inputs": {inputs}}}"#);
    InferRequest::parse(&body.into(), None).unwrap_err().to_string()
}

/// One input of that shape, type and content.
fn input(shape: &str, datatype: &str, data: &str) -> String {
    format!(r#"[{{"name":"x","shape":{shape},"datatype":"{datatype}","data":{data}}}]"#)
}

#[test]
fn what_is_wrong_is_said_exactly() {
    for (shape, datatype, data, said) in [
        (
            "[2]",
            "FP32",
            "[1]",
            "tensor `x`: `data` has 1 elements, shape [2] asks for 2",
        ),
        (
            "[2,3]",
            "FP32",
            "[[1,2],[3,4],[5,6]]",
            "`data` is nested as [3, 2], `shape` says [2, 3]",
        ),
        (
            "[2,1]",
            "FP32",
            "[[1],[2,3]]",
            "lists of one level have different lengths: 1 and 2",
        ),
        ("[2]", "FP32", "[1,[2]]", "a list where an element was to be"),
        ("[2]", "FP32", "[[1],2]", "element 1 stands in more or fewer lists"),
        ("[1]", "FP32", "[null]", "null is no number"),
        ("[1]", "FP32", r#"["1"]"#, "element 0: a string where FP32 was to be"),
        ("[1]", "FP32", "[1e39]", "is beyond FP32"),
        ("[1]", "FP16", "[70000]", "is beyond FP16"),
        ("[1]", "INT8", "[128]", "128 is beyond INT8"),
        ("[1]", "UINT64", "[-1]", "-1 is beyond UINT64"),
        ("[1]", "INT64", "[1.5]", "INT64 takes whole numbers"),
        ("[1]", "BOOL", "[2]", "BOOL takes true and false"),
        ("[1]", "FLOAT", "[2]", "datatype `FLOAT` is not known"),
        ("[-1]", "FP32", "[2]", "-1"),
        ("[1]", "FP32", "5", "a list"),
        (
            "[99999999999,99999999999]",
            "FP32",
            "[]",
            "more elements than can be counted",
        ),
    ] {
        let found = refused(&input(shape, datatype, data));
        assert!(found.contains(said), "{datatype} {shape} {data}: {found}");
    }
    for (inputs, said) in [
        (
            r#"[{"name":"x","shape":[1],"data":[2]}]"#,
            "tensor `x`: `datatype` is missing",
        ),
        (
            r#"[{"name":"x","datatype":"FP32","data":[2]}]"#,
            "tensor `x`: `shape` is missing",
        ),
        (
            r#"[{"name":"x","shape":[1],"datatype":"FP32"}]"#,
            "tensor `x`: `data` is missing",
        ),
        (
            r#"[{"name":"x","shape":[1],"datatype":"FP32","parameters":{"binary_data_size":4}}]"#,
            "`binary_data_size` is 4, 0 bytes are left",
        ),
        (
            r#"[{"name":"x","shape":[1],"datatype":"FP32","parameters":{"shared_memory_region":"r"}}]"#,
            "shared memory is not offered",
        ),
        (
            r#"[{"name":"x","shape":[0],"datatype":"FP32","data":[]},{"name":"x","shape":[0],"datatype":"FP32","data":[]}]"#,
            "input `x` is there twice",
        ),
    ] {
        let found = refused(inputs);
        assert!(found.contains(said), "{inputs}: {found}");
    }
    let deep = |depth: usize| input("[1]", "FP32", &format!("{}1{}", "[".repeat(depth), "]".repeat(depth)));
    assert!(!refused(&deep(100_000)).is_empty());
    let found = refused(&deep(20));
    assert!(found.contains("more than 16 lists"), "{found}");
}

#[test]
fn how_outputs_are_wanted() {
    let body = r#"{"inputs": [], "parameters": {"binary_data_output": true, "timeout": 1500, "priority": 2},
        "outputs": [{"name": "a"}, {"name": "b", "parameters": {"binary_data": false}}]}"#;
    let request = InferRequest::parse(&body.into(), None).unwrap();
    assert!(request.wants_binary("a") && !request.wants_binary("b"));
    assert!(request.wants("a") && !request.wants("c"));
    assert_eq!(request.timeout().unwrap(), Some(std::time::Duration::from_micros(1500)));
    for (asked, said) in [
        (
            r#"{"inputs": [], "outputs": [{"name": "a", "parameters": {"classification": 3}}]}"#,
            "classification",
        ),
        (r#"{"inputs": [], "parameters": {"sequence_id": 7}}"#, "sequence_id"),
        (r#"{"inputs": [], "parameters": {"timeout": -1}}"#, "microseconds"),
        (r#"{"inputs": [], "parameters": {"x": [1]}}"#, "a parameter"),
        (r#"{"outputs": []}"#, "inputs"),
    ] {
        let found = InferRequest::parse(&asked.into(), None).unwrap_err().to_string();
        assert!(found.contains(said), "{asked}: {found}");
    }
}

#[test]
fn numbers_that_are_none_are_null_in_json_and_kept_in_bytes() {
    let data: Bytes = [f32::NAN, f32::INFINITY, 1.5]
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect::<Vec<_>>()
        .into();
    let mut out = Vec::new();
    write_data(&mut out, Datatype::Fp32, &data);
    assert_eq!(out, b"[null,null,1.5]");
    let tensor = Tensor {
        name: "x".to_owned(),
        datatype: Datatype::Fp32,
        shape: vec![3],
        data,
    };
    let (body, header) = written(std::slice::from_ref(&tensor), "1", |_| true);
    assert_eq!(InferRequest::parse(&body, header).unwrap().inputs, [tensor]);
}

#[test]
fn typed_contents_belong_into_their_field() {
    let input = |datatype: &str, contents| pb::model_infer_request::InferInputTensor {
        name: "x".to_owned(),
        datatype: datatype.to_owned(),
        shape: vec![1],
        contents: Some(contents),
        ..Default::default()
    };
    let ask = |input| {
        Asked::try_from(pb::ModelInferRequest {
            inputs: vec![input],
            ..Default::default()
        })
    };
    let whole = pb::InferTensorContents {
        int_contents: vec![-3],
        ..Default::default()
    };
    assert_eq!(
        ask(input("INT16", whole.clone())).unwrap().request.inputs[0].data,
        Bytes::from_static(&[0xfd, 0xff])
    );
    for (datatype, said) in [
        ("FP32", "belongs into `fp32_contents`"),
        ("FP16", "raw_input_contents"),
        ("UINT8", "`uint_contents`"),
    ] {
        let found = ask(input(datatype, whole.clone())).unwrap_err().to_string();
        assert!(found.contains(said), "{found}");
    }
    let large = pb::InferTensorContents {
        int_contents: vec![300],
        ..Default::default()
    };
    assert!(
        ask(input("INT8", large))
            .unwrap_err()
            .to_string()
            .contains("beyond INT8")
    );
}
