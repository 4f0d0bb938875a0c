//! A graph before ONNX Runtime sees it: which files it names, which nodes it has.

use crate::{lift, proto};
use einthoven_plugin_sdk::{Code, Failure, ModelPackage};
use prost::Message;
use std::collections::BTreeMap;
use std::path::{Component, Path};
use std::sync::Arc;

/// A package's bytes as ONNX Runtime gets them; it opens no file itself.
pub(crate) struct Source {
    /// The graph file.
    pub(crate) graph: Arc<[u8]>,
    /// The graph for the processor, where that is to get another one.
    pub(crate) lifted: Option<Arc<[u8]>>,
    /// Files with weights, by the name that the graph knows them by.
    pub(crate) weights: Vec<(String, Arc<[u8]>)>,
    /// All nodes, those of subgraphs and functions too.
    pub(crate) nodes: Vec<NodeName>,
}

/// A node as people find it in their exporter.
pub(crate) struct NodeName {
    /// Its name, or that of its first output where it has none.
    pub(crate) name: String,
    /// `Conv`, ...
    pub(crate) operator: String,
    /// Empty for ONNX's own operators.
    pub(crate) domain: String,
}

impl Source {
    /// Takes the files out of the package, once every file that the graph names is found to lie inside. With `lift`, for sessions on the
    /// processor of so many threads, there is a lifted graph too where that gains.
    pub(crate) fn read(package: &ModelPackage<'_>, lift: Option<usize>) -> Result<Self, Failure> {
        let entry = package.entry;
        let bytes = package
            .file(entry)
            .ok_or_else(|| Failure::new(Code::NotFound, format!("the package has no file `{entry}`")))?;
        let model = proto::Model::decode(bytes)
            .map_err(|cause| Failure::invalid(format!("`{entry}` is no ONNX file or damaged: {cause}")))?;
        let Some(graph) = &model.graph else {
            return Err(Failure::invalid(format!(
                "`{entry}` is no ONNX file or damaged: it holds no graph"
            )));
        };
        let mut walk = Walk {
            package,
            weights: BTreeMap::new(),
            nodes: Vec::new(),
        };
        for tensor in &graph.initializers {
            walk.weights(tensor)?;
        }
        walk.inner(graph)?;
        for training in &model.training {
            for graph in training.initialization.iter().chain(&training.algorithm) {
                walk.graph(graph)?;
            }
        }
        for function in &model.functions {
            walk.nodes(&function.nodes)?;
            walk.attributes("function", &function.attributes)?;
        }
        Ok(Self {
            graph: bytes.into(),
            lifted: lift
                .and_then(|threads| lift::lifted(bytes, &model, threads))
                .map(Arc::from),
            weights: walk
                .weights
                .into_iter()
                .map(|(name, bytes)| (name, bytes.into()))
                .collect(),
            nodes: walk.nodes,
        })
    }
}

struct Walk<'a> {
    package: &'a ModelPackage<'a>,
    weights: BTreeMap<String, &'a [u8]>,
    nodes: Vec<NodeName>,
}

impl<'a> Walk<'a> {
    /// A graph's nodes and what only ONNX Runtime itself could fetch.
    fn inner(&mut self, graph: &proto::Graph) -> Result<(), Failure> {
        for sparse in &graph.sparse_initializers {
            self.sparse("sparse initializer", sparse)?;
        }
        self.nodes(&graph.nodes)
    }

    /// A graph inside the graph.
    fn graph(&mut self, graph: &proto::Graph) -> Result<(), Failure> {
        for tensor in &graph.initializers {
            self.inline("subgraph", tensor)?;
        }
        self.inner(graph)
    }

    fn nodes(&mut self, nodes: &[proto::Node]) -> Result<(), Failure> {
        for node in nodes {
            let name = match (node.name.as_slice(), node.outputs.first()) {
                (b"", Some(output)) => text(output),
                (name, _) => text(name),
            };
            let operator = text(&node.operator);
            if operator == "EPContext" {
                return Err(Failure::unsupported(format!(
                    "node `{name}` (EPContext) holds a graph compiled for one device; give the ONNX file it was made from"
                )));
            }
            let owner = format!("node `{name}` ({operator})");
            self.nodes.push(NodeName {
                name,
                operator,
                domain: text(&node.domain),
            });
            self.attributes(&owner, &node.attributes)?;
        }
        Ok(())
    }

