//! What an ONNX file says about itself beside the graph.

use prost::Message;

/// The part of ONNX's `ModelProto` that is read here; everything else is skipped.
#[derive(Clone, PartialEq, Message)]
struct ModelProto {
    #[prost(message, repeated, tag = "14")]
    metadata_props: Vec<Property>,
}

#[derive(Clone, PartialEq, Message)]
struct Property {
    #[prost(string, tag = "1")]
    key: String,
    #[prost(string, tag = "2")]
    value: String,
}

/// Keys under which exporters write the classes.
const KEYS: [&str; 4] = ["labels", "classes", "class_names", "einthoven.labels"];

/// The classes that the file's metadata names, as a JSON list or with commas; none where it names none.
pub(crate) fn labels(bytes: &[u8]) -> Option<Vec<String>> {
    let model = ModelProto::decode(bytes).ok()?;
    let found = |key| model.metadata_props.iter().find(|property| property.key == key);
    let text = &KEYS.into_iter().find_map(found)?.value;
    let labels: Vec<String> =
        serde_json::from_str(text).unwrap_or_else(|_| text.split(',').map(|label| label.trim().to_owned()).collect());
    (labels.len() > 1 && labels.iter().all(|label| !label.is_empty())).then_some(labels)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_found_in_either_form() {
        for text in ["[\"N\", \"S\"]", "N, S"] {
            let property = Property {
                key: "classes".to_owned(),
                value: text.to_owned(),
            };
            let model = ModelProto {
                metadata_props: vec![property],
            };
            assert_eq!(labels(&model.encode_to_vec()).unwrap(), ["N", "S"]);
        }
        assert_eq!(labels(b"no protobuf"), None);
        assert_eq!(labels(&[]), None);
    }
}
