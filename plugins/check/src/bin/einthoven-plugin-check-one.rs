//! The child of the harness's own tests; the product is its own child.
#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    match arguments.as_slice() {
        [_, check, target] => einthoven_plugin_check::run_one(check, target),
        _ => std::process::ExitCode::FAILURE,
    }
}
