//! `/v1/stream`: samples in and beats out over a WebSocket, while they happen.

mod session;

use super::App;
use super::caller::Caller;
use super::problem::Problem;
use super::standing::Standing;
use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use einthoven_auth::Scope;
use einthoven_classify::{LiveBeats, NOTICE};
use einthoven_ecg::readers::Unit;
use einthoven_registry_state::Reference;
use serde::Deserialize;
use serde_json::{Value, json};
pub(crate) use session::Streams;
use session::{Session, Slot};
use std::collections::VecDeque;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::timeout;
use uuid::Uuid;

/// Bytes of one message.
const MESSAGE: usize = 1 << 20;
/// A client that says nothing is asked once, and given up after twice this time.
const IDLE: Duration = Duration::from_secs(30);
/// A client that does not read is given up after this time; nothing is computed for it meanwhile.
const SLOW: Duration = Duration::from_secs(10);
/// How long a session waits for its client to come back.
const KEPT: Duration = Duration::from_secs(60);
/// Codes of our own: the session went on elsewhere; the client does not read.
const TAKEN_OVER: u16 = 4001;
const SLOW_READER: u16 = 4008;

/// The first message: a new session, or one to go on with.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Hello {
    rate: Option<f64>,
    unit: Option<String>,
    lead: Option<String>,
    model: Option<String>,
    /// `f32` or `i16`.
    format: Option<String>,
    /// Steps of the converter in one unit; for `i16`.
    counts_per_unit: Option<f64>,
    session: Option<String>,
    last_sample: Option<u64>,
}

/// How a connection ends.
enum End {
    /// With a code and a reason; the session waits for its client where it may.
    Close(u16, String),
    /// All was said.
    Done,
    /// The client has gone.
    Gone,
}

pub(crate) async fn open_stream(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    let upgrade = upgrade.map_err(|cause| {
        let detail = format!("a WebSocket is spoken here: {}", cause.body_text());
        Problem::new(StatusCode::UPGRADE_REQUIRED, "not_a_websocket", detail)
    })?;
    let standing = Standing::of(&headers);
    Ok(upgrade
        .max_message_size(MESSAGE)
        .max_frame_size(MESSAGE)
        .write_buffer_size(0)
        .max_write_buffer_size(2 * MESSAGE)
        .on_upgrade(move |mut socket| async move {
            let _under_way = app.lifecycle.under_way();
            let (code, reason) = match talk(&app, &caller, standing, &mut socket).await {
                End::Gone => return,
                End::Done => (close_code::NORMAL, String::new()),
                End::Close(code, reason) => (code, reason),
            };
            // A reason has room for 123 bytes.
            let reason: String = reason.chars().filter(char::is_ascii).take(120).collect();
            let close = Message::Close(Some(CloseFrame {
                code,
                reason: reason.into(),
            }));
            let _ = timeout(Duration::from_secs(1), socket.send(close)).await;
        }))
}

async fn talk(app: &Arc<App>, caller: &Caller, standing: Standing, socket: &mut WebSocket) -> End {
    let mut lost = pin!(standing.lost(Arc::clone(app), Scope::Predict));
    let greeted = tokio::select! {
        () = &mut lost => Err(no_more()),
        greeted = greeted(app, caller, socket) => greeted,
    };
    let (slot, last_sample) = match greeted {
        Ok(greeted) => greeted,
        Err(end) => return end,
    };
    let turn = {
        let mut mine = 0;
        slot.turn.send_modify(|turn| {
            *turn += 1;
            mine = *turn;
        });
        mine
    };
    let end = match went_on(app, &slot, (turn, last_sample), lost, socket).await {
        Err(end) => end,
        Ok(()) => End::Done,
    };
    if matches!(end, End::Done) {
        app.streams.remove(&slot.id);
    } else {
        let (app, slot) = (Arc::clone(app), Arc::clone(&slot));
        tokio::spawn(async move {
            tokio::time::sleep(KEPT).await;
            if *slot.turn.borrow() == turn {
                app.streams.remove(&slot.id);
            }
        });
    }
    end
}

