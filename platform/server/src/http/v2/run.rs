//! From the tensors of any face to outputs: checked against the model, queued, computed.

use super::outcome::{expired, failed, not_taken};
use crate::experiments::{Ending, Outcome as Ended};
use crate::http::App;
use crate::http::problem::Problem;
use crate::journaling::{Asked, Protocol};
use axum::http::StatusCode;
use einthoven_classify::ServedModel;
use einthoven_dispatch::{Call, DispatchError, Done, Priority, Tensor};
use einthoven_oip::{Datatype, InferRequest, Parameter};
use einthoven_plugin_host::{DType, Signature, TensorSpec};
use einthoven_registry_state::Reference;
use einthoven_serving::{Arm, Routed};
use std::sync::Arc;
use std::time::Instant;
use uuid::Uuid;

/// Tensors for a model.
pub(crate) struct Work<'a> {
    pub(crate) reference: &'a Reference,
    pub(crate) inputs: Vec<einthoven_oip::Tensor>,
    pub(crate) priority: Priority,
    /// Whose it is.
    pub(crate) flow: Arc<str>,
    /// Whom the traffic is dealt out by.
    pub(crate) subject: &'a str,
    pub(crate) deadline: Option<Instant>,
    /// As its entry will tell of it; none where nothing is remembered.
    pub(crate) asked: Option<Asked>,
    pub(crate) protocol: Protocol,
}

/// Outputs, and the version that gave them.
pub(crate) struct Outcome {
    pub(crate) model: Arc<ServedModel>,
    pub(crate) done: Done,
    /// Its entry in the journal.
    pub(crate) prediction: Option<Uuid>,
}

/// The outputs, remembered where that is wanted. A version that is unloaded meanwhile is looked up once more.
pub(crate) async fn run(app: &App, work: Work<'_>) -> Result<Outcome, Problem> {
    let Routed { model, mut arm, .. } = routed(app, work.reference, work.subject, work.deadline).await?;
    let inputs = taken(model.signature(), work.inputs)?;
    let asked = app.journaling.tensors_asked(work.asked, work.protocol, &inputs);
    let deadline = |arm: Option<&Arm>| work.deadline.into_iter().chain(app.comparing.deadline(arm, None)).min();
    let mut call = Call {
        inputs,
        priority: work.priority,
        flow: work.flow,
        deadline: deadline(arm.as_ref()),
        // A stream of gRPC has many under way in one task: run by it they would not share a batch.
        alone: !matches!(work.protocol, Protocol::Grpc),
    };
    let (mut model, mut done) = (Arc::clone(&model), model.infer(call.clone()).await);
    if matches!(done, Err(DispatchError::Closed)) {
        let again = routed(app, work.reference, work.subject, work.deadline).await?;
        (model, arm) = (again.model, again.arm);
        call.deadline = deadline(arm.as_ref());
        done = model.infer(call).await;
    }
    Ending::of(&app.comparing, &model, arm.as_ref()).came(Ended::of_tensors(&done));
    let done = done.map_err(failed)?;
    let prediction = match asked {
        None => None,
        Some(asked) => {
            let journaling = &app.journaling;
            journaling
                .tensors_answered(app, asked, arm.as_ref(), &model, &done)
                .await?
        }
    };
    Ok(Outcome {
        model,
        done,
        prediction,
    })
}

/// The version that answers this subject, loaded; the deadline holds for loading too.
async fn routed(app: &App, reference: &Reference, subject: &str, deadline: Option<Instant>) -> Result<Routed, Problem> {
    let route = app.loaded.route(reference, subject);
    let Some(deadline) = deadline else {
        return Ok(route.await?);
    };
    let in_time = tokio::time::timeout_at(deadline.into(), route).await;
    Ok(in_time.map_err(|_| expired())??)
}

/// The version that answers most, loaded.
pub(crate) async fn resolved(app: &App, reference: &Reference) -> Result<Arc<ServedModel>, Problem> {
    Ok(app.loaded.resolve(reference).await?)
}

