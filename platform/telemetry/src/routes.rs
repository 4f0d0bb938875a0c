//! The series of each route, all made at the start.

use prometheus::{HistogramVec, IntCounter, IntCounterVec};
use std::collections::HashMap;

/// A route as it is registered.
#[derive(Debug, Clone, Copy)]
pub struct Route {
    /// Its method, in upper case.
    pub method: &'static str,
    /// Its template, such as `/v1/models/{model}`.
    pub path: &'static str,
}

/// What requests are counted under that no route takes, and methods that a route has not.
const NONE: Route = Route {
    method: "other",
    path: "other",
};

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// A status of 100 to 599, by its first digit.
    Class(u16),
    /// Its client went away before there was an answer.
    Dropped,
}

impl Ending {
    const LABELS: [&'static str; 6] = ["1xx", "2xx", "3xx", "4xx", "5xx", "dropped"];

    fn index(self) -> usize {
        match self {
            Self::Class(class) => usize::from(class.clamp(1, 5)) - 1,
            Self::Dropped => 5,
        }
    }
}

/// The series of one method of one route.
pub(crate) struct Series {
    endings: [IntCounter; 6],
    /// From the request's head to the answer's head.
    pub(crate) seconds: prometheus::Histogram,
    /// Bytes of bodies.
    pub(crate) bytes: IntCounter,
    pub(crate) route: Route,
}

impl Series {
    pub(crate) fn count(&self, ending: Ending) {
        self.endings[ending.index()].inc();
    }
}

/// The vectors that series are of.
pub(crate) struct Vectors {
    pub(crate) requests: IntCounterVec,
    pub(crate) seconds: HistogramVec,
    pub(crate) bytes: IntCounterVec,
}

impl Vectors {
    fn series(&self, route: Route) -> Series {
        let labels = [route.path, route.method];
        let ending = |ending: &str| self.requests.with_label_values(&[route.path, route.method, ending]);
        Series {
            endings: Ending::LABELS.map(ending),
            seconds: self.seconds.with_label_values(&labels),
            bytes: self.bytes.with_label_values(&labels),
            route,
        }
    }
}

/// All of them.
pub(crate) struct Routes {
    known: HashMap<&'static str, Vec<Series>>,
    none: Series,
}

impl Routes {
    pub(crate) fn new(routes: impl IntoIterator<Item = Route>, vectors: &Vectors) -> Self {
        let mut known: HashMap<_, Vec<_>> = HashMap::new();
        for route in routes {
            known.entry(route.path).or_default().push(vectors.series(route));
        }
        Self {
            known,
            none: vectors.series(NONE),
        }
    }

    /// The series of a request, by the template that took it.
    pub(crate) fn of(&self, path: Option<&str>, method: &str) -> &Series {
        let method = if method == "HEAD" { "GET" } else { method };
        let series = path.and_then(|path| self.known.get(path));
        series
            .and_then(|all| all.iter().find(|series| series.route.method == method))
            .unwrap_or(&self.none)
    }
}
