//! The few fields of ONNX's protobuf messages that are looked at before ONNX Runtime sees a file.
//!
//! Texts are bytes: the format does not promise UTF-8, and a name that is not must not hide a file.

use prost::Message;

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Model {
    #[prost(message, repeated, tag = "8")]
    pub(crate) operator_sets: Vec<OperatorSet>,
    #[prost(message, optional, tag = "7")]
    pub(crate) graph: Option<Graph>,
    #[prost(message, repeated, tag = "20")]
    pub(crate) training: Vec<Training>,
    #[prost(message, repeated, tag = "25")]
    pub(crate) functions: Vec<Function>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct OperatorSet {
    /// Empty for ONNX's own operators.
    #[prost(bytes = "vec", tag = "1")]
    pub(crate) domain: Vec<u8>,
    #[prost(int64, tag = "2")]
    pub(crate) version: i64,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Training {
    #[prost(message, optional, tag = "1")]
    pub(crate) initialization: Option<Graph>,
    #[prost(message, optional, tag = "2")]
    pub(crate) algorithm: Option<Graph>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Function {
    #[prost(message, repeated, tag = "7")]
    pub(crate) nodes: Vec<Node>,
    #[prost(message, repeated, tag = "11")]
    pub(crate) attributes: Vec<Attribute>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Graph {
    #[prost(message, repeated, tag = "1")]
    pub(crate) nodes: Vec<Node>,
    #[prost(message, repeated, tag = "5")]
    pub(crate) initializers: Vec<Tensor>,
    #[prost(message, repeated, tag = "11")]
    pub(crate) inputs: Vec<Value>,
    #[prost(message, repeated, tag = "12")]
    pub(crate) outputs: Vec<Value>,
    #[prost(message, repeated, tag = "15")]
    pub(crate) sparse_initializers: Vec<SparseTensor>,
}

/// An input or an output of a graph.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Value {
    #[prost(bytes = "vec", tag = "1")]
    pub(crate) name: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Node {
    #[prost(bytes = "vec", repeated, tag = "1")]
    pub(crate) inputs: Vec<Vec<u8>>,
    #[prost(bytes = "vec", repeated, tag = "2")]
    pub(crate) outputs: Vec<Vec<u8>>,
    #[prost(bytes = "vec", tag = "3")]
    pub(crate) name: Vec<u8>,
    #[prost(bytes = "vec", tag = "4")]
    pub(crate) operator: Vec<u8>,
    #[prost(message, repeated, tag = "5")]
    pub(crate) attributes: Vec<Attribute>,
    #[prost(bytes = "vec", tag = "7")]
    pub(crate) domain: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Attribute {
    #[prost(bytes = "vec", tag = "1")]
    pub(crate) name: Vec<u8>,
    #[prost(int64, tag = "3")]
    pub(crate) number: i64,
    #[prost(message, optional, tag = "5")]
    pub(crate) tensor: Option<Tensor>,
    #[prost(message, optional, tag = "6")]
    pub(crate) graph: Option<Graph>,
    #[prost(int64, repeated, tag = "8")]
    pub(crate) numbers: Vec<i64>,
    #[prost(message, repeated, tag = "10")]
    pub(crate) tensors: Vec<Tensor>,
    #[prost(message, repeated, tag = "11")]
    pub(crate) graphs: Vec<Graph>,
    /// 7: numbers.
    #[prost(int32, tag = "20")]
    pub(crate) kind: i32,
    #[prost(message, optional, tag = "22")]
    pub(crate) sparse_tensor: Option<SparseTensor>,
    #[prost(message, repeated, tag = "23")]
    pub(crate) sparse_tensors: Vec<SparseTensor>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct SparseTensor {
    #[prost(message, optional, tag = "1")]
    pub(crate) values: Option<Tensor>,
    #[prost(message, optional, tag = "2")]
    pub(crate) indices: Option<Tensor>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Tensor {
    #[prost(int64, repeated, tag = "1")]
    pub(crate) dims: Vec<i64>,
    /// 1: 32-bit floating point.
    #[prost(int32, tag = "2")]
    pub(crate) dtype: i32,
    #[prost(bytes = "vec", tag = "8")]
    pub(crate) name: Vec<u8>,
    #[prost(message, repeated, tag = "13")]
    pub(crate) external: Vec<Entry>,
    /// 1: the elements lie in another file.
    #[prost(int32, tag = "14")]
    pub(crate) location: i32,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Entry {
    #[prost(bytes = "vec", tag = "1")]
    pub(crate) key: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    pub(crate) value: Vec<u8>,
}
