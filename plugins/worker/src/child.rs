//! The child's side: load one model, then answer until the parent is gone.

use crate::protocol::{Answer, EngineSetup, Opened, Place, Question, receive, send};
use crate::shared::{BEGIN, Shared, aligned};
use einthoven_plugin_host::{
    Code, Device, Engines, Failure, LoadedModel, ModelFile, ModelPackage, Outputs, Runner, TensorView, Until,
};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Resource, Rlimit};
use std::io;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Serves the parent until it closes its side or dies. To be called first thing in a process started by
/// [`Spawner`](crate::Spawner); `engines` opens the
/// engine of that name of a setup.
///
/// # Errors
/// When standard input and output are not what a parent gives.
pub fn serve(engines: impl Fn(&EngineSetup, &str) -> Result<Engines, Failure>) -> io::Result<()> {
    let stream = UnixStream::from(rustix::io::dup(rustix::stdio::stdin())?);
    let mut shared = Shared::open(rustix::io::dup(rustix::stdio::stdout())?)?;
    // From here on an engine that prints writes to the log, and one that reads finds nothing.
    let nothing = std::fs::File::open("/dev/null")?;
    rustix::stdio::dup2_stdin(&nothing)?;
    rustix::stdio::dup2_stdout(rustix::stdio::stderr())?;
    // As the server does, so that what is measured here holds there; and before there is another thread.
    einthoven_plugin_host::memory::keep_little();
    end_with_parent(&stream)?;
    einthoven_plugin_host::priority::after_requests();
    let mut loaded: Option<Loaded> = None;
    loop {
        let question = match receive(&stream, None) {
            Ok(question) => question,
            Err(cause) if cause.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
            Err(cause) => return Err(cause),
        };
        let answer = match question {
            Question::Load { .. } => load(question, &mut shared, &engines).map(|model| {
                let opened = model.opened.clone();
                loaded = Some(model);
                Answer::Opened(opened)
            }),
            Question::Run { inputs, remaining } => run(loaded.as_mut(), &mut shared, &inputs, remaining),
            Question::Measure { inputs, rows } => measure(loaded.as_mut(), &shared, &inputs, rows),
        };
        send(&stream, &answer.unwrap_or_else(Answer::Failed))?;
    }
}

/// Ends this process when the parent is gone, even while an engine hangs. (The kernel's signal for a dead parent is sent when
/// the thread that started the child ends, which may be long before.)
fn end_with_parent(stream: &UnixStream) -> io::Result<()> {
    let stream = stream.try_clone()?;
    std::thread::Builder::new().name("parent".to_owned()).spawn(move || {
        loop {
            let mut watched = [PollFd::new(&stream, PollFlags::RDHUP)];
            if poll(&mut watched, None).is_ok() && !watched[0].revents().is_empty() {
                std::process::exit(0);
            }
        }
    })?;
    Ok(())
}

struct Loaded {
    runner: Runner,
    opened: Opened,
    // Dropped after the runner.
    _model: LoadedModel,
}

fn load(
    question: Question,
    shared: &mut Shared,
    engines: &impl Fn(&EngineSetup, &str) -> Result<Engines, Failure>,
) -> Result<Loaded, Failure> {
    let Question::Load {
        setup,
        memory_bytes,
        engine,
        config,
        device,
        entry,
        directory,
        files,
    } = question
    else {
        return Err(Failure::internal("a worker was asked to load by another question"));
    };
    let limit = |resource, bytes| {
        let limit = Rlimit {
            current: Some(bytes),
            maximum: Some(bytes),
        };
        rustix::process::setrlimit(resource, limit).map_err(Failure::internal)
    };
    limit(Resource::Data, memory_bytes)?;
    limit(Resource::Core, 0)?;
    let engines = engines(&setup, &engine)?;
    // The parent may have written large files after this process had mapped the memory.
    let end = files.iter().fold(BEGIN, |end, (_, len)| aligned(end + len));
    shared.grow(end).map_err(Failure::internal)?;
    let mut offset = BEGIN;
    let mut package = Vec::new();
    for (name, len) in &files {
        let bytes = shared.view(offset, *len).map_err(Failure::internal)?;
        package.push(ModelFile { name, bytes });
        offset = aligned(offset + len);
    }
    let package = ModelPackage {
        files: &package,
        entry: &entry,
        directory: directory.as_deref(),
    };
    let model = engines.load(&engine, &package, &config)?;
    let runner = model.runner(&device.parse::<Device>()?)?;
    let opened = Opened {
        signature: model.signature().clone(),
        runtime: model.runtime().to_owned(),
        provider: runner.provider().to_owned(),
    };
    Ok(Loaded {
        runner,
        opened,
        _model: model,
    })
}