/// The tensors as the queue takes them, or what is wrong with them, said exactly.
fn taken(signature: &Signature, inputs: Vec<einthoven_oip::Tensor>) -> Result<Vec<Tensor>, Problem> {
    for spec in &signature.inputs {
        if !inputs.iter().any(|input| input.name == spec.name) {
            let detail = format!("input `{}` is missing; the model takes {signature}", spec.name);
            return Err(not_taken(detail));
        }
    }
    let mut rows = None::<(String, usize)>;
    let mut tensors = Vec::with_capacity(inputs.len());
    for input in inputs {
        let Some(spec) = signature.inputs.iter().find(|spec| spec.name == input.name) else {
            let names: Vec<_> = signature.inputs.iter().map(|spec| spec.name.as_str()).collect();
            let detail = format!("the model has no input `{}`; it has {}", input.name, names.join(", "));
            return Err(not_taken(detail));
        };
        let (dtype, found) = fitting(spec, &input)?;
        match &rows {
            Some((name, before)) if *before != found => {
                let detail = format!("input `{}` has {found} rows, input `{name}` has {before}", input.name);
                return Err(not_taken(detail));
            }
            Some(_) => {}
            None => rows = Some((input.name.clone(), found)),
        }
        tensors.push(Tensor {
            name: input.name.into(),
            dtype,
            dims: input.shape,
            data: input.data,
        });
    }
    Ok(tensors)
}

/// The engine's type, and the rows.
fn fitting(spec: &TensorSpec, input: &einthoven_oip::Tensor) -> Result<(DType, usize), Problem> {
    let (name, wanted) = (&input.name, datatype(spec.dtype));
    if input.datatype != wanted {
        return Err(not_taken(format!(
            "input `{name}` is {}; the model takes {wanted}",
            input.datatype
        )));
    }
    let fits = input.shape.len() == spec.dims.len()
        && input
            .shape
            .iter()
            .zip(&spec.dims)
            .all(|(have, want)| want.is_none_or(|want| want == *have));
    if !fits {
        return Err(not_taken(format!(
            "input `{name}` has shape {:?}; the model takes {:?}",
            input.shape,
            shape(&spec.dims)
        )));
    }
    match input.shape.first() {
        Some(0) => Err(not_taken(format!("input `{name}` has no rows"))),
        Some(rows) => Ok((spec.dtype, *rows)),
        None => Ok((spec.dtype, 1)),
    }
}

/// Dimensions as the protocol has them: -1 where any size goes.
pub(crate) fn shape(dims: &[Option<usize>]) -> Vec<i64> {
    let each = |dim: &Option<usize>| dim.map_or(-1, |dim| i64::try_from(dim).unwrap_or(i64::MAX));
    dims.iter().map(each).collect()
}

/// The protocol's name of an engine's type.
pub(crate) fn datatype(dtype: DType) -> Datatype {
    match dtype {
        DType::F32 => Datatype::Fp32,
        DType::F16 => Datatype::Fp16,
        DType::I64 => Datatype::Int64,
        DType::I8 => Datatype::Int8,
        DType::U8 => Datatype::Uint8,
        DType::Bool => Datatype::Bool,
    }
}

/// Which calls come first: the parameter `priority`, where 2 and more is work that can wait.
pub(crate) fn priority(request: &InferRequest) -> Priority {
    match request.parameters.get("priority").and_then(Parameter::count) {
        Some(2..) => Priority::Batch,
        _ => Priority::Interactive,
    }
}

/// The answer, of the outputs that were asked for.
pub(crate) fn answer<'a>(
    request: &'a InferRequest,
    outcome: &'a Outcome,
) -> Result<einthoven_oip::Answer<'a>, Problem> {
    let manifest = outcome.model.manifest();
    let outputs = &outcome.done.outputs;
    if let Some(unknown) = request
        .outputs
        .iter()
        .find(|wanted| outputs.iter().all(|output| *output.name != *wanted.name))
    {
        let names: Vec<_> = outputs.iter().map(|output| &*output.name).collect();
        let detail = format!(
            "the model has no output `{}`; it has {}",
            unknown.name,
            names.join(", ")
        );
        return Err(Problem::new(StatusCode::BAD_REQUEST, "no_such_output", detail).at("outputs"));
    }
    let wanted = outputs.iter().filter(|output| request.wants(&output.name));
    Ok(einthoven_oip::Answer {
        model_name: &manifest.name,
        model_version: &manifest.version,
        id: request.id.as_deref(),
        outputs: wanted
            .map(|output| einthoven_oip::Output {
                name: &output.name,
                datatype: datatype(output.dtype),
                shape: &output.dims,
                data: &output.data,
                binary: request.wants_binary(&output.name),
            })
            .collect(),
    })
}
