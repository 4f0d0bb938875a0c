//! Small graphs, one property each; `graphs/make.py` writes them.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use einthoven_plugin_sdk::{Code, DType, Failure, Model, TensorView};
use serde_json::json;
use support::{Floats, Outputs, engine, instance, load, run, small};

fn graph(name: &str) -> Result<Box<dyn Model>, Failure> {
    load(&engine(), &small(name), &json!({}))
}

fn floats(dims: &[usize], values: &[f32]) -> [Floats; 1] {
    [Floats {
        name: "x".to_owned(),
        dims: dims.to_vec(),
        values: values.to_vec(),
    }]
}

#[test]
fn a_full_int8_graph_takes_and_gives_int8_as_they_are() {
    let model = graph("int8").unwrap();
    assert_eq!(model.signature().inputs[0].dtype, DType::I8);
    assert_eq!(model.signature().outputs[0].dtype, DType::I8);
    assert_eq!(model.signature().outputs[0].dims, [None, Some(2)]);
    let rows: [i8; 6] = [1, 0, 1, 0, 4, -4];
    let bytes = rows.map(i8::cast_unsigned);
    let view = TensorView::new("x", DType::I8, &[2, 3], &bytes).unwrap();
    let mut outputs = Outputs::default();
    instance(&*model).execute(&[view], &mut outputs).unwrap();
    // 0.5 * (weights . row) + bias, and the zero point of -1.
    let (dtype, dims, bytes) = &outputs.tensors["y"];
    assert_eq!((*dtype, dims.as_slice()), (DType::I8, &[2, 2][..]));
    let values: Vec<_> = bytes.iter().map(|byte| byte.cast_signed()).collect();
    assert_eq!(values, [3, 19, -9, 91]);
}

#[test]
fn a_graph_with_int8_weights_takes_and_gives_floats() {
    let model = graph("dynamic_range").unwrap();
    let got = run(
        &mut *instance(&*model),
        &floats(&[2, 3], &[1.0, 0.0, 2.0, 0.0, 4.0, -4.0]),
    )
    .unwrap()
    .floats("y");
    for (got, wanted) in got.iter().zip([5.5, 12.0, -8.0, 92.0]) {
        assert!((got - wanted).abs() < 0.5, "{got} {wanted}");
    }
}

#[test]
fn a_graph_made_for_one_row_runs_row_by_row() {
    let model = graph("fixed_shape_inside").unwrap();
    assert_eq!(model.signature().inputs[0].dims, [None, Some(2), Some(3)]);
    assert_eq!(model.signature().outputs[1].dims, [None, Some(6)]);
    let mut instance = instance(&*model);
    let values: Vec<f32> = (0..30).map(|value| value as f32).collect();
    let outputs = run(&mut *instance, &floats(&[5, 2, 3], &values)).unwrap();
    assert_eq!(outputs.tensors["y"].1, [5, 6]);
    assert_eq!(outputs.floats("y"), values);
    assert_eq!(
        outputs.floats("z"),
        values.iter().map(|value| -value).collect::<Vec<_>>()
    );
    assert_eq!(
        run(&mut *instance, &floats(&[0, 2, 3], &[])).unwrap().tensors["y"].1,
        [0, 6]
    );

    let bytes = [0; 5 * 6 * 4];
    let view = TensorView::new("x", DType::F32, &[5, 2, 3], &bytes).unwrap();
    let mut given_up = Outputs {
        cancelled: true,
        ..Outputs::default()
    };
    assert_eq!(
        instance.execute(&[view], &mut given_up).unwrap_err().code,
        Code::Cancelled
    );
}

#[test]
fn rows_do_not_see_each_other_even_where_the_graph_would_mix_them() {
    let model = graph("rows_mixed").unwrap();
    let got = run(
        &mut *instance(&*model),
        &floats(&[2, 3], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]),
    );
    assert_eq!(got.unwrap().floats("y"), [0.0; 6]);
}

#[test]
fn another_fixed_batch_is_declared_and_kept() {
    let model = graph("batch_of_four").unwrap();
    assert_eq!(model.signature().inputs[0].dims, [Some(4), Some(3)]);
    let mut instance = instance(&*model);
    let four = run(&mut *instance, &floats(&[4, 3], &[1.5; 12])).unwrap();
    assert_eq!(four.floats("y"), [-1.5; 12]);
    let failure = run(&mut *instance, &floats(&[2, 3], &[1.5; 6])).err().unwrap();
    assert_eq!(failure.code, Code::InvalidArgument);
}

#[test]
fn every_element_type_goes_in_and_out_by_name_in_any_order() {
    let model = graph("types").unwrap();
    let int64: Vec<u8> = [1_i64 << 40, -1, 7, 8]
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect();
    let float32: Vec<u8> = [0.5_f32, 1.5, 2.5, 3.5]
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect();
    // 1, -2, 0.5 and 65504 in 16 bits.
    let float16: Vec<u8> = [0x3c00_u16, 0xc000, 0x3800, 0x7bff]
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect();
    let dims = [2, 2];
    let view = |name, dtype, bytes| TensorView::new(name, dtype, &dims, bytes).unwrap();
    let views = [
        view("in_float16", DType::F16, &float16),
        view("in_bool", DType::Bool, &[1, 0, 0, 0]),
        view("in_uint8", DType::U8, &[1, 255, 3, 4]),
        view("in_int8", DType::I8, &[128, 127, 3, 4]),
        view("in_int64", DType::I64, &int64),
        view("in_float32", DType::F32, &float32),
    ];
    let mut outputs = Outputs::default();
    instance(&*model).execute(&views, &mut outputs).unwrap();
    assert_eq!(outputs.floats("out_float32"), [1.5, 0.5, 3.5, 2.5]);
    assert_eq!(outputs.floats("out_float16"), [1.0, -2.0, 0.5, 65504.0]);
    assert_eq!(
        outputs.tensors["out_uint8"],
        (DType::U8, vec![2, 2], vec![255, 1, 4, 3])
    );
    assert_eq!(
        outputs.tensors["out_int8"],
        (DType::I8, vec![2, 2], vec![127, 128, 4, 3])
    );
    assert_eq!(outputs.tensors["out_bool"], (DType::Bool, vec![2, 2], vec![0, 1, 0, 0]));
    let swapped: Vec<u8> = [-1_i64, 1 << 40, 8, 7]
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect();
    assert_eq!(outputs.tensors["out_int64"], (DType::I64, vec![2, 2], swapped));
}

#[test]
fn what_the_engine_lacks_is_named_at_load() {
    for (name, words) in [
        (
            "lacking",
            &[
                "custom operator `FlexErf` (writes `hidden`)",
                "STABLEHLO_COSINE (writes `y`)",
            ][..],
        ),
        ("int32_input", &["tensor `x`", "i32"]),
    ] {
        let failure = graph(name).err().unwrap();
        assert_eq!(failure.code, Code::Unsupported, "{failure}");
        assert!(words.iter().all(|word| failure.message.contains(word)), "{failure}");
    }
}
