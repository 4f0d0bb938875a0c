//! Where the files of a model lie, from the addresses MLflow gives.

use crate::{ArtifactPath, Error};
use std::fmt;
use std::path::PathBuf;
use url::Url;

/// Where the files of a model lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location(pub(crate) Place);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// Below this path of the server's artifact proxy.
    Proxy(ArtifactPath),
    /// A folder of this machine, below one of the allowed roots.
    Folder(PathBuf),
}

impl fmt::Display for Location {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Place::Proxy(path) => write!(out, "mlflow-artifacts:/{path}"),
            Place::Folder(path) => write!(out, "{}", path.display()),
        }
    }
}

/// Reads an address of artifacts; `server` is the source's, which a full address of the proxy must be on.
pub(crate) fn place(uri: &str, server: &Url) -> Result<Place, Error> {
    let wrong = |why: String| Error::Location {
        uri: uri.chars().take(300).collect(),
        why,
    };
    if uri.starts_with('/') {
        return Ok(Place::Folder(PathBuf::from(uri)));
    }
    let Some((scheme, rest)) = uri.split_once(':') else {
        return Err(wrong(
            "the path is relative to the folder MLflow was started in; start it with --serve-artifacts".to_owned(),
        ));
    };
    match scheme {
        "mlflow-artifacts" => {
            let path = match rest.strip_prefix("//") {
                None => rest.trim_start_matches('/'),
                Some(with_host) => {
                    let (host, path) = with_host.split_once('/').unwrap_or((with_host, ""));
                    let same = host.is_empty() || host == server.authority();
                    if !same {
                        return Err(wrong(
                            "they are behind another server; make that one a source of its own".to_owned(),
                        ));
                    }
                    path
                }
            };
            Ok(Place::Proxy(ArtifactPath::new(path.trim_end_matches('/'))?))
        }
        "file" => {
            let path = Url::parse(uri)
                .ok()
                .and_then(|url| url.to_file_path().ok())
                .ok_or_else(|| wrong("this is no path of a local folder".to_owned()))?;
            Ok(Place::Folder(path))
        }
        _ => Err(wrong(format!(
            "{scheme}: is not read from here; start the MLflow server with --serve-artifacts and \
             --artifacts-destination, so that it hands the files out itself"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        let server = Url::parse("http://mlflow:5000").unwrap();
        let proxy = |path: &str| Place::Proxy(ArtifactPath::new(path).unwrap());
        assert_eq!(
            place("mlflow-artifacts:/1/r/artifacts/model", &server).unwrap(),
            proxy("1/r/artifacts/model")
        );
        assert_eq!(
            place("mlflow-artifacts://mlflow:5000/1/a", &server).unwrap(),
            proxy("1/a")
        );
        assert_eq!(place("mlflow-artifacts:///1/a", &server).unwrap(), proxy("1/a"));
        assert_eq!(
            place("file:///a%20b/c", &server).unwrap(),
            Place::Folder("/a b/c".into())
        );
        assert_eq!(place("/a/c", &server).unwrap(), Place::Folder("/a/c".into()));
        for refused in [
            "s3://bucket/x",
            "mlflow-artifacts://other/1/a",
            "mlruns/1/a",
            "mlflow-artifacts:/1/../a",
        ] {
            assert!(place(refused, &server).is_err(), "{refused}");
        }
    }
}
