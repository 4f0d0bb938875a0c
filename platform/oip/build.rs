//! Messages and the service are made from `proto/` without `protoc`, which a machine may lack.

use prost::Message;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed=proto");
    let descriptors = protox::compile(["proto/inference.proto"], ["proto"])?;
    let out = std::path::PathBuf::from(std::env::var("OUT_DIR")?);
    let mut prost = tonic_prost_build::Config::new();
    // Tensors stay in the bytes that they came in.
    prost.bytes([".inference.ModelInferRequest", ".inference.ModelInferResponse"]);
    std::fs::write(out.join("inference.bin"), descriptors.encode_to_vec())?;
    tonic_prost_build::configure()
        .build_transport(false)
        .compile_fds_with_config(descriptors, prost)?;
    Ok(())
}
