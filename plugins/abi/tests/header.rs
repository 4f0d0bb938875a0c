//! A C compiler and Rust agree about every struct of the contract: size, fields and where each lies.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use einthoven_plugin_abi::{engine, plugin, reader};
use std::fmt::Write as _;
use std::mem::{offset_of, size_of};
use std::path::Path;
use std::process::Command;

/// Adds assertions about one struct. The closure makes the compiler refuse a list that lacks a field.
macro_rules! layout {
    ($c:ident, $name:literal, $module:ident :: $shape:ident { $($field:ident),+ }) => {
        let _ = |whole: $module::$shape| {
            let $module::$shape { $($field: _),+ } = whole;
        };
        equal(&mut $c, &format!("sizeof(einthoven_{})", $name), size_of::<$module::$shape>());
        $(equal(
            &mut $c,
            &format!("offsetof(einthoven_{}, {})", $name, stringify!($field)),
            offset_of!($module::$shape, $field),
        );)+
    };
}

fn equal(c: &mut String, expression: &str, value: usize) {
    let number = c.lines().count();
    writeln!(c, "extern char equal_{number}[{expression} == {value} ? 1 : -1];").unwrap();
}

#[test]
fn c_and_rust_agree_about_every_field() {
    let include = Path::new(env!("CARGO_MANIFEST_DIR")).join("include");
    let headers = ["einthoven_plugin.h", "einthoven_engine.h", "einthoven_reader.h"];
    let mut c = String::from("#include <stddef.h>\n");
    for header in headers {
        writeln!(c, "#include \"{header}\"").unwrap();
    }
    layout!(c, "str", plugin::Str { ptr, len });
    layout!(
        c,
        "host",
        plugin::Host {
            struct_size,
            abi_minor,
            host,
            log
        }
    );
    layout!(
        c,
        "report",
        plugin::Report {
            struct_size,
            abi_minor,
            ctx,
            set_error
        }
    );
    layout!(
        c,
        "setup",
        plugin::Setup {
            struct_size,
            abi_minor,
            directory,
            config
        }
    );
    layout!(
        c,
        "plugin",
        plugin::Plugin {
            struct_size,
            abi_minor,
            requires_host_minor,
            kind,
            name,
            version,
            formats,
            format_count,
            config_schema,
            api
        }
    );
    layout!(
        c,
        "tensor",
        engine::Tensor {
            name,
            data,
            len,
            dims,
            rank,
            dtype
        }
    );
    layout!(
        c,
        "tensor_spec",
        engine::TensorSpec {
            name,
            dims,
            rank,
            dtype
        }
    );
    layout!(
        c,
        "signature",
        engine::Signature {
            struct_size,
            abi_minor,
            inputs,
            input_count,
            outputs,
            output_count
        }
    );
    layout!(c, "model_file", engine::ModelFile { name, data, len });
    layout!(
        c,
        "model_package",
        engine::ModelPackage {
            struct_size,
            abi_minor,
            files,
            file_count,
            entry,
            directory,
            config
        }
    );
    layout!(
        c,
        "device",
        engine::Device {
            struct_size,
            abi_minor,
            kind,
            ordinal
        }
    );
    layout!(
        c,
        "call",
        engine::Call {
            struct_size,
            abi_minor,
            ctx,
            inputs,
            input_count,
            remaining_ns,
            set_error,
            output,
            fail_item,
            cancelled
        }
    );
    layout!(
        c,
        "engine_api",
        engine::EngineApi {
            struct_size,
            abi_minor,
            capabilities,
            dtypes,
            devices,
            open,
            close,
            runtime,
            load,
            signature,
            unload,
            instance,
            provider,
            release,
            execute
        }
    );
    layout!(c, "input_file", reader::InputFile { name, data, len });
    layout!(
        c,
        "read",
        reader::Read {
            struct_size,
            abi_minor,
            ctx,
            files,
            file_count,
            sampling_rate_hz,
            millivolts_per_unit,
            record,
            set_error,
            begin,
            lead,
            flag
        }
    );
    layout!(
        c,
        "reader_api",
        reader::ReaderApi {
            struct_size,
            abi_minor,
            open,
            close,
            recognises,
            read
        }
    );
    for header in headers {
        let text = std::fs::read_to_string(include.join(header)).unwrap();
        let shapes = text.lines().filter_map(|line| line.strip_prefix("typedef struct "));
        for shape in shapes.map(|shape| shape.trim_end_matches(" {")) {
            assert!(c.contains(&format!("sizeof({shape})")), "{shape} is not compared");
        }
    }
    compiles(&include, &c);
}

fn compiles(include: &Path, c: &str) {
    let file = std::env::temp_dir().join(format!("einthoven-layout-{}.c", std::process::id()));
    std::fs::write(&file, c).unwrap();
    let output = Command::new("gcc")
        .args([
            "-std=c99",
            "-Wall",
            "-Wextra",
            "-Werror",
            "-pedantic",
            "-fsyntax-only",
            "-I",
        ])
        .arg(include)
        .arg(&file)
        .output();
    std::fs::remove_file(&file).unwrap();
    let Ok(output) = output else {
        eprintln!("SKIPPED: there is no gcc, so nothing was compared");
        return;
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
