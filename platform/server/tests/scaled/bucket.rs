//! A bucket on a real S3 server, with the file by which a server finds it.

use crate::s3;
use secrecy::ExposeSecret;
use std::path::PathBuf;

pub(crate) struct Bucket {
    // Before the runtime, which it needs until it has gone.
    server: s3::Server,
    _runtime: tokio::runtime::Runtime,
    folder: tempfile::TempDir,
}

impl Bucket {
    pub(crate) fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let server = runtime.block_on(s3::Server::start());
        let folder = tempfile::tempdir().unwrap();
        let settings = &server.settings;
        let key = folder.path().join("secret-key");
        std::fs::write(&key, settings.secret_key.expose_secret()).unwrap();
        let text = format!(
            "endpoint = {:?}\nbucket = {:?}\nprefix = {:?}\nregion = {:?}\naccess_key = {:?}\nallow_http = true\n\
             secret_key_file = {key:?}\n",
            settings.endpoint, settings.bucket, settings.prefix, settings.region, settings.access_key
        );
        std::fs::write(folder.path().join("bucket.toml"), text).unwrap();
        Self {
            server,
            _runtime: runtime,
            folder,
        }
    }

    /// What `--bucket` names.
    pub(crate) fn file(&self) -> PathBuf {
        self.folder.path().join("bucket.toml")
    }

    /// Where the bucket's server keeps what is in it.
    pub(crate) fn contents(&self) -> PathBuf {
        self.server.folder()
    }
}
