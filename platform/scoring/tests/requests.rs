//! Requests as MLflow's clients write them, and whatever else comes.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use einthoven_oip::Datatype;
use einthoven_scoring::{Column, ContentType, Wanted, parse, write_predictions};
use proptest::prelude::*;

fn wanted(name: &str, row: &[Option<usize>]) -> Wanted {
    Wanted {
        name: name.to_owned(),
        datatype: Datatype::Fp32,
        row: row.to_vec(),
    }
}

fn floats(data: &[u8]) -> Vec<f32> {
    data.as_chunks::<4>()
        .0
        .iter()
        .map(|chunk| f32::from_le_bytes(*chunk))
        .collect()
}

#[test]
fn every_form_gives_the_same_tensor() {
    let one = [wanted("row", &[Some(1), Some(3)])];
    for (kind, body) in [
        (
            ContentType::Json,
            r#"{"dataframe_split": {"columns": ["a", "b", "c"], "index": [0, 1], "data": [[1, 2.5, -3], [4, 5, 6]]}}"#,
        ),
        (
            ContentType::Json,
            r#"{"dataframe_split": {"data": [[1, 2.5, -3], [4, 5, 6]]}}"#,
        ),
        // Ten comes before nine in no order but that of the columns.
        (
            ContentType::Json,
            r#"{"dataframe_records": [{"9": 1, "10": 2.5, "1": -3}, {"10": 5, "9": 4, "1": 6}]}"#,
        ),
        (
            ContentType::Json,
            r#"{"dataframe_records": [{"row": [[1, 2.5, -3]]}, {"row": [[4, 5, 6]]}]}"#,
        ),
        (
            ContentType::Json,
            r#"{"dataframe_split": {"columns": ["row"], "data": [[[1, 2.5, -3]], [[4, 5, 6]]]}}"#,
        ),
        (ContentType::Json, r#"{"instances": [[[1, 2.5, -3]], [[4, 5, 6]]]}"#),
        (
            ContentType::Json,
            r#"{"instances": [[1, 2.5, -3], [4, 5, 6]], "signature_name": "serving_default"}"#,
        ),
        (
            ContentType::Json,
            r#"{"instances": [{"row": [1, 2.5, -3]}, {"row": [4, 5, 6]}]}"#,
        ),
        (
            ContentType::Json,
            r#"{"inputs": [[[1, 2.5, -3]], [[4, 5, 6]]], "params": {"temperature": 1}}"#,
        ),
        (ContentType::Json, r#"{"inputs": {"row": [[1, 2.5, -3], [4, 5, 6]]}}"#),
        (ContentType::Csv, "a,b,c\n1,2.5,-3\n4,5,6\n"),
        (
            ContentType::Csv,
            "\u{feff}\"a\",b,\"c,\"\"\"\r\n +1 ,2.50,\"-3.\"\r\n\r\n4,5e0,6",
        ),
    ] {
        let scored = parse(body.as_bytes(), kind, &one).unwrap_or_else(|cause| panic!("{body}: {cause}"));
        assert_eq!(scored.inputs.len(), 1, "{body}");
        assert_eq!(scored.inputs[0].shape, [2, 1, 3], "{body}");
        assert_eq!(
            floats(&scored.inputs[0].data),
            [1.0, 2.5, -3.0, 4.0, 5.0, 6.0],
            "{body}"
        );
        assert_eq!(scored.params.len(), usize::from(body.contains("params")));
    }
}

#[test]
fn models_of_several_inputs_get_each_by_its_name() {
    let two = [wanted("beat", &[Some(2)]), wanted("rr", &[])];
    for body in [
        r#"{"inputs": {"rr": [7, 8], "beat": [[1, 2], [3, 4]]}}"#,
        r#"{"instances": [{"beat": [1, 2], "rr": 7}, {"rr": 8, "beat": [3, 4]}]}"#,
        r#"{"dataframe_split": {"columns": ["rr", "beat"], "data": [[7, [1, 2]], [8, [3, 4]]]}}"#,
    ] {
        let scored = parse(body.as_bytes(), ContentType::Json, &two).unwrap_or_else(|cause| panic!("{body}: {cause}"));
        assert_eq!(scored.inputs[0].shape, [2, 2], "{body}");
        assert_eq!(floats(&scored.inputs[0].data), [1.0, 2.0, 3.0, 4.0]);
        assert_eq!(scored.inputs[1].shape, [2], "{body}");
        assert_eq!(floats(&scored.inputs[1].data), [7.0, 8.0]);
    }
}

#[test]
fn what_is_wrong_is_said_exactly() {
    let one = [wanted("row", &[Some(1), Some(2)])];
    for (body, said) in [
        ("", "EOF"),
        ("[]", "the body is not a request"),
        (r#"{"data": [[1]]}"#, "unknown field `data`"),
        (r#"{}"#, "exactly one of dataframe_split"),
        (
            r#"{"inputs": [[1, 2]], "instances": [[1, 2]]}"#,
            "exactly one of dataframe_split",
        ),
        (r#"{"inputs": []}"#, "there are no rows"),
        (r#"{"inputs": 5}"#, "a list"),
        (
            r#"{"inputs": [[1, 2, 3]]}"#,
            "a row of `row` is [3]; the model takes [1,2]",
        ),
        (
            r#"{"inputs": {"beat": [[1, 2]]}}"#,
            "the model has no input `beat`; it takes `row` [1,2] FP32",
        ),
        (r#"{"inputs": {}}"#, "input `row` is missing"),
        (r#"{"inputs": [["a", 2]]}"#, "a string where FP32 was to be"),
        (r#"{"instances": [[1, 2], [3]]}"#, "different lengths"),
        (
            r#"{"dataframe_records": [{"a": 1, "b": 2}, {"a": 1}]}"#,
            "row 1 has 1 fields, row 0 has 2",
        ),
        (
            r#"{"dataframe_records": [{"a": 1, "b": 2}, {"a": 1, "c": 2}]}"#,
            "row 1 has other fields",
        ),
        (r#"{"dataframe_records": []}"#, "there are no rows"),
        (
            r#"{"dataframe_split": {"columns": ["a"], "data": [[1, 2]]}}"#,
            "row 0 has 2 values for 1 columns",
        ),
        (
            r#"{"dataframe_split": {"columns": ["a", "a"], "data": [[1, 2]]}}"#,
            "column `a` is there twice",
        ),
        (
            r#"{"dataframe_split": {"data": [[1, null]]}}"#,
            "row 0, column `1`: element 0: null is no number",
        ),
        (r#"{"dataframe_split": {"data": [[1, 2, 3]]}}"#, "there are 3 columns"),
        (r#"{"inputs": [[1, 2]], "signature_name": "other"}"#, "one signature"),
    ] {
        let found = parse(body.as_bytes(), ContentType::Json, &one).unwrap_err().to_string();
        assert!(found.contains(said), "{body}: {found}");
    }
    for (body, said) in [
        ("", "empty"),
        ("a,b\n1,\"2", "no end"),
        ("a,b\n1\n", "1 values for 2 columns"),
        ("a,b\n1,x\n", "a string"),
    ] {
        let found = parse(body.as_bytes(), ContentType::Csv, &one).unwrap_err().to_string();
        assert!(found.contains(said), "{body}: {found}");
    }
    for wrong in ["text/plain", "", "application/json; charset=latin1"] {
        ContentType::of(wrong).unwrap_err();
    }
    assert_eq!(
        ContentType::of("application/json; charset=UTF-8").unwrap(),
        ContentType::Json
    );
    assert_eq!(ContentType::of("text/csv").unwrap(), ContentType::Csv);
}

#[test]
fn predictions_are_nested_as_their_shape() {
    let data: Vec<u8> = [0.5_f32, 0.25, f32::NAN, 1.0]
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect();
    let column = |name, shape| Column {
        name,
        datatype: Datatype::Fp32,
        shape,
        data: &data,
    };
    let said = |columns: &[Column<'_>]| String::from_utf8(write_predictions(columns)).unwrap();
    assert_eq!(
        said(&[column("p", &[2, 2])]),
        r#"{"predictions":[[0.5,0.25],[null,1.0]]}"#
    );
    assert_eq!(
        said(&[column("p", &[4]), column("q", &[2, 1, 2])]),
        r#"{"predictions":{"p":[0.5,0.25,null,1.0],"q":[[[0.5,0.25]],[[null,1.0]]]}}"#
    );
}

proptest! {
    #[test]
    fn predictions_read_as_inputs_are_the_same(rows in 1_usize..5, columns in 1_usize..6, seed in any::<u32>()) {
        let values: Vec<f32> = (0..rows * columns).map(|index| (index as f32 + 0.1) * (seed as f32 - 1e9)).collect();
        let data: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        let written = write_predictions(&[Column { name: "x", datatype: Datatype::Fp32, shape: &[rows, columns], data: &data }]);
        let body = String::from_utf8(written).unwrap().replace("predictions", "inputs");
        let read = parse(body.as_bytes(), ContentType::Json, &[wanted("x", &[None])]).unwrap();
        prop_assert_eq!(&read.inputs[0].data, &data);
        prop_assert_eq!(&read.inputs[0].shape, &[rows, columns]);
    }

    #[test]
    fn any_text_is_read_or_refused(body in "[{}\\[\\]\",:0-9a-z.\\n -]{0,80}", field in prop::sample::select(vec!["inputs", "instances", "dataframe_split", "dataframe_records"])) {
        let models = [vec![wanted("a", &[Some(1)])], vec![wanted("a", &[None]), wanted("b", &[Some(2), Some(2)])], vec![]];
        for model in &models {
            for kind in [ContentType::Json, ContentType::Csv] {
                for text in [body.clone(), format!("{{\"{field}\": {body}}}")] {
                    if let Ok(scored) = parse(text.as_bytes(), kind, model) {
                        for input in &scored.inputs {
                            input.check().unwrap();
                        }
                    }
                }
            }
        }
    }
}
