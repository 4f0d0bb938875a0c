//! The methods.

use super::{infer, status};
use crate::http::App;
use crate::http::v2;
use crate::http::v2::named::reference;
use crate::readiness;
use einthoven_auth::{Principal, Scope};
use einthoven_oip::grpc::pb;
use einthoven_oip::grpc::pb::grpc_inference_service_server::GrpcInferenceService;
use einthoven_onboard::By;
use einthoven_registry_state::{ModelName, Refusal};
use futures_util::Stream;
use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;
use tonic::{Request, Response, Status, Streaming};

/// What the methods share.
pub(super) struct Inference {
    pub(super) app: Arc<App>,
}

type Answers = Pin<Box<dyn Stream<Item = Result<pb::ModelStreamInferResponse, Status>> + Send>>;

/// Whoever stands before the methods has put it there.
fn principal<T>(request: &Request<T>) -> Result<Principal, Status> {
    let principal = request.extensions().get::<Principal>();
    principal
        .cloned()
        .ok_or_else(|| Status::unauthenticated("nobody is signed in"))
}

fn may<T>(request: &Request<T>, scope: Scope, model: &str) -> Result<Principal, Status> {
    let principal = principal(request)?;
    crate::http::access::may(&principal, scope, Some(model)).map_err(|problem| status::of(&problem))?;
    Ok(principal)
}

fn model_name(text: &str) -> Result<ModelName, Status> {
    text.parse::<ModelName>()
        .map_err(|cause| Status::not_found(cause.to_string()))
}

#[tonic::async_trait]
impl GrpcInferenceService for Inference {
    type ModelStreamInferStream = Answers;

    async fn server_live(&self, _: Request<pb::ServerLiveRequest>) -> Result<Response<pb::ServerLiveResponse>, Status> {
        Ok(Response::new(pb::ServerLiveResponse { live: true }))
    }

    async fn server_ready(
        &self,
        _: Request<pb::ServerReadyRequest>,
    ) -> Result<Response<pb::ServerReadyResponse>, Status> {
        let ready = readiness::server(&self.app.lifecycle, &self.app.loaded).is_ok();
        Ok(Response::new(pb::ServerReadyResponse { ready }))
    }

    async fn model_ready(
        &self,
        request: Request<pb::ModelReadyRequest>,
    ) -> Result<Response<pb::ModelReadyResponse>, Status> {
        let asked = request.into_inner();
        let reference = reference(&asked.name, &asked.version).map_err(|problem| status::of(&problem))?;
        let ready = match readiness::model(&self.app.lifecycle, &self.app.loaded, &reference) {
            Ok(told) => told.is_ok(),
            Err(Refusal::NothingServes { .. }) => false,
            Err(refusal) => return Err(status::of(&refusal.into())),
        };
        Ok(Response::new(pb::ModelReadyResponse { ready }))
    }

    async fn server_metadata(
        &self,
        _: Request<pb::ServerMetadataRequest>,
    ) -> Result<Response<pb::ServerMetadataResponse>, Status> {
        Ok(Response::new(v2::server().into()))
    }

    async fn model_metadata(
        &self,
        request: Request<pb::ModelMetadataRequest>,
    ) -> Result<Response<pb::ModelMetadataResponse>, Status> {
        let principal = principal(&request)?;
        let asked = request.into_inner();
        let found = async { v2::metadata_of(&self.app, &principal, &reference(&asked.name, &asked.version)?).await };
        Ok(Response::new(
            found.await.map_err(|problem| status::of(&problem))?.into(),
        ))
    }

    async fn model_config(
        &self,
        request: Request<pb::ModelConfigRequest>,
    ) -> Result<Response<pb::ModelConfigResponse>, Status> {
        let principal = principal(&request)?;
        let asked = request.into_inner();
        let found = async { v2::config_of(&self.app, &principal, &reference(&asked.name, &asked.version)?).await };
        let config = found.await.map_err(|problem| status::of(&problem))?;
        Ok(Response::new(pb::ModelConfigResponse {
            config: Some(config.into()),
        }))
    }

