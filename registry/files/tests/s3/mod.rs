//! A real S3 server over a folder, on loopback, which checks signatures.

use einthoven_registry_files::Bucket;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use std::path::PathBuf;
use tokio::net::TcpListener;
use tokio::task::AbortHandle;

/// Serves until dropped.
pub(crate) struct Server {
    pub(crate) settings: Bucket,
    folder: tempfile::TempDir,
    task: AbortHandle,
}

impl Server {
    pub(crate) async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("models")).unwrap();
        let mut service = S3ServiceBuilder::new(s3s_fs::FileSystem::new(folder.path()).unwrap());
        service.set_auth(SimpleAuth::from_single("reader", "a secret of the tests"));
        let service = service.build();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let task = tokio::spawn(async move {
            let http = Builder::new(TokioExecutor::new());
            loop {
                let (socket, _) = listener.accept().await.unwrap();
                let connection = http
                    .serve_connection(TokioIo::new(socket), service.clone())
                    .into_owned();
                tokio::spawn(async move { drop(connection.await) });
            }
        });
        Self {
            settings: Bucket {
                endpoint: format!("http://{address}"),
                bucket: "models".into(),
                prefix: "einthoven/test".into(),
                region: "eu-central-1".into(),
                access_key: "reader".into(),
                secret_key: "a secret of the tests".into(),
                allow_http: true,
            },
            folder,
            task: task.abort_handle(),
        }
    }

    /// Where the server keeps what this store keeps.
    pub(crate) fn folder(&self) -> PathBuf {
        self.folder.path().join("models/einthoven/test")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}
