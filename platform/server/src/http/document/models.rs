//! Models, what answers under them, and aliases.

use super::operation::{Operation, operation};
use super::problems::{HEADERS, LOADING, MODEL, VERSION};
use crate::http::aliases::Target;
use crate::http::models::{Instances, List, ModelItem, ModelPatch, NewModel, Page, Reason};
use crate::http::plugins::ModelEngines;
use crate::http::traffic::{NewTraffic, TrafficOut};
use axum::http::Method;
use einthoven_registry_state::{Model, TrafficChange};
use serde_json::json;

pub(super) fn operations() -> Vec<Operation> {
    let model = |method, path, id, summary| operation("models", method, path, id, summary).problems(MODEL);
    vec![
        operation("models", Method::GET, "/v1/models", "list_models", "Lists models")
            .query::<Page>(json!({"limit": 100}))
            .answers::<List<ModelItem>>(200, "Models by name.")
            .problems(HEADERS),
        operation(
            "models",
            Method::POST,
            "/v1/models",
            "create_model",
            "Makes a model without versions",
        )
        .body::<NewModel>(json!({"name": "arrhythmia", "description": "Ours, trained on Holter recordings."}))
        .answers::<Model>(201, "The model.")
        .with(&["Location", "ETag"])
        .change()
        .problems(&[(404, "no_such_model"), (409, "exists_already")]),
        model(Method::GET, "/v1/models/{model}", "get_model", "Gives a model whole")
            .answers::<Model>(200, "The model.")
            .with(&["ETag"]),
        model(
            Method::PATCH,
            "/v1/models/{model}",
            "update_model",
            "Changes a model's description, or what a promotion needs",
        )
        .description("One of `description` and `gate`: each is a change of its own.")
        .body::<ModelPatch>(json!({"description": "The model that comes with the program."}))
        .answers::<Model>(200, "The model.")
        .with(&["ETag"])
        .change(),
        model(
            Method::DELETE,
            "/v1/models/{model}",
            "delete_model",
            "Forgets a model that nothing answers under",
        )
        .query::<Reason>(json!({"reason": "made by mistake"}))
        .answers_nothing(204, "It is gone.")
        .change()
        .problems(&[(409, "pointed_at"), (409, "refused")]),
        model(
            Method::GET,
            "/v1/models/{model}/engines",
            "list_model_engines",
            "Says what each engine made of the version that answers",
        )
        .answers::<ModelEngines>(200, "Every engine with every file.")
        .problems(LOADING)
        .problems(&[(409, "nothing_serves")]),
        model(
            Method::GET,
            "/v1/models/{model}/history",
            "list_history",
            "Lists what answered when, and who decided",
        )
        .answers::<List<TrafficChange>>(200, "Changes, newest first."),
        model(
            Method::GET,
            "/v1/models/{model}/traffic",
            "get_traffic",
            "Says which versions answer",
        )
        .answers::<TrafficOut>(200, "The policy.")
        .with(&["ETag"]),
        model(
            Method::PUT,
            "/v1/models/{model}/traffic",
            "set_traffic",
            "Promotes a version, or puts the whole policy",
        )
        .description("The versions are loaded first. A champion alone is a promotion; `null` lets nothing answer.")
        .body::<NewTraffic>(json!({"champion": "1.0.0", "reason": "passed the review"}))
        .answers::<TrafficOut>(200, "What answers now.")
        .with(&["ETag"])
        .answers::<TrafficOut>(202, "A second person must promote it too.")
        .with(&["ETag"])
        .change()
        .problems(VERSION)
        .problems(LOADING)
        .problems(&[(409, "gate"), (409, "wrong_state"), (422, "bad_traffic")]),
        model(
            Method::POST,
            "/v1/models/{model}/rollback",
            "roll_back",
            "Lets what answered before answer again",
        )
        .body::<Reason>(json!({"reason": "more false alarms than before"}))
        .body_may_be_left_out()
        .answers::<TrafficOut>(200, "What answers now.")
        .with(&["ETag"])
        .change()
        .problems(VERSION)
        .problems(LOADING)
        .problems(&[(409, "nothing_before"), (409, "wrong_state")]),
        model(
            Method::PUT,
            "/v1/models/{model}/aliases/{alias}",
            "set_alias",
            "Sets or moves an alias",
        )
        .body::<Target>(json!({"version": "1.0.0"}))
        .answers::<Model>(200, "The model.")
        .with(&["ETag"])
        .change()
        .problems(VERSION)
        .problems(&[(409, "wrong_state")]),
        model(
            Method::DELETE,
            "/v1/models/{model}/aliases/{alias}",
            "delete_alias",
            "Removes an alias",
        )
        .query::<Reason>(json!({"reason": "not used any more"}))
        .answers::<Model>(200, "The model.")
        .with(&["ETag"])
        .change()
        .problems(&[(404, "no_such_alias")]),
        operation(
            "models",
            Method::GET,
            "/v1/instances",
            "list_instances",
            "Lists what is loaded, on which engine",
        )
        .answers::<Instances>(200, "Loaded versions, and what they count as.")
        .problems(HEADERS),
    ]
}
