//! `grpc.health.v1`, told from the same truth as all other health.

use super::answered;
use crate::http::App;
use crate::readiness;
use axum::extract::{Request, State};
use axum::response::Response;
use futures_util::Stream;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tonic::Status;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_server::{Health, HealthServer};
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};

/// Between two looks of who watches.
const LOOK: Duration = Duration::from_millis(500);

struct Truth {
    app: Arc<App>,
}

pub(super) async fn call(State(app): State<Arc<App>>, request: Request) -> Response {
    answered(HealthServer::new(Truth { app }), request).await
}

impl Truth {
    fn told(&self) -> HealthCheckResponse {
        let ready = readiness::server(&self.app.lifecycle, &self.app.loaded).is_ok();
        let status = if ready {
            ServingStatus::Serving
        } else {
            ServingStatus::NotServing
        };
        HealthCheckResponse { status: status.into() }
    }
}

/// The server as a whole, or its service by name.
fn known(service: &str) -> bool {
    ["", "inference.GRPCInferenceService"].contains(&service)
}

#[tonic::async_trait]
impl Health for Truth {
    type WatchStream = Pin<Box<dyn Stream<Item = Result<HealthCheckResponse, Status>> + Send>>;

    async fn check(
        &self,
        request: tonic::Request<HealthCheckRequest>,
    ) -> Result<tonic::Response<HealthCheckResponse>, Status> {
        if !known(&request.get_ref().service) {
            return Err(Status::not_found(
                "there is no service of that name; models are asked for by ModelReady",
            ));
        }
        Ok(tonic::Response::new(self.told()))
    }

    /// Says how it is, and again whenever that changes, until the server stops.
    async fn watch(
        &self,
        request: tonic::Request<HealthCheckRequest>,
    ) -> Result<tonic::Response<Self::WatchStream>, Status> {
        let known = known(&request.get_ref().service);
        let truth = Self {
            app: Arc::clone(&self.app),
        };
        let unknown = HealthCheckResponse {
            status: ServingStatus::ServiceUnknown.into(),
        };
        let first = (truth, None::<HealthCheckResponse>, false);
        let stream = futures_util::stream::unfold(first, move |(truth, before, over)| async move {
            if over {
                return None;
            }
            loop {
                let now = if known { truth.told() } else { unknown };
                let over = truth.app.lifecycle.is_draining();
                if over || before != Some(now) {
                    return Some((Ok(now), (truth, Some(now), over)));
                }
                tokio::select! {
                    () = tokio::time::sleep(LOOK) => {}
                    () = truth.app.lifecycle.draining() => {}
                }
            }
        });
        Ok(tonic::Response::new(Box::pin(stream)))
    }
}