/// The session that the first message asks for.
async fn greeted(app: &Arc<App>, caller: &Caller, socket: &mut WebSocket) -> Result<(Arc<Slot>, Option<u64>), End> {
    let refused = |reason: String| End::Close(close_code::POLICY, reason);
    let first = timeout(IDLE, socket.recv()).await;
    let Ok(Some(Ok(Message::Text(text)))) = first else {
        return Err(refused(
            "the first message must be JSON with rate, unit and lead".to_owned(),
        ));
    };
    let hello: Hello = match serde_json::from_str(&text) {
        Ok(hello) => hello,
        Err(cause) => return Err(refused(format!("the first message cannot be read: {cause}"))),
    };
    let owner = caller.principal().name();
    if let Some(id) = &hello.session {
        let slot = app.streams.get(id).filter(|slot| slot.owner == owner);
        let slot = slot.ok_or_else(|| refused("there is no such session; begin a new one".to_owned()))?;
        return Ok((slot, hello.last_sample));
    }
    let asked = |name: &str| {
        refused(format!(
            "`{name}` is missing or wrong; nothing is assumed about a signal"
        ))
    };
    let rate = hello.rate.ok_or_else(|| asked("rate"))?;
    let unit = hello
        .unit
        .as_deref()
        .and_then(Unit::from_name)
        .ok_or_else(|| asked("unit"))?;
    let lead = hello.lead.filter(|lead| (1..=64).contains(&lead.trim().len()));
    let lead = lead.ok_or_else(|| asked("lead"))?;
    let whole_numbers = match hello.format.as_deref() {
        None | Some("f32") => false,
        Some("i16") => true,
        Some(_) => return Err(asked("format")),
    };
    let counts = match hello.counts_per_unit {
        None if whole_numbers => return Err(asked("counts_per_unit")),
        None => 1.0,
        Some(counts) if counts.is_finite() && counts > 0.0 => counts,
        Some(_) => return Err(asked("counts_per_unit")),
    };
    let reference: Result<Reference, _> = hello.model.as_deref().unwrap_or("heartbeat").parse();
    let reference = reference.map_err(|cause| refused(cause.to_string()))?;
    let said = |problem: Problem| refused(problem.detail().to_owned());
    caller.may(Scope::Predict, reference.model.as_str()).map_err(said)?;
    let model = app.loaded.resolve(&reference).await;
    let model = model.map_err(|cause| said(Problem::from(cause)))?;
    let live = LiveBeats::new(model, lead.clone(), rate).map_err(|cause| refused(cause.to_string()))?;
    let id = Uuid::now_v7().to_string();
    let who = (owner, caller.person());
    let asked = app.journaling.session(app, who, &id, (&lead, rate), live.model());
    let slot = Arc::new(Slot {
        id,
        owner: owner.to_owned(),
        subject: asked.as_ref().and_then(|asked| asked.subject().map(str::to_owned)),
        turn: watch::Sender::new(0),
        session: tokio::sync::Mutex::new(Session {
            live: Some(live),
            factor: (unit.millivolts() / counts) as f32,
            whole_numbers,
            asked,
            said: VecDeque::new(),
            beats: 0,
        }),
    });
    app.streams
        .add(&slot)
        .map_err(|why| End::Close(close_code::AGAIN, why.to_owned()))?;
    Ok((slot, None))
}