    async fn model_infer(
        &self,
        request: Request<pb::ModelInferRequest>,
    ) -> Result<Response<pb::ModelInferResponse>, Status> {
        let caller = infer::Caller::of(principal(&request)?, request.metadata())?;
        let (answer, prediction) = infer::one(&self.app, &caller, request.into_inner()).await?;
        let mut response = Response::new(answer);
        let id = prediction.and_then(|id| id.to_string().parse().ok());
        if let Some(id) = id {
            response.metadata_mut().insert(v2::PREDICTION_HEADER, id);
        }
        Ok(response)
    }

    async fn model_stream_infer(
        &self,
        request: Request<Streaming<pb::ModelInferRequest>>,
    ) -> Result<Response<Answers>, Status> {
        let caller = infer::Caller::of(principal(&request)?, request.metadata())?;
        let answers = infer::many(Arc::clone(&self.app), caller, request.into_inner());
        Ok(Response::new(Box::pin(answers)))
    }

    async fn model_statistics(
        &self,
        request: Request<pb::ModelStatisticsRequest>,
    ) -> Result<Response<pb::ModelStatisticsResponse>, Status> {
        let name = request.get_ref().name.clone();
        let statistics = if name.is_empty() {
            v2::statistics_of_all(&self.app, &principal(&request)?)
        } else {
            may(&request, Scope::ModelsRead, &name)?;
            let found = async { v2::statistics_of(&self.app, &reference(&name, &request.get_ref().version)?).await };
            found.await.map_err(|problem| status::of(&problem))?
        };
        Ok(Response::new(pb::ModelStatisticsResponse {
            model_stats: statistics.model_stats.into_iter().map(Into::into).collect(),
        }))
    }

    async fn repository_index(
        &self,
        request: Request<pb::RepositoryIndexRequest>,
    ) -> Result<Response<pb::RepositoryIndexResponse>, Status> {
        let query = v2::IndexQuery {
            ready: request.get_ref().ready,
        };
        let rows = v2::index_of(&self.app, &principal(&request)?, &query);
        Ok(Response::new(pb::RepositoryIndexResponse {
            models: rows.into_iter().map(Into::into).collect(),
        }))
    }

    async fn repository_model_load(
        &self,
        request: Request<pb::RepositoryModelLoadRequest>,
    ) -> Result<Response<pb::RepositoryModelLoadResponse>, Status> {
        let by = by(&may(&request, Scope::Traffic, &request.get_ref().model_name)?);
        let asked = request.into_inner();
        refuse_files(&asked.parameters)?;
        let model = model_name(&asked.model_name)?;
        let done = v2::load(&self.app, &by, &model, None).await;
        done.map_err(|problem| status::of(&problem))?;
        Ok(Response::new(pb::RepositoryModelLoadResponse {}))
    }

    async fn repository_model_unload(
        &self,
        request: Request<pb::RepositoryModelUnloadRequest>,
    ) -> Result<Response<pb::RepositoryModelUnloadResponse>, Status> {
        let by = by(&may(&request, Scope::Traffic, &request.get_ref().model_name)?);
        let model = model_name(&request.into_inner().model_name)?;
        let done = v2::unload(&self.app, &by, &model, None).await;
        done.map_err(|problem| status::of(&problem))?;
        Ok(Response::new(pb::RepositoryModelUnloadResponse {}))
    }
}

fn by(principal: &Principal) -> By {
    By {
        who: principal.name().to_owned(),
        why: String::new(),
    }
}

fn refuse_files(parameters: &HashMap<String, pb::ModelRepositoryParameter>) -> Result<(), Status> {
    if parameters
        .keys()
        .any(|name| name == "config" || name.starts_with("file:"))
    {
        let detail = "models do not come with a request to load them; send files to /v1/models/{model}/versions";
        return Err(Status::invalid_argument(detail));
    }
    Ok(())
}
