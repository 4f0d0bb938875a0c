//! The input example of a model, as tensors.

use crate::{Error, MlModel, Spec};
use serde_json::{Map, Value};

const FILE: &str = "the input example";
/// Dimensions of a tensor; NumPy allows 64, no model here has more.
const MOST_DIMENSIONS: usize = 16;

/// A tensor of numbers from an input example.
#[derive(Debug, Clone, PartialEq)]
pub struct ExampleTensor {
    /// Of the input; absent where the model's only input has none.
    pub name: Option<String>,
    /// As the signature says, such as `float32`; `None` without a signature.
    pub dtype: Option<String>,
    /// Its sides.
    pub shape: Vec<usize>,
    /// Row after row; whole numbers beyond 2^53 are rounded.
    pub values: Vec<f64>,
}

/// Reads an input example in any of MLflow's JSON forms: `inputs`, `instances`, `dataframe_split`, `dataframe_records`,
/// a bare array, or arrays by name.
///
/// # Errors
///
/// [`Error::Malformed`] when it is not JSON, is ragged, or holds something else than numbers and booleans.
pub fn example(content: &[u8], model: &MlModel) -> Result<Vec<ExampleTensor>, Error> {
    let value: Value = serde_json::from_slice(content).map_err(|cause| wrong(cause.to_string()))?;
    let sparse = model
        .saved_input_example_info
        .as_ref()
        .and_then(|info| info.kind.as_deref())
        .is_some_and(|kind| kind.starts_with("sparse"));
    if sparse {
        return Err(wrong("it is a sparse matrix".to_owned()));
    }
    let named = match value {
        Value::Object(mut object) => {
            if let Some(inputs) = object.remove("inputs").or_else(|| object.remove("instances")) {
                arrays(inputs)?
            } else if let Some(split) = object.remove("dataframe_split") {
                columns(&split)?
            } else if let Some(records) = object.remove("dataframe_records") {
                self::records(records)?
            } else if object.contains_key("columns") && object.contains_key("data") {
                columns(&Value::Object(object))?
            } else {
                arrays(Value::Object(object))?
            }
        }
        other => arrays(other)?,
    };
    let specs = model.signature.as_ref().map_or(&[][..], |signature| &signature.inputs);
    named
        .into_iter()
        .map(|(name, value)| tensor(name, &value, specs))
        .collect()
}

type Named = Vec<(Option<String>, Value)>;

fn arrays(value: Value) -> Result<Named, Error> {
    match value {
        Value::Object(object) => Ok(object.into_iter().map(|(name, value)| (Some(name), value)).collect()),
        Value::Array(items) if items.first().is_some_and(Value::is_object) => records(Value::Array(items)),
        Value::Array(_) => Ok(vec![(None, value)]),
        _ => Err(wrong("it is neither an array nor arrays by name".to_owned())),
    }
}

/// One tensor for each column, of as many values as there are rows.
fn columns(split: &Value) -> Result<Named, Error> {
    let part = |name: &str| split.get(name).and_then(Value::as_array);
    let rows = part("data").ok_or_else(|| wrong("the data frame has no rows".to_owned()))?;
    let width = match (part("columns"), rows.first().and_then(Value::as_array)) {
        (Some(names), _) => names.len(),
        (None, Some(first)) => first.len(),
        (None, None) => 0,
    };
    (0..width)
        .map(|column| {
            let name = part("columns")
                .and_then(|names| names.get(column))
                .map(|name| match name {
                    Value::String(name) => name.clone(),
                    other => other.to_string(),
                });
            let values: Option<Vec<Value>> = rows.iter().map(|row| row.get(column).cloned()).collect();
            values
                .map(|values| (name, Value::Array(values)))
                .ok_or_else(|| wrong("a row of the data frame is too short".to_owned()))
        })
        .collect()
}

fn records(value: Value) -> Result<Named, Error> {
    let mut columns: Map<String, Value> = Map::new();
    let Value::Array(rows) = value else {
        return Err(wrong("the records are no array".to_owned()));
    };
    let count = rows.len();
    for row in rows {
        let Value::Object(row) = row else {
            return Err(wrong("a record has no names".to_owned()));
        };
        for (name, value) in row {
            match columns.entry(name).or_insert_with(|| Value::Array(Vec::new())) {
                Value::Array(values) => values.push(value),
                _ => return Err(wrong("a record is no record".to_owned())),
            }
        }
    }
    if columns
        .values()
        .any(|column| column.as_array().map(Vec::len) != Some(count))
    {
        return Err(wrong("the records have different names".to_owned()));
    }
    Ok(columns.into_iter().map(|(name, value)| (Some(name), value)).collect())
}

