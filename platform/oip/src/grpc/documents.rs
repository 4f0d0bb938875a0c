//! Documents as messages.

use super::pb;
use crate::document;

impl From<document::Server> for pb::ServerMetadataResponse {
    fn from(server: document::Server) -> Self {
        Self {
            name: server.name.to_owned(),
            version: server.version.to_owned(),
            extensions: server.extensions.iter().map(|name| (*name).to_owned()).collect(),
        }
    }
}

impl From<document::ModelMetadata> for pb::ModelMetadataResponse {
    fn from(model: document::ModelMetadata) -> Self {
        let tensors = |tensors: Vec<document::TensorMetadata>| {
            let each = |tensor: document::TensorMetadata| pb::model_metadata_response::TensorMetadata {
                name: tensor.name,
                datatype: tensor.datatype.name().to_owned(),
                shape: tensor.shape,
            };
            tensors.into_iter().map(each).collect()
        };
        Self {
            name: model.name,
            versions: model.versions,
            platform: model.platform,
            inputs: tensors(model.inputs),
            outputs: tensors(model.outputs),
        }
    }
}

impl From<document::ModelConfig> for pb::ModelConfig {
    fn from(config: document::ModelConfig) -> Self {
        let kind = |name: &str| pb::DataType::from_str_name(name).unwrap_or_default().into();
        let group = |group: document::InstanceGroup| pb::ModelInstanceGroup {
            kind: pb::model_instance_group::Kind::from_str_name(group.kind)
                .unwrap_or_default()
                .into(),
            name: group.name,
            count: group.count,
        };
        Self {
            name: config.name,
            platform: config.platform,
            backend: config.backend,
            max_batch_size: config.max_batch_size,
            input: config
                .input
                .into_iter()
                .map(|tensor| pb::ModelInput {
                    name: tensor.name,
                    data_type: kind(tensor.data_type),
                    dims: tensor.dims,
                })
                .collect(),
            output: config
                .output
                .into_iter()
                .map(|tensor| pb::ModelOutput {
                    name: tensor.name,
                    data_type: kind(tensor.data_type),
                    dims: tensor.dims,
                })
                .collect(),
            instance_group: config.instance_group.into_iter().map(group).collect(),
            default_model_filename: config.default_model_filename,
            parameters: config
                .parameters
                .into_iter()
                .map(|(name, value)| {
                    let string_value = value.string_value;
                    (name.to_owned(), pb::ModelParameter { string_value })
                })
                .collect(),
        }
    }
}

fn times(times: document::Times) -> Option<pb::StatisticDuration> {
    let document::Times { count, ns } = times;
    Some(pb::StatisticDuration { count, ns })
}

impl From<document::ModelStatistics> for pb::ModelStatistics {
    fn from(model: document::ModelStatistics) -> Self {
        let stats = model.inference_stats;
        Self {
            name: model.name,
            version: model.version,
            last_inference: model.last_inference,
            inference_count: model.inference_count,
            execution_count: model.execution_count,
            inference_stats: Some(pb::InferStatistics {
                success: times(stats.success),
                fail: times(stats.fail),
                queue: times(stats.queue),
                compute_input: times(stats.compute_input),
                compute_infer: times(stats.compute_infer),
                compute_output: times(stats.compute_output),
            }),
            batch_stats: model
                .batch_stats
                .into_iter()
                .map(|batch| pb::InferBatchStatistics {
                    batch_size: batch.batch_size,
                    compute_input: times(batch.compute_input),
                    compute_infer: times(batch.compute_infer),
                    compute_output: times(batch.compute_output),
                })
                .collect(),
        }
    }
}

impl From<document::IndexRow> for pb::repository_index_response::ModelIndex {
    fn from(row: document::IndexRow) -> Self {
        Self {
            name: row.name,
            version: row.version,
            state: row.state.to_owned(),
            reason: row.reason,
        }
    }
}
