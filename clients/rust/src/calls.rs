//! What takes several calls, or files.

use crate::Failure;
use crate::events::{Event, Lines};
use crate::files::{File, form};
use crate::generated::{Client, types};
use crate::sending::Sending;
use bytes::Bytes;
use futures_util::stream::{self, BoxStream, Stream, StreamExt, TryStreamExt};
use progenitor_client::ClientInfo as _;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderName};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::VecDeque;
use std::ops::Deref;
use std::time::Duration;

const SUBJECT: HeaderName = HeaderName::from_static("x-einthoven-subject");
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// A server, and who calls it. Every operation of the document is a method of the [`Client`] inside.
#[derive(Clone, Debug)]
pub struct Einthoven {
    client: Client,
}

impl Deref for Einthoven {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

/// What the files do not say, and what is wanted.
#[derive(Clone, Debug, Default)]
pub struct Stated {
    /// Samples per second.
    pub rate: Option<f64>,
    /// `mV`, `uV` or `V`.
    pub unit: Option<String>,
    /// The lead to classify.
    pub lead: Option<String>,
    /// Which record to take, where an archive holds several.
    pub record: Option<String>,
    /// `NAME`, `NAME/VERSION` or `NAME@ALIAS`.
    pub model: Option<String>,
    /// Whom the recording is of: the same subject gets the same version while an experiment goes on.
    pub subject: Option<String>,
}

/// What was found.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Answer {
    /// The beats of a recording.
    Beats(Box<types::Classification>),
    /// The classes of rows, each a single beat.
    Rows(Box<types::RowsClassification>),
}

impl Answer {
    /// The beats; none where it is of rows.
    #[must_use]
    pub fn beats(&self) -> &[types::Beat] {
        match self {
            Self::Beats(found) => &found.beats,
            Self::Rows(_) => &[],
        }
    }

    /// The entry of the journal that labels are given to; none where nothing is remembered.
    #[must_use]
    pub fn prediction(&self) -> Option<&str> {
        match self {
            Self::Beats(found) => found.prediction.as_deref(),
            Self::Rows(found) => found.prediction.as_deref(),
        }
    }
}

impl Einthoven {
    /// The server at `url`, such as `http://127.0.0.1:5000`, called with the key that `EINTHOVEN_KEY` holds.
    ///
    /// # Errors
    ///
    /// Where TLS cannot be set up.
    pub fn new(url: &str) -> Result<Self, Failure> {
        // A provider that is there already will do as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .connect_timeout(Duration::from_secs(30))
            .build()?;
        let client = Client::new_with_client(url.trim_end_matches('/'), http, Sending::from_environment());
        Ok(Self { client })
    }

    /// With another API key or token.
    #[must_use]
    pub fn with_key(mut self, key: impl Into<String>) -> Self {
        self.client.inner.key(key.into());
        self
    }

