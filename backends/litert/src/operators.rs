//! Operators that LiteRT's kernels for the CPU lack, named before anything is compiled.

use crate::runtime::Operator;
use einthoven_plugin_sdk::Failure;

/// Custom operators that the library carries.
const CUSTOM: [&str; 5] = [
    "AudioSpectrogram",
    "Mfcc",
    "NumericVerify",
    "TFLite_Detection_PostProcess",
    "aeq.hadamard_rotation",
];

/// Operators of the schema without a kernel.
const LACKING: [(i32, &str); 37] = [
    (29, "CONCAT_EMBEDDINGS"),
    (31, "CALL"),
    (51, "DELEGATE"),
    (127, "PLACEHOLDER_FOR_GREATER_OP_CODES"),
    (162, "STABLEHLO_LOGISTIC"),
    (164, "STABLEHLO_DIVIDE"),
    (167, "STABLEHLO_RESHAPE"),
    (168, "STABLEHLO_CLAMP"),
    (169, "STABLEHLO_CONCATENATE"),
    (170, "STABLEHLO_BROADCAST_IN_DIM"),
    (171, "STABLEHLO_CONVOLUTION"),
    (172, "STABLEHLO_SLICE"),
    (173, "STABLEHLO_CUSTOM_CALL"),
    (174, "STABLEHLO_REDUCE"),
    (175, "STABLEHLO_ABS"),
    (177, "STABLEHLO_COSINE"),
    (178, "STABLEHLO_EXPONENTIAL"),
    (179, "STABLEHLO_FLOOR"),
    (180, "STABLEHLO_LOG"),
    (182, "STABLEHLO_NEGATE"),
    (183, "STABLEHLO_OR"),
    (184, "STABLEHLO_POWER"),
    (185, "STABLEHLO_REMAINDER"),
    (186, "STABLEHLO_RSQRT"),
    (187, "STABLEHLO_SELECT"),
    (188, "STABLEHLO_SUBTRACT"),
    (189, "STABLEHLO_TANH"),
    (191, "STABLEHLO_COMPARE"),
    (192, "STABLEHLO_CONVERT"),
    (193, "STABLEHLO_DYNAMIC_SLICE"),
    (194, "STABLEHLO_DYNAMIC_UPDATE_SLICE"),
    (196, "STABLEHLO_IOTA"),
    (197, "STABLEHLO_DOT_GENERAL"),
    (199, "STABLEHLO_SORT"),
    (200, "STABLEHLO_WHILE"),
    (202, "STABLEHLO_TRANSPOSE"),
    (208, "STABLEHLO_CBRT"),
];
/// The schema's largest number when the library was made.
const LAST: i32 = 208;
/// How many are named; a graph may hold thousands of one kind.
const NAMED: usize = 10;

/// Refuses a graph with operators that cannot run.
pub(crate) fn check(operators: &[Operator]) -> Result<(), Failure> {
    let lacking: Vec<_> = operators
        .iter()
        .filter_map(|operator| {
            let name = match &operator.custom {
                Some(name) if CUSTOM.contains(&name.as_str()) => return None,
                Some(name) => format!("custom operator `{name}`"),
                None if !(0..=LAST).contains(&operator.code) => format!("operator number {}", operator.code),
                None => LACKING.iter().find(|(code, _)| *code == operator.code)?.1.to_owned(),
            };
            Some(format!("{name} (writes `{}`)", operator.writes))
        })
        .collect();
    if lacking.is_empty() {
        return Ok(());
    }
    let more = lacking.len().saturating_sub(NAMED);
    let mut text = lacking[..lacking.len() - more].join(", ");
    if more > 0 {
        text = format!("{text} and {more} more");
    }
    Err(Failure::unsupported(format!(
        "LiteRT has no kernel for {text}; convert the model to TensorFlow Lite's own operators"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn operator(code: i32, custom: Option<&str>) -> Operator {
        Operator {
            code,
            custom: custom.map(str::to_owned),
            writes: "out".to_owned(),
        }
    }

    #[test]
    fn operators_without_a_kernel_are_named_with_what_they_write() {
        assert!(check(&[operator(3, None), operator(32, Some("Mfcc"))]).is_ok());
        let failure = check(&[operator(3, None), operator(32, Some("FlexErf")), operator(177, None)]).unwrap_err();
        assert!(
            failure
                .message
                .contains("custom operator `FlexErf` (writes `out`), STABLEHLO_COSINE (writes `out`)"),
            "{failure}"
        );
        let many = vec![operator(900, None); 25];
        assert!(check(&many).unwrap_err().message.contains("and 15 more"));
    }
}
