//! A server that keeps artifacts in a folder and does not serve them.

use crate::common::plain;
use einthoven_registry_mlflow::{Client, Error, Reference};
use std::os::unix::fs::symlink;

#[tokio::test]
async fn read_from_the_allowed_folder_only() {
    let server = plain();
    let reference: Reference = "beat@champion".parse().unwrap();

    let error = server.client().resolve(&reference).await.unwrap_err();
    assert!(matches!(error, Error::Location { .. }), "{error}");
    assert!(error.to_string().contains("artifact_roots") && error.to_string().contains("--serve-artifacts"));

    let mut source = server.source();
    source.artifact_roots = vec![server.folder.join("elsewhere")];
    std::fs::create_dir_all(&source.artifact_roots[0]).unwrap();
    assert!(matches!(
        Client::new(&source).unwrap().resolve(&reference).await,
        Err(Error::Location { .. })
    ));

    source.artifact_roots = vec![server.folder.join("artifacts")];
    let client = Client::new(&source).unwrap();
    for reference in ["beat@champion", "beat/3", "beat/4", "beat/5"] {
        let resolved = client.resolve(&reference.parse().unwrap()).await.unwrap();
        let files = client.files(&resolved.location).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        client
            .download_all(&resolved.location, &files, folder.path(), 1 << 20)
            .await
            .unwrap();
        assert!(folder.path().join("model.onnx").is_file());
    }

    // A link planted beside the model makes the listing fail; none is followed.
    let large = client
        .resolve(&format!("runs:/{}/large", server.logged.run).parse().unwrap())
        .await
        .unwrap();
    let files = client.files(&large.location).await.unwrap();
    let note = files.iter().find(|file| file.path.name() == "note.txt").unwrap();
    let on_disk = std::path::PathBuf::from(large.location.to_string()).join("deep/note.txt");
    std::fs::remove_file(&on_disk).unwrap();
    symlink("/etc/hostname", &on_disk).unwrap();
    assert!(matches!(
        client.files(&large.location).await,
        Err(Error::Location { .. })
    ));
    assert!(matches!(
        client.read(&large.location, note, 100).await,
        Err(Error::Location { .. })
    ));
}