    /// With what gives the newest token, asked before every request, for tokens that expire.
    #[must_use]
    pub fn with_tokens<F>(mut self, ask: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = String> + Send + 'static,
    {
        self.client.inner.ask(ask);
        self
    }

    /// How often a request is sent again that the server asked to send later; 4 unless said.
    #[must_use]
    pub fn with_retries(mut self, retries: u32) -> Self {
        self.client.inner.retries = retries;
        self
    }

    /// The beats of a recording, or the classes of rows.
    ///
    /// # Errors
    ///
    /// What the server refuses.
    pub async fn classify(&self, files: &[File], stated: &Stated) -> Result<Answer, Failure> {
        self.send_files(files, stated, true).await
    }

    /// The same as a job, for recordings that take long.
    ///
    /// # Errors
    ///
    /// What the server refuses.
    pub async fn submit(&self, files: &[File], stated: &Stated) -> Result<types::Job, Failure> {
        self.send_files(files, stated, false).await
    }

    async fn send_files<T: DeserializeOwned>(&self, files: &[File], stated: &Stated, wait: bool) -> Result<T, Failure> {
        let given = [
            ("rate", stated.rate.map(|rate| rate.to_string())),
            ("unit", stated.unit.clone()),
            ("lead", stated.lead.clone()),
            ("record", stated.record.clone()),
            ("model", stated.model.clone()),
        ];
        let fields: Vec<_> = given
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)))
            .collect();
        let mut request = self.request(Method::POST, "/v1/classify").query(&[("wait", wait)]);
        if let Some(subject) = &stated.subject {
            request = request.header(SUBJECT, subject);
        }
        self.form(request, &fields, files).await
    }

    /// What happens to a job, from where it is until it ends. A connection that breaks is made again.
    pub fn events<'a>(&'a self, job: &'a str) -> impl Stream<Item = Result<Event, Failure>> + Send + 'a {
        let following = Following {
            client: self,
            job,
            after: None,
            coming: None,
            lines: Lines::default(),
            events: VecDeque::new(),
            ended: false,
        };
        stream::try_unfold(following, Following::next)
    }

    /// Waits until a job has ended, telling what happens, and gives its result.
    ///
    /// # Errors
    ///
    /// Why it failed.
    pub async fn wait(&self, job: &str, mut tell: impl FnMut(&Event)) -> Result<Answer, Failure> {
        self.events(job)
            .try_for_each(|event| {
                tell(&event);
                std::future::ready(Ok(()))
            })
            .await?;
        read(
            self.send(self.request(Method::GET, &format!("/v1/jobs/{job}/result")))
                .await?,
        )
        .await
    }

    /// Labels a prediction by a file of reference beats, as WFDB annotation files are (`.atr`).
    ///
    /// # Errors
    ///
    /// What the server refuses.
    pub async fn refer(&self, prediction: &str, beats: impl Into<Bytes>) -> Result<types::LabelTaken, Failure> {
        let request = self.request(Method::POST, &format!("/v1/predictions/{prediction}/labels"));
        let request = request
            .header(CONTENT_TYPE, "application/octet-stream")
            .body(beats.into());
        read(self.send(request).await?).await
    }

    /// Brings a version in and waits for its verdict. `fields` is what its files do not say, such as `recipe` and `labels`.
    ///
    /// # Errors
    ///
    /// What the server refuses.
    pub async fn add_version(
        &self,
        model: &str,
        files: &[File],
        fields: &[(&str, &str)],
    ) -> Result<types::VersionDetail, Failure> {
        let mut all = vec![("wait_s", "120".to_owned())];
        all.extend(fields.iter().map(|(name, value)| (*name, (*value).to_owned())));
        let request = self.request(Method::POST, &format!("/v1/models/{model}/versions"));
        self.form(request, &all, files).await
    }

    /// Lets a version answer.
    ///
    /// # Errors
    ///
    /// What the server refuses.
    pub async fn promote(&self, model: &str, version: &str, reason: &str) -> Result<types::TrafficState, Failure> {
        let traffic = types::NewTraffic::builder()
            .champion(version.to_owned())
            .reason(reason.to_owned());
        Ok(self.set_traffic().model(model).body(traffic).send().await?.into_inner())
    }

    /// Lets what answered before answer again.
    ///
    /// # Errors
    ///
    /// What the server refuses.
    pub async fn take_back(&self, model: &str, reason: &str) -> Result<types::TrafficState, Failure> {
        let why = types::Why::builder().reason(reason.to_owned());
        Ok(self.roll_back().model(model).body(why).send().await?.into_inner())
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client().request(method, format!("{}{path}", self.baseurl()))
    }

    async fn form<T: DeserializeOwned>(
        &self,
        request: RequestBuilder,
        fields: &[(&str, String)],
        files: &[File],
    ) -> Result<T, Failure> {
        let (kind, body) = form(fields, files);
        read(self.send(request.header(CONTENT_TYPE, kind).body(body)).await?).await
    }

    async fn send(&self, request: RequestBuilder) -> Result<Response, Failure> {
        Ok(self.inner().send(self.client(), request.build()?).await?)
    }
}

async fn read<T: DeserializeOwned>(response: Response) -> Result<T, Failure> {
    let status = response.status();
    let body = response.bytes().await?;
    if !status.is_success() {
        return Err(Failure::of(status, &body));
    }
    serde_json::from_slice(&body)
        .map_err(|cause| Failure::Unexpected(format!("the answer is not as documented: {cause}")))
}

/// A job that is followed.
struct Following<'a> {
    client: &'a Einthoven,
    job: &'a str,
    /// The last event that was seen.
    after: Option<String>,
    coming: Option<BoxStream<'static, reqwest::Result<Bytes>>>,
    lines: Lines,
    events: VecDeque<Event>,
    ended: bool,
}

impl Following<'_> {
    async fn next(mut self) -> Result<Option<(Event, Self)>, Failure> {
        loop {
            if let Some(event) = self.events.pop_front() {
                self.after = Some(event.id.clone());
                self.ended = event.ends();
                return Ok(Some((event, self)));
            }
            if self.ended {
                return Ok(None);
            }
            match &mut self.coming {
                Some(coming) => match coming.next().await {
                    Some(Ok(bytes)) => self.events.extend(self.lines.take(&bytes)),
                    // It broke, or the server let go: on from there.
                    Some(Err(_)) | None => self.coming = None,
                },
                None => {
                    let response = open(self.client, self.job, self.after.clone()).await?;
                    match response.status() {
                        StatusCode::OK => {
                            self.lines = Lines::default();
                            self.coming = Some(response.bytes_stream().boxed());
                        }
                        StatusCode::NO_CONTENT => return Ok(None),
                        status => return Err(Failure::of(status, &response.bytes().await?)),
                    }
                }
            }
        }
    }
}

async fn open(client: &Einthoven, job: &str, after: Option<String>) -> Result<Response, Failure> {
    let path = format!("/v1/jobs/{job}/events");
    let mut request = client.request(Method::GET, &path).header(ACCEPT, "text/event-stream");
    if let Some(after) = after {
        request = request.header(LAST_EVENT_ID, after);
    }
    client.send(request).await
}
