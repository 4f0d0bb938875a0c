//! The table of routes. Whatever is registered states what it asks of who calls; there is no other way to register.

use super::{Duties, Part, Role, guard, part_of};
use crate::http::App;
use crate::http::problem::Problem;
use axum::Router;
use axum::handler::Handler;
use axum::http::{Method, StatusCode};
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodFilter, MethodRouter, on};
use einthoven_auth::Scope;
use std::fmt;
use std::sync::Arc;

/// What a route asks of who calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Nothing: anybody may call it.
    Open,
    /// A credential that is right, whatever it may do.
    SignedIn,
    /// The scope: for the model that the path names as `{model}`, and for every model where it names none.
    Needs(Scope),
    /// The scope for at least one model. Which one is known to the handler alone, which asks `Caller` about it.
    NeedsForSome(Scope),
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open => f.write_str("open"),
            Self::SignedIn => f.write_str("signed-in"),
            Self::Needs(scope) => f.write_str(scope.as_str()),
            Self::NeedsForSome(scope) => write!(f, "{scope} for some model"),
        }
    }
}

/// One method of a route.
pub(crate) struct Verb {
    method: Method,
    access: Access,
    handler: MethodRouter<Arc<App>>,
}

fn verb<H, T>(method: Method, filter: MethodFilter, access: Access, handler: H) -> Verb
where
    H: Handler<T, Arc<App>>,
    T: 'static,
{
    Verb {
        method,
        access,
        handler: on(filter, handler),
    }
}

/// GET, and HEAD with it.
pub(crate) fn get<H: Handler<T, Arc<App>>, T: 'static>(access: Access, handler: H) -> Verb {
    Verb {
        method: Method::GET,
        access,
        handler: axum::routing::get(handler),
    }
}

/// POST.
pub(crate) fn post<H: Handler<T, Arc<App>>, T: 'static>(access: Access, handler: H) -> Verb {
    verb(Method::POST, MethodFilter::POST, access, handler)
}

/// PUT.
pub(crate) fn put<H: Handler<T, Arc<App>>, T: 'static>(access: Access, handler: H) -> Verb {
    verb(Method::PUT, MethodFilter::PUT, access, handler)
}

/// PATCH.
pub(crate) fn patch<H: Handler<T, Arc<App>>, T: 'static>(access: Access, handler: H) -> Verb {
    verb(Method::PATCH, MethodFilter::PATCH, access, handler)
}

/// DELETE.
pub(crate) fn delete<H: Handler<T, Arc<App>>, T: 'static>(access: Access, handler: H) -> Verb {
    verb(Method::DELETE, MethodFilter::DELETE, access, handler)
}

/// All routes with what each asks for.
#[derive(Default)]
pub(crate) struct Table {
    routes: Vec<(&'static str, Vec<Verb>)>,
}

/// One method of one route, as it is listed.
pub(crate) struct Row {
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    pub(crate) access: Access,
    /// Which servers answer it; none where nobody said.
    pub(crate) part: Option<Part>,
}

impl Table {
    /// Registers a path with its methods.
    pub(crate) fn route<const N: usize>(mut self, path: &'static str, verbs: [Verb; N]) -> Self {
        self.routes.push((path, verbs.into()));
        self
    }

    /// A file of the page: whoever signs in needs it before.
    pub(crate) fn page(mut self, path: &'static str, handler: MethodRouter<Arc<App>>) -> Self {
        let verb = Verb {
            method: Method::GET,
            access: Access::Open,
            handler,
        };
        self.routes.push((path, vec![verb]));
        self
    }

    /// Every method of every route.
    pub(crate) fn rows(&self) -> impl Iterator<Item = Row> {
        self.routes.iter().flat_map(|(path, verbs)| {
            verbs.iter().map(|verb| Row {
                method: verb.method.clone(),
                path,
                access: verb.access,
                part: part_of(&verb.method, path),
            })
        })
    }

    /// The routes, each behind what it asks for; those that belong to another role say so to whoever may call them.
    pub(crate) fn into_router(self, app: &Arc<App>) -> Router<Arc<App>> {
        let duties = &app.access.duties;
        self.routes.into_iter().fold(Router::new(), |router, (path, verbs)| {
            let guarded = verbs.into_iter().map(|verb| {
                let state = guard::Door {
                    app: Arc::clone(app),
                    access: verb.access,
                    names_model: path.contains("{model}"),
                };
                let served = part_of(&verb.method, path).is_some_and(|part| duties.role.serves(part))
                    || duties.role == Role::All;
                let handler = if served {
                    verb.handler
                } else {
                    elsewhere(&verb.method, duties)
                };
                handler.route_layer(from_fn_with_state(state, guard::pass))
            });
            router.route(path, guarded.fold(MethodRouter::new(), MethodRouter::merge))
        })
    }
}

/// In the place of what a server of another role does.
fn elsewhere(method: &Method, duties: &Duties) -> MethodRouter<Arc<App>> {
    let detail = duties.refusal();
    let refuse = move || {
        std::future::ready(Problem::new(
            StatusCode::MISDIRECTED_REQUEST,
            "wrong_role",
            detail.clone(),
        ))
    };
    // Every method that is registered has its filter.
    MethodFilter::try_from(method.clone()).map_or_else(|_| MethodRouter::new(), |filter| on(filter, refuse))
}