/// Says where the session stands and then its beats, until the client ends it.
async fn went_on(
    app: &Arc<App>,
    slot: &Arc<Slot>,
    (turn, last_sample): (u64, Option<u64>),
    mut lost: Pin<&mut impl Future<Output = ()>>,
    socket: &mut WebSocket,
) -> Result<(), End> {
    let mut turns = slot.turn.subscribe();
    {
        let session = slot.session.lock().await;
        let Some(live) = &session.live else {
            return Err(failed());
        };
        let hello = json!({
            "type": "session",
            "session": slot.id,
            "next_sample": live.samples(),
            "model": live.model(),
            "notice": NOTICE,
        });
        send(socket, hello.to_string()).await?;
        let missed = session.said.iter().filter(|_| turn > 1);
        for said in missed.filter(|said| last_sample.is_none_or(|last| said.beat.sample as u64 > last)) {
            send(socket, said.to_text()).await?;
        }
    }
    let mut asked = false;
    loop {
        let message = tokio::select! {
            () = app.lifecycle.draining() => {
                return Err(End::Close(close_code::AWAY, "the server is stopping; begin again with another".to_owned()));
            }
            () = &mut lost => return Err(no_more()),
            _ = turns.wait_for(|now| *now != turn) => return Err(taken_over()),
            message = timeout(IDLE, socket.recv()) => message,
        };
        let message = match message {
            Ok(Some(Ok(message))) => message,
            Ok(Some(Err(cause))) => {
                return Err(End::Close(
                    close_code::SIZE,
                    format!("a message cannot be read: {cause}"),
                ));
            }
            Ok(None) => return Err(End::Gone),
            Err(_) if asked => return Err(End::Close(close_code::POLICY, "no samples for a minute".to_owned())),
            Err(_) => {
                asked = true;
                sent(socket, Message::Ping(Vec::new().into())).await?;
                continue;
            }
        };
        let mut session = slot.session.lock().await;
        // The next connection counts before it says where to go on: nothing more is taken over this one from then.
        if *slot.turn.borrow() != turn {
            return Err(taken_over());
        }
        let samples = match &message {
            Message::Binary(bytes) => session.binary(bytes)?,
            Message::Text(text) if text.trim_start().starts_with('[') => session.array(text)?,
            Message::Text(text) if is_end(text) => {
                let said = session.compute(app, None).await?;
                for beat in &said {
                    send(socket, beat.to_text()).await?;
                }
                let samples = session.live.as_ref().map_or(0, LiveBeats::samples);
                let end = json!({"type": "end", "beats": session.beats, "samples": samples});
                return send(socket, end.to_string()).await;
            }
            Message::Close(_) => return Err(End::Gone),
            // A ping says that the client is there, but not that it has samples.
            Message::Ping(_) | Message::Pong(_) => continue,
            Message::Text(_) => {
                let reason = "send samples as binary or as a JSON array, or {\"end\": true}";
                return Err(End::Close(close_code::POLICY, reason.to_owned()));
            }
        };
        asked = false;
        for beat in &session.compute(app, Some(samples)).await? {
            send(socket, beat.to_text()).await?;
        }
    }
}

fn is_end(text: &str) -> bool {
    serde_json::from_str::<Value>(text).is_ok_and(|value| value["end"] == true)
}

async fn send(socket: &mut WebSocket, text: String) -> Result<(), End> {
    sent(socket, Message::Text(text.into())).await
}

async fn sent(socket: &mut WebSocket, message: Message) -> Result<(), End> {
    match timeout(SLOW, socket.send(message)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) => Err(End::Gone),
        Err(_) => Err(End::Close(SLOW_READER, "the answers are not read in time".to_owned())),
    }
}

/// What went wrong, as the reason of the end.
fn ended(problem: &Problem) -> End {
    End::Close(close_code::ERROR, problem.detail().to_owned())
}

/// What proved who it is was revoked, has expired, or allows less now.
fn no_more() -> End {
    End::Close(close_code::POLICY, "the credential is not accepted any more".to_owned())
}

fn taken_over() -> End {
    End::Close(TAKEN_OVER, "the session goes on over another connection".to_owned())
}

fn failed() -> End {
    End::Close(
        close_code::ERROR,
        "the server could not go on; its log says why".to_owned(),
    )
}
