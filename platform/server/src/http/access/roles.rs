//! Which server answers what, where the registry and those that answer predictions are servers of their own.

use axum::http::Method;
use std::fmt;

/// What a server is there for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Role {
    /// Everything.
    #[default]
    All,
    /// Models, versions, traffic, sources, experiments and the page; it answers no predictions.
    Registry,
    /// Predictions, their jobs and their journal; it follows the registry, brings nothing in and promotes nothing.
    Router,
}

impl Role {
    /// Whether it answers what belongs there.
    pub(crate) fn serves(self, part: Part) -> bool {
        matches!(
            (self, part),
            (Self::All, _) | (_, Part::Both) | (Self::Registry, Part::Registry) | (Self::Router, Part::Router)
        )
    }

    /// Whether it answers predictions.
    pub(crate) fn predicts(self) -> bool {
        self.serves(Part::Router)
    }

    /// Whether it brings versions in and follows MLflow.
    pub(crate) fn registers(self) -> bool {
        self.serves(Part::Registry)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::All => "all",
            Self::Registry => "registry",
            Self::Router => "router",
        })
    }
}

/// Where a route belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// Every server answers it.
    Both,
    /// A server that keeps the registry.
    Registry,
    /// A server that answers predictions.
    Router,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Both => "both",
            Self::Registry => "registry",
            Self::Router => "router",
        })
    }
}

/// Where routes belong whose path begins so: those that only read, and the others. The longest beginning counts.
const PARTS: &[(&str, Part, Part)] = {
    use Part::{Both, Registry, Router};
    &[
        ("/", Registry, Registry),
        ("/docs", Registry, Registry),
        ("/assets", Registry, Registry),
        ("/openapi.json", Both, Both),
        ("/openapi-3.0.json", Both, Both),
        ("/metrics", Both, Both),
        ("/.well-known", Both, Both),
        ("/v1/health", Both, Both),
        ("/v1/system", Both, Both),
        ("/v1/plugins", Both, Both),
        ("/v1/instances", Both, Both),
        // Sessions and tokens are signed by the server that is asked, and known to all.
        ("/v1/auth", Both, Both),
        ("/v1/audit", Both, Both),
        ("/v1/keys", Both, Registry),
        ("/v1/users", Both, Registry),
        ("/v1/issuers", Both, Registry),
        ("/v1/models", Both, Registry),
        ("/v1/sources", Registry, Registry),
        ("/v1/webhooks", Registry, Registry),
        ("/v1/experiments", Both, Registry),
        // What is made of the journal is where the journal is.
        ("/v1/experiments/{name}/verdict", Router, Router),
        ("/v1/experiments/{name}/disagreements", Router, Router),
        ("/v1/experiments/{name}/drift", Router, Router),
        ("/v1/journal", Router, Router),
        ("/v1/predictions", Router, Router),
        ("/v1/labels", Router, Router),
        ("/v1/misclassified", Router, Router),
        ("/v1/subjects", Router, Router),
        ("/v1/classify", Router, Router),
        ("/v1/jobs", Router, Router),
        ("/v1/stream", Router, Router),
        ("/v1/recordings", Router, Router),
        ("/v1/samples", Router, Router),
        ("/upload", Router, Router),
        ("/invocations", Router, Router),
        ("/models/{model}/invocations", Router, Router),
        ("/ping", Both, Both),
        ("/health", Both, Both),
        ("/version", Both, Both),
        ("/v2", Both, Router),
        ("/v2/repository/index", Both, Both),
        // Loading lets a version answer again, unloading lets none answer.
        ("/v2/repository/models", Registry, Registry),
        ("/inference.GRPCInferenceService", Both, Both),
        ("/inference.GRPCInferenceService/ModelInfer", Router, Router),
        ("/inference.GRPCInferenceService/ModelStreamInfer", Router, Router),
        (
            "/inference.GRPCInferenceService/RepositoryModelLoad",
            Registry,
            Registry,
        ),
        (
            "/inference.GRPCInferenceService/RepositoryModelUnload",
            Registry,
            Registry,
        ),
        ("/grpc.health.v1.Health", Both, Both),
        ("/grpc.reflection.v1.ServerReflection", Both, Both),
        ("/grpc.reflection.v1alpha.ServerReflection", Both, Both),
    ]
};