fn run(
    loaded: Option<&mut Loaded>,
    shared: &mut Shared,
    inputs: &[Place],
    remaining: Option<Duration>,
) -> Result<Answer, Failure> {
    let loaded = loaded.ok_or_else(|| Failure::internal("nothing is loaded in this worker"))?;
    let until = Until {
        deadline: remaining.and_then(|remaining| Instant::now().checked_add(remaining)),
        cancelled: Some(Arc::clone(shared.cancel_word()) as _),
    };
    let end = inputs
        .iter()
        .map(|input| input.offset + input.len)
        .max()
        .unwrap_or(BEGIN);
    shared.grow(end).map_err(Failure::internal)?;
    let outputs = execute(&mut loaded.runner, &views(shared, inputs)?, &until)?;
    // Outputs lie behind the inputs, which the parent may still want to read.
    let mut offset = aligned(end);
    let mut places = Vec::new();
    for output in outputs.all() {
        shared
            .write(offset, output.bytes())
            .map_err(|cause| Failure::new(Code::ResourceExhausted, cause.to_string()))?;
        places.push(Place {
            name: output.name.clone(),
            dtype: output.dtype,
            dims: output.dims.clone(),
            offset,
            len: output.bytes().len(),
        });
        offset = aligned(offset + output.bytes().len());
    }
    Ok(Answer::Ran {
        outputs: places,
        failed: outputs.failed().to_vec(),
        size: shared.len(),
    })
}

/// An engine that panicked leaves its instance behind; the process is the cheapest way to a new one.
fn execute(runner: &mut Runner, views: &[TensorView<'_>], until: &Until) -> Result<Outputs, Failure> {
    let answer = runner.run(views, until);
    if let Err(failure) = &answer
        && failure.code == Code::Poisoned
    {
        eprintln!("einthoven worker: {failure}");
        std::process::exit(101);
    }
    answer
}

fn views<'a>(shared: &'a Shared, inputs: &'a [Place]) -> Result<Vec<TensorView<'a>>, Failure> {
    let view = |place: &'a Place| {
        let bytes = shared.view(place.offset, place.len).map_err(Failure::internal)?;
        TensorView::new(&place.name, place.dtype, &place.dims, bytes)
    };
    inputs.iter().map(view).collect()
}

/// Time spent on one batch size, and runs at most.
const MEASURED: Duration = Duration::from_millis(80);
const RUNS: usize = 200;

fn measure(loaded: Option<&mut Loaded>, shared: &Shared, inputs: &[Place], rows: usize) -> Result<Answer, Failure> {
    let loaded = loaded.ok_or_else(|| Failure::internal("nothing is loaded in this worker"))?;
    let given = views(shared, inputs)?;
    let repeated: Vec<_> = given.iter().map(|view| repeat(view, rows)).collect();
    let views = repeated
        .iter()
        .zip(&given)
        .map(|((dims, bytes), view)| {
            let bytes = &bytemuck::cast_slice::<u64, u8>(bytes)[..dims.iter().product::<usize>() * view.dtype().size()];
            TensorView::new(view.name(), view.dtype(), dims, bytes)
        })
        .collect::<Result<Vec<_>, _>>()?;
    execute(&mut loaded.runner, &views, &Until::default())?;
    let begin = Instant::now();
    let mut times = Vec::new();
    while times.len() < RUNS && (times.len() < 3 || begin.elapsed() < MEASURED) {
        let start = Instant::now();
        execute(&mut loaded.runner, &views, &Until::default())?;
        times.push(start.elapsed());
    }
    times.sort_unstable();
    Ok(Answer::Measured(times[times.len() / 2]))
}

/// The rows of a tensor over and over until there are `batch`, in memory aligned for any element.
fn repeat(view: &TensorView<'_>, batch: usize) -> (Vec<usize>, Vec<u64>) {
    let mut dims = view.dims().to_vec();
    let rows = dims.first().copied().unwrap_or(0);
    let row = view.bytes().len().checked_div(rows).unwrap_or(0);
    if let Some(first) = dims.first_mut() {
        *first = batch;
    }
    let mut words = vec![0_u64; (row * batch).div_ceil(8)];
    let bytes = bytemuck::cast_slice_mut::<u64, u8>(&mut words);
    for (index, target) in bytes.chunks_exact_mut(row.max(1)).take(batch).enumerate() {
        if row > 0 {
            let source = index % rows * row;
            target.copy_from_slice(&view.bytes()[source..source + row]);
        }
    }
    (dims, words)
}