    fn attributes(&mut self, owner: &str, attributes: &[proto::Attribute]) -> Result<(), Failure> {
        for attribute in attributes {
            for tensor in attribute.tensor.iter().chain(&attribute.tensors) {
                self.inline(owner, tensor)?;
            }
            for sparse in attribute.sparse_tensor.iter().chain(&attribute.sparse_tensors) {
                self.sparse(owner, sparse)?;
            }
            for graph in attribute.graph.iter().chain(&attribute.graphs) {
                self.graph(graph)?;
            }
        }
        Ok(())
    }

    fn sparse(&self, owner: &str, sparse: &proto::SparseTensor) -> Result<(), Failure> {
        sparse
            .values
            .iter()
            .chain(&sparse.indices)
            .try_for_each(|tensor| self.inline(owner, tensor))
    }

    /// A tensor where ONNX Runtime takes no weights from memory and would open the file itself.
    fn inline(&self, owner: &str, tensor: &proto::Tensor) -> Result<(), Failure> {
        if tensor.location == 0 && tensor.external.is_empty() {
            return Ok(());
        }
        // The worse reason first: a file that must not be read.
        self.file(tensor)?;
        Err(Failure::unsupported(format!(
            "tensor `{}` of {owner} lies in an external file; export the model with all tensors but the graph's \
             initializers inside",
            text(&tensor.name)
        )))
    }

    /// An initializer of the main graph: its file, if it names one, is handed over from memory.
    fn weights(&mut self, tensor: &proto::Tensor) -> Result<(), Failure> {
        if tensor.location == 0 && tensor.external.is_empty() {
            return Ok(());
        }
        let (location, bytes) = self.file(tensor)?;
        let number = |key: &str| match value(tensor, key) {
            None => Ok(None),
            Some(digits) => digits.parse::<u64>().map(Some).map_err(|_| {
                Failure::invalid(format!(
                    "tensor `{}`: {key} `{digits}` is no number",
                    text(&tensor.name)
                ))
            }),
        };
        let start = number("offset")?.unwrap_or(0);
        let end = start.saturating_add(number("length")?.unwrap_or(0));
        if end > bytes.len() as u64 {
            return Err(Failure::invalid(format!(
                "tensor `{}` lies in bytes {start} to {end} of `{location}`, which has {}",
                text(&tensor.name),
                bytes.len()
            )));
        }
        self.weights.insert(location, bytes);
        Ok(())
    }

    /// The package's file that a tensor names.
    fn file(&self, tensor: &proto::Tensor) -> Result<(String, &'a [u8]), Failure> {
        // ONNX Runtime takes the last of two, which this check would not have seen.
        for (index, entry) in tensor.external.iter().enumerate() {
            if tensor.external[..index].iter().any(|before| before.key == entry.key) {
                return Err(Failure::invalid(format!(
                    "tensor `{}` states the {} of its external data twice",
                    text(&tensor.name),
                    text(&entry.key)
                )));
            }
        }
        let location = value(tensor, "location").unwrap_or_default();
        let outside = |why: &str| {
            Failure::invalid(format!(
                "tensor `{}` names the external file `{location}`, which {why}; external files must lie in the package",
                text(&tensor.name)
            ))
        };
        let mut name: Vec<&str> = Path::new(self.package.entry)
            .parent()
            .and_then(Path::to_str)
            .map_or_else(Vec::new, |folder| {
                folder.split('/').filter(|part| !part.is_empty()).collect()
            });
        for part in Path::new(&location).components() {
            match part {
                Component::Normal(part) => name.push(part.to_str().unwrap_or_default()),
                Component::CurDir => {}
                Component::ParentDir => return Err(outside("leads out of its folder")),
                Component::RootDir | Component::Prefix(_) => return Err(outside("is an absolute path")),
            }
        }
        let found = self.package.files.iter().find(|file| file.name == name.join("/"));
        let file = found.ok_or_else(|| outside("is not in the package"))?;
        Ok((location, file.bytes))
    }
}

fn value(tensor: &proto::Tensor, key: &str) -> Option<String> {
    let entry = tensor.external.iter().find(|entry| entry.key == key.as_bytes())?;
    Some(text(&entry.value))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
