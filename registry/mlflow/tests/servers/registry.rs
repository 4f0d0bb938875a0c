//! Models, versions, references and files, of MLflow 3 and 2.

use crate::common::{Server, three, two};
use einthoven_registry_mlflow::{Client, Error, MlModel, Reference, Resolved, Spec, example, servable};

async fn model_of(client: &Client, resolved: &Resolved) -> MlModel {
    let files = client.files(&resolved.location).await.unwrap();
    let file = files.iter().find(|file| file.path.as_str() == MlModel::FILE).unwrap();
    MlModel::parse(&client.read(&resolved.location, file, MlModel::LONGEST).await.unwrap()).unwrap()
}

async fn resolve(client: &Client, reference: &str) -> Result<Resolved, Error> {
    client.resolve(&reference.parse::<Reference>()?).await
}

async fn everything(server: &Server) {
    let client = server.client();
    client.health().await.unwrap();
    assert_eq!(client.server_version().await.unwrap(), server.logged.version);

    // Pages hold the same as the whole.
    let all: Vec<String> = client
        .models(None)
        .await
        .unwrap()
        .into_iter()
        .map(|model| model.name)
        .collect();
    assert_eq!(all.len(), 14);
    let mut paged = Vec::new();
    let mut token = None;
    loop {
        let page = client.models_page(None, 5, token.as_deref()).await.unwrap();
        assert!(page.items.len() <= 5);
        paged.extend(page.items.into_iter().map(|model| model.name));
        token = page.next;
        if token.is_none() {
            break;
        }
    }
    assert_eq!(paged, all);
    assert_eq!(client.models(Some("name LIKE 'many%'")).await.unwrap().len(), 12);
    let page = client.versions_page("beat", 2, None).await.unwrap();
    assert_eq!((page.items.len(), page.next.is_some()), (2, true));

    let beat = client.model("beat").await.unwrap();
    assert_eq!(beat.aliases["champion"], 1);
    assert_eq!(beat.tags["team"], "ecg");
    assert_eq!(beat.description, "beats of one lead");
    let versions = client.versions("beat").await.unwrap();
    let numbers: Vec<u64> = versions.iter().map(|version| version.version).collect();
    assert_eq!(numbers, [1, 2, 3, 4, 5]);
    let champion = client.version_by_alias("beat", "champion").await.unwrap();
    assert_eq!((champion.version, champion.tags["checked"].as_str()), (1, "yes"));
    assert_eq!(champion.aliases, ["champion"]);
    assert!(champion.is_ready() && champion.created_ms > 1_600_000_000_000);
    assert_eq!(client.version("beat", 1).await.unwrap(), champion);

    // However it was registered, the same files are found.
    let mut references = vec![
        "models:/beat@champion".to_owned(),
        "beat@by-run".to_owned(),
        "beat/2".to_owned(),
        "models:/beat/3".to_owned(),
        "beat/4".to_owned(),
        "beat/5".to_owned(),
        format!("runs:/{}/named", server.logged.run),
        format!("runs:/{}/old", server.logged.run),
    ];
    references.extend(server.logged.model_id.as_ref().map(|id| format!("models:/{id}")));
    for reference in &references {
        let resolved = resolve(&client, reference)
            .await
            .unwrap_or_else(|error| panic!("{reference}: {error}"));
        let files = client
            .files(&resolved.location)
            .await
            .unwrap_or_else(|error| panic!("{reference}: {error}"));
        let kept = servable(&model_of(&client, &resolved).await, &files).unwrap();
        let names: Vec<&str> = kept.iter().map(|file| file.path.as_str()).collect();
        assert!(
            names.contains(&"model.onnx") && !names.contains(&"conda.yaml"),
            "{reference}: {names:?}"
        );
        let folder = tempfile::tempdir().unwrap();
        let done = client
            .download_all(&resolved.location, &kept, folder.path(), 1 << 20)
            .await
            .unwrap();
        for (file, done) in kept.iter().zip(done) {
            let content = std::fs::read(folder.path().join(file.path.as_str())).unwrap();
            assert_eq!((done.bytes, content.len() as u64), (file.bytes, file.bytes));
        }
        assert_eq!(
            std::fs::read_dir(folder.path()).unwrap().count(),
            kept.len(),
            "a part is left"
        );
    }

    let resolved = resolve(&client, "beat@champion").await.unwrap();
    let model = model_of(&client, &resolved).await;
    assert_eq!(model.run_id.as_deref(), Some(server.logged.run.as_str()));
    assert_eq!(model.model_id, server.logged.model_id);
    assert_eq!(model.mlflow_version.as_deref(), Some(server.logged.version.as_str()));
    let tensor = |name: &str| Spec::Tensor {
        name: Some(name.to_owned()),
        dtype: "float32".to_owned(),
        shape: vec![-1, 1, 8],
    };
    let signature = model.signature.clone().unwrap();
    assert_eq!(
        (signature.inputs, signature.outputs),
        (vec![tensor("ecg")], vec![tensor("p")])
    );
    let files = client.files(&resolved.location).await.unwrap();
    let path = model.example_path().unwrap().unwrap();
    let file = files.iter().find(|file| file.path == path).unwrap();
    let tensors = example(&client.read(&resolved.location, file, 1 << 20).await.unwrap(), &model).unwrap();
    assert_eq!(
        (tensors[0].name.as_deref(), tensors[0].shape.as_slice()),
        (Some("ecg"), &[1, 1, 8][..])
    );
    assert_eq!((tensors[0].values[0], tensors[0].values[7]), (-1.0, 1.0));

    let pickled = resolve(&client, "pickled/1").await.unwrap();
    let files = client.files(&pickled.location).await.unwrap();
    let refused = servable(&model_of(&client, &pickled).await, &files).unwrap_err();
    assert!(matches!(refused, Error::Refused(_)), "{refused}");

    // Folders in folders, and a name with a space.
    let large = resolve(&client, &format!("runs:/{}/large", server.logged.run))
        .await
        .unwrap();
    let files = client.files(&large.location).await.unwrap();
    let listed: Vec<(&str, u64)> = files.iter().map(|file| (file.path.as_str(), file.bytes)).collect();
    assert_eq!(listed, [("deep/er/weights 1.bin", 3_000_017), ("deep/note.txt", 6)]);

    assert!(matches!(
        resolve(&client, "beat@nobody").await,
        Err(Error::NoAlias { .. })
    ));
    assert!(matches!(
        resolve(&client, "nothing@champion").await,
        Err(Error::NoModel { .. })
    ));
    assert!(matches!(
        resolve(&client, "beat/77").await,
        Err(Error::NoVersion { version: 77, .. })
    ));
    assert!(matches!(
        resolve(&client, "nothing/1").await,
        Err(Error::NoModel { .. })
    ));
    assert!(matches!(client.model("nothing").await, Err(Error::NoModel { .. })));
    assert!(client.versions("nothing").await.unwrap().is_empty());
    let gone = format!("runs:/{}/x", "0".repeat(32));
    assert!(matches!(resolve(&client, &gone).await, Err(Error::NotFound { .. })));
    let empty = resolve(&client, &format!("runs:/{}/absent", server.logged.run))
        .await
        .unwrap();
    assert!(matches!(
        client.files(&empty.location).await,
        Err(Error::NotFound { .. })
    ));
}

#[tokio::test]
async fn mlflow_3() {
    everything(three()).await;
    let logged = format!("models:/m-{}", "0".repeat(32));
    assert!(matches!(
        resolve(&three().client(), &logged).await,
        Err(Error::NotFound { .. })
    ));
}

#[tokio::test]
async fn mlflow_2() {
    everything(two()).await;
}
