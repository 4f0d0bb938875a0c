//! The few fields of ONNX's protobuf messages that are looked at before ONNX Runtime sees a file.
//!
//! Texts are bytes: the format does not promise UTF-8, and a name that is not must not hide a file.

use prost::Message;

#[derive(Message)]
pub(crate) struct Model {
    #[prost(message, optional, tag = "7")]
    pub(crate) graph: Option<Graph>,
    #[prost(message, repeated, tag = "20")]
    pub(crate) training: Vec<Training>,
    #[prost(message, repeated, tag = "25")]
    pub(crate) functions: Vec<Function>,
}

#[derive(Message)]
pub(crate) struct Training {
    #[prost(message, optional, tag = "1")]
    pub(crate) initialization: Option<Graph>,
    #[prost(message, optional, tag = "2")]
    pub(crate) algorithm: Option<Graph>,
}

#[derive(Message)]
pub(crate) struct Function {
    #[prost(message, repeated, tag = "7")]
    pub(crate) nodes: Vec<Node>,
    #[prost(message, repeated, tag = "11")]
    pub(crate) attributes: Vec<Attribute>,
}

#[derive(Message)]
pub(crate) struct Graph {
    #[prost(message, repeated, tag = "1")]
    pub(crate) nodes: Vec<Node>,
    #[prost(message, repeated, tag = "5")]
    pub(crate) initializers: Vec<Tensor>,
    #[prost(message, repeated, tag = "15")]
    pub(crate) sparse_initializers: Vec<SparseTensor>,
}

#[derive(Message)]
pub(crate) struct Node {
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

#[derive(Message)]
pub(crate) struct Attribute {
    #[prost(message, optional, tag = "5")]
    pub(crate) tensor: Option<Tensor>,
    #[prost(message, optional, tag = "6")]
    pub(crate) graph: Option<Graph>,
    #[prost(message, repeated, tag = "10")]
    pub(crate) tensors: Vec<Tensor>,
    #[prost(message, repeated, tag = "11")]
    pub(crate) graphs: Vec<Graph>,
    #[prost(message, optional, tag = "22")]
    pub(crate) sparse_tensor: Option<SparseTensor>,
    #[prost(message, repeated, tag = "23")]
    pub(crate) sparse_tensors: Vec<SparseTensor>,
}

#[derive(Message)]
pub(crate) struct SparseTensor {
    #[prost(message, optional, tag = "1")]
    pub(crate) values: Option<Tensor>,
    #[prost(message, optional, tag = "2")]
    pub(crate) indices: Option<Tensor>,
}

#[derive(Message)]
pub(crate) struct Tensor {
    #[prost(bytes = "vec", tag = "8")]
    pub(crate) name: Vec<u8>,
    #[prost(message, repeated, tag = "13")]
    pub(crate) external: Vec<Entry>,
    /// 1: the elements lie in another file.
    #[prost(int32, tag = "14")]
    pub(crate) location: i32,
}

#[derive(Message)]
pub(crate) struct Entry {
    #[prost(bytes = "vec", tag = "1")]
    pub(crate) key: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    pub(crate) value: Vec<u8>,
}
