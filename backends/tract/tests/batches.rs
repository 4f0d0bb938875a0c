//! NNEF archives, and graphs whose operators forbid an open batch.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use einthoven_backend_tract::TractEngine;
use einthoven_plugin_sdk::{
    Call, Code, DType, Device, Engine, Failure, Instance, ModelFile, ModelPackage, Signature, TensorView,
};
use std::time::Instant;

/// Keeps the one output of a graph.
#[derive(Default)]
struct Kept {
    dims: Vec<usize>,
    words: Vec<f32>,
}

impl Call for Kept {
    fn output(&mut self, _: &str, dtype: DType, dims: &[usize]) -> Result<&mut [u8], Failure> {
        assert_eq!(dtype, DType::F32);
        self.dims = dims.to_vec();
        self.words = vec![0.0; dims.iter().product()];
        Ok(bytemuck::cast_slice_mut(&mut self.words))
    }
    fn fail_item(&mut self, _: usize, failure: Failure) {
        panic!("{failure}");
    }
    fn cancelled(&self) -> bool {
        false
    }
    fn deadline(&self) -> Option<Instant> {
        None
    }
}

fn load(name: &str, bytes: &[u8]) -> Result<(Signature, Box<dyn Instance>), Failure> {
    let files = [ModelFile { name, bytes }];
    let package = ModelPackage {
        files: &files,
        entry: name,
        directory: None,
    };
    let model = TractEngine.load(&package, &serde_json::json!({}))?;
    let instance = model.instance(&Device::Cpu)?;
    Ok((model.signature().clone(), instance))
}

fn run(instance: &mut dyn Instance, name: &str, dims: &[usize], values: &[f32]) -> Kept {
    let view = TensorView::new(name, DType::F32, dims, bytemuck::cast_slice(values)).unwrap();
    let mut kept = Kept::default();
    instance.execute(&[view], &mut kept).unwrap();
    kept
}

fn archive(text: &str) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(text.len() as u64);
    header.set_mode(0o644);
    archive.append_data(&mut header, "graph.nnef", text.as_bytes()).unwrap();
    archive.into_inner().unwrap()
}

#[test]
fn an_nnef_archive_runs_plain_and_compressed() {
    let text = "version 1.0;\n\ngraph net( x ) -> ( y )\n{\n    x = external<scalar>(shape = [2, 3]);\n    y = mul(x, 2.0);\n}\n";
    let plain = archive(text);
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut packed, &plain).unwrap();
    for bytes in [plain, packed.finish().unwrap()] {
        let (signature, mut instance) = load("model.nnef", &bytes).unwrap();
        let kept = run(
            instance.as_mut(),
            &signature.inputs[0].name,
            &[2, 3],
            &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
        );
        assert_eq!(
            (kept.dims, kept.words),
            (vec![2, 3], vec![2.0, 4.0, 6.0, 8.0, 10.0, 12.0])
        );
    }
    for bytes in [
        &b""[..],
        b"no archive",
        &archive("version 1.0;\ngraph net( x ) -> ( y ) { y = nothing(x); }"),
    ] {
        let Err(failure) = load("model.nnef", bytes) else {
            panic!("a broken archive was loaded")
        };
        assert!(!failure.message.is_empty());
        assert!(
            matches!(failure.code, Code::InvalidArgument | Code::Unsupported),
            "{failure:?}"
        );
    }
}

#[test]
fn a_recurrent_network_runs_any_batch_by_fixed_plans() {
    let bytes = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../parity/graphs/lstm.onnx")).unwrap();
    let (signature, mut instance) = load("lstm.onnx", &bytes).unwrap();
    let spec = &signature.inputs[0];
    assert_eq!(spec.dims[0], None, "the batch stays open to callers");
    let width: usize = spec.dims[1..].iter().map(|dim| dim.unwrap()).product();
    let dims = |rows: usize| {
        std::iter::once(rows)
            .chain(spec.dims[1..].iter().map(|dim| dim.unwrap()))
            .collect::<Vec<_>>()
    };
    let values: Vec<f32> = (0..35 * width).map(|i| ((i * 37 % 101) as f32 / 101.0) - 0.5).collect();
    let whole = run(instance.as_mut(), &spec.name, &dims(35), &values);
    assert_eq!(whole.dims[0], 35);
    let each = whole.words.len() / 35;
    for row in 0..35 {
        let one = run(
            instance.as_mut(),
            &spec.name,
            &dims(1),
            &values[row * width..(row + 1) * width],
        );
        for (a, b) in one.words.iter().zip(&whole.words[row * each..]) {
            assert!((a - b).abs() < 1e-5, "row {row}: {a} against {b}");
        }
    }
    assert_eq!(run(instance.as_mut(), &spec.name, &dims(0), &[]).dims[0], 0);
}