fn tensor(name: Option<String>, value: &Value, specs: &[Spec]) -> Result<ExampleTensor, Error> {
    let spec = match (&name, specs) {
        (Some(name), _) => specs.iter().find(|spec| spec.name() == Some(name)),
        (None, [only]) => Some(only),
        (None, _) => None,
    };
    let dtype = spec.map(|spec| match spec {
        Spec::Tensor { dtype, .. } => dtype.clone(),
        Spec::Column { kind, .. } => kind.clone(),
    });
    let mut shape = Vec::new();
    let mut next = value;
    while let Value::Array(items) = next {
        if shape.len() == MOST_DIMENSIONS {
            return Err(wrong(format!("it has more than {MOST_DIMENSIONS} dimensions")));
        }
        shape.push(items.len());
        let Some(first) = items.first() else { break };
        next = first;
    }
    let mut values = Vec::new();
    collect(value, &shape, &mut values)?;
    Ok(ExampleTensor {
        name: name.or_else(|| spec.and_then(Spec::name).map(str::to_owned)),
        dtype,
        shape,
        values,
    })
}

fn collect(value: &Value, shape: &[usize], values: &mut Vec<f64>) -> Result<(), Error> {
    match (value, shape) {
        (Value::Array(items), [side, rest @ ..]) if items.len() == *side => {
            items.iter().try_for_each(|item| collect(item, rest, values))
        }
        (Value::Number(number), []) => {
            values.extend(number.as_f64());
            Ok(())
        }
        (Value::Bool(truth), []) => {
            values.push(f64::from(u8::from(*truth)));
            Ok(())
        }
        (Value::Array(_), _) => Err(wrong("its rows differ in length".to_owned())),
        (_, [_, ..]) => Err(wrong("its rows differ in depth".to_owned())),
        (_, []) => Err(wrong("it holds something else than numbers".to_owned())),
    }
}

fn wrong(why: String) -> Error {
    Error::Malformed { file: FILE, why }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model(inputs: &str) -> MlModel {
        MlModel::parse(format!("flavors: {{}}\nsignature:\n  inputs: '{inputs}'\n").as_bytes()).unwrap()
    }

    #[test]
    fn every_form_gives_the_tensor() {
        let named =
            model(r#"[{"name": "x", "type": "tensor", "tensor-spec": {"dtype": "float32", "shape": [-1, 2]}}]"#);
        let wanted = ExampleTensor {
            name: Some("x".to_owned()),
            dtype: Some("float32".to_owned()),
            shape: vec![1, 2],
            values: vec![1.0, 2.5],
        };
        for form in [
            r#"{"inputs": {"x": [[1, 2.5]]}}"#,
            r#"{"inputs": [[1, 2.5]]}"#,
            r#"{"instances": [[1, 2.5]]}"#,
            r#"{"x": [[1, 2.5]]}"#,
            r#"[[1, 2.5]]"#,
        ] {
            assert_eq!(
                example(form.as_bytes(), &named).unwrap(),
                std::slice::from_ref(&wanted),
                "{form}"
            );
        }
        let columns = model(r#"[{"name": "a", "type": "double"}, {"name": "b", "type": "long"}]"#);
        for form in [
            r#"{"dataframe_split": {"columns": ["a", "b"], "data": [[1.5, 2], [3.5, 4]]}}"#,
            r#"{"columns": ["a", "b"], "data": [[1.5, 2], [3.5, 4]]}"#,
            r#"{"dataframe_records": [{"a": 1.5, "b": 2}, {"a": 3.5, "b": 4}]}"#,
            r#"[{"a": 1.5, "b": 2}, {"a": 3.5, "b": 4}]"#,
        ] {
            let tensors = example(form.as_bytes(), &columns).unwrap();
            assert_eq!(tensors.len(), 2, "{form}");
            assert_eq!(
                (tensors[0].values.as_slice(), tensors[0].shape.as_slice()),
                (&[1.5, 3.5][..], &[2][..])
            );
            assert_eq!(tensors[1].dtype.as_deref(), Some("long"));
        }
    }

    #[test]
    fn what_is_no_tensor_is_refused() {
        for form in [
            "[[1], [2, 3]]",
            "[1, [2]]",
            "[[1], 2]",
            r#"["a"]"#,
            "[null]",
            "3",
            "[NaN]",
            "{",
            r#"[{"a": 1}, {"b": 1}]"#,
        ] {
            assert!(example(form.as_bytes(), &model("[]")).is_err(), "{form}");
        }
    }
}