/// Where a route belongs; none where the table above does not say, and then no server but one of everything answers it.
pub(crate) fn part_of(method: &Method, path: &str) -> Option<Part> {
    let begins = |beginning: &str| {
        // A slash alone is the page and nothing below it.
        path == beginning
            || (beginning != "/" && path.strip_prefix(beginning).is_some_and(|rest| rest.starts_with('/')))
    };
    let lines = PARTS.iter().filter(|(beginning, ..)| begins(beginning));
    let (_, reads, writes) = lines.max_by_key(|(beginning, ..)| beginning.len())?;
    Some(if method.is_safe() { *reads } else { *writes })
}

/// What this server is there for, and where the other one is.
#[derive(Debug, Clone, Default)]
pub(crate) struct Duties {
    pub(crate) role: Role,
    /// Where a server of the other role is reached, in words for whoever asked here.
    pub(crate) elsewhere: Option<String>,
}

impl Duties {
    /// What is said to whoever asks for what belongs elsewhere.
    pub(crate) fn refusal(&self) -> String {
        let (is, other, does) = match self.role {
            Role::Registry => ("registry, which answers no predictions", "router", "answers them"),
            Role::Router | Role::All => ("router, which changes nothing of the registry", "registry", "does"),
        };
        let place = self
            .elsewhere
            .as_deref()
            .map_or_else(String::new, |url| format!(" at {url}"));
        format!("this server's role is {is}; ask a server of the role `{other}`{place}, which {does}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::table;

    #[test]
    fn every_route_belongs_to_a_role_and_every_line_has_routes() {
        for row in table().rows() {
            assert!(part_of(&row.method, row.path).is_some(), "{} {}", row.method, row.path);
        }
        for (beginning, ..) in PARTS {
            let below = |path: &str| {
                path.strip_prefix(beginning)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            };
            assert!(
                table().rows().any(|row| below(row.path)),
                "no route begins with {beginning}"
            );
        }
    }

    #[test]
    fn a_router_has_no_route_that_changes_versions_or_traffic() {
        use crate::http::access::Access;
        use einthoven_auth::Scope;
        for row in table().rows() {
            let changes = matches!(
                row.access,
                Access::Needs(Scope::Traffic | Scope::ModelsWrite)
                    | Access::NeedsForSome(Scope::Traffic | Scope::ModelsWrite)
            );
            let part = part_of(&row.method, row.path).unwrap();
            // What recordings are compared with is made of the journal; it changes nothing that answers.
            let of_the_journal = row.path == "/v1/experiments/{name}/drift/reference";
            assert!(
                !changes || of_the_journal || part == Part::Registry,
                "{} {}",
                row.method,
                row.path
            );
            let predicts = matches!(
                row.access,
                Access::Needs(Scope::Predict) | Access::NeedsForSome(Scope::Predict)
            );
            assert!(!predicts || part == Part::Router, "{} {}", row.method, row.path);
        }
    }

    #[test]
    fn the_longest_beginning_counts_and_words_are_whole() {
        assert_eq!(part_of(&Method::GET, "/v1/models/{model}"), Some(Part::Both));
        assert_eq!(
            part_of(&Method::PUT, "/v1/models/{model}/traffic"),
            Some(Part::Registry)
        );
        assert_eq!(
            part_of(&Method::GET, "/v1/experiments/{name}/drift"),
            Some(Part::Router)
        );
        assert_eq!(part_of(&Method::GET, "/v1/modelsx"), None);
        assert_eq!(part_of(&Method::GET, "/new"), None);
    }
}
