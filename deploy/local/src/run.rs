//! The life of a stack program: come up, serve what is asked until the end is asked for, go down in order.

use std::{future::Future, time::Instant};

use anyhow::{Result, bail};
use tokio::{sync::mpsc, task::JoinSet};

use crate::{
    control::{Asked, Command, Server},
    file,
    layout::Layout,
    ledger::Ledger,
    lock::Lock,
    packages,
    part::Part,
    postgres, proc, services,
    signals::Signals,
    stack::{Options, Stack},
    stack_file::StackFile,
    state::State,
    supervisor::Condition,
    terminal::{Terminal, elapsed},
    tools,
};

/// What happens on a stack that is ready.
#[derive(Debug)]
pub struct Ready {
    /// The stack as others read it.
    pub file: StackFile,
    /// Where its files are.
    pub layout: Layout,
    /// How long it took.
    pub took: String,
}

/// Brings a stack up, then does `work` on it, then takes it down. `fresh` forgets everything before. `None` says that
/// the work was cut short because the end was asked for.
///
/// # Errors
/// If the stack does not come up, or the work fails.
pub async fn run<T, W: Future<Output = Result<T>>>(
    layout: Layout,
    options: Options,
    terminal: Terminal,
    fresh: bool,
    work: impl FnOnce(Ready) -> W,
) -> Result<Option<T>> {
    let begun = Instant::now();
    layout.prepare()?;
    let _lock = Lock::take(&layout)?;
    let mut signals = Signals::listen()?;
    let (mut ledger, ended) = Ledger::open(&layout).await?;
    for part in ended {
        terminal.say(format!(
            "  ! {part} was left over from an earlier run and has been ended"
        ));
    }
    if fresh {
        wipe(&layout)?;
        layout.prepare()?;
        (ledger, _) = Ledger::open(&layout).await?;
    }
    let needs = options.needs();
    packages::ensure_installed(terminal, &layout, &needs).await?;
    let tools_layout = layout.clone();
    let mut stack = Stack::new(layout, options, terminal, ledger)?;
    let came_up = tokio::select! {
        biased;
        () = signals.next() => Ok(None),
        came_up = bring_up(&mut stack, needs.tools.then_some(&tools_layout), terminal) => came_up.map(Some),
    };
    let outcome = match came_up {
        Ok(Some(file)) => {
            let layout = stack.layout.clone();
            let took = elapsed(begun.elapsed());
            let ready = Ready { file, layout, took };
            serve(&mut stack, &mut signals, terminal, ready, work).await
        }
        Ok(None) => Ok((None, None)),
        Err(error) => Err(error),
    };
    if let Err(error) = &outcome {
        terminal.complain(format!("{error:#}"));
    }
    let went_down = take_down(&mut stack, &mut signals, terminal, outcome.is_ok()).await;
    let (done, asked) = match outcome {
        Ok(ending) => ending,
        Err(_told) => bail!("everything that was started is stopped again"),
    };
    if let Some(asked) = asked {
        asked.answer(Ok("stopped".to_owned())).await;
    }
    went_down.map(|()| done)
}

/// The stack, and beside it the tools of its tests if they are wanted.
async fn bring_up(stack: &mut Stack, tools: Option<&Layout>, terminal: Terminal) -> Result<StackFile> {
    let fetching = async {
        match tools {
            Some(layout) => Box::pin(tools::fetch(terminal, layout)).await,
            None => Ok(()),
        }
    };
    let (file, ()) = tokio::try_join!(stack.bring_up(), fetching)?;
    Ok(file)
}

/// Removes everything that a stack remembers, its lock excepted.
///
/// # Errors
/// If the file system refuses.
pub fn wipe(layout: &Layout) -> Result<()> {
    if let Ok(state) = State::load(layout) {
        postgres::remove_data(&state)?;
    }
    for entry in std::fs::read_dir(layout.folder())? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            file::remove_folder(&entry.path())?;
        } else if entry.file_name() != "lock" {
            file::remove(&entry.path())?;
        }
    }
    Ok(())
}

type Ending<T> = (Option<T>, Option<Asked>);

async fn serve<T, W: Future<Output = Result<T>>>(
    stack: &mut Stack,
    signals: &mut Signals,
    terminal: Terminal,
    ready: Ready,
    work: impl FnOnce(Ready) -> W,
) -> Result<Ending<T>> {
    let server = Server::listen(&stack.layout)?;
    let (sender, mut commands) = mpsc::channel(8);
    let mut listening = JoinSet::new();
    listening.spawn(async move { while sender.send(server.next().await).await.is_ok() {} });
    ready.file.write(&stack.layout)?;
    let mut work = std::pin::pin!(work(ready));
    loop {
        tokio::select! {
            biased;
            () = signals.next() => return Ok((None, None)),
            death = stack.supervisor.next_death() => {
                terminal.complain(format!("{} ended by itself: {}", death.part, death.report));
                terminal.say(format!("    the rest stays up; `credo-local start {}` starts it again", death.part));
            }
            Some(asked) = commands.recv() => {
                if asked.command == Command::Shutdown {
                    return Ok((None, Some(asked)));
                }
                let outcome = tokio::select! {
                    biased;
                    () = signals.next() => return Ok((None, None)),
                    outcome = obey(stack, asked.command) => outcome,
                };
                stack.describe()?.write(&stack.layout)?; // before the answer: who asked may read it
                asked.answer(outcome).await;
                continue;
            }
            done = &mut work => return done.map(|done| (Some(done), None)),
        }
        stack.describe()?.write(&stack.layout)?;
    }
}

async fn obey(stack: &mut Stack, command: Command) -> Result<String> {
    let begun = Instant::now();
    let supervisor = &mut stack.supervisor;
    let done = match command {
        Command::Status => return Ok(status(stack)),
        Command::Stop(part) => supervisor.stop(part).await.map(|_in_order| format!("{part} stopped"))?,
        Command::Start(part) => {
            supervisor.launch(part)?;
            supervisor.wait_ready(part).await.map(|()| format!("{part} started"))?
        }
        Command::Kill(part) => supervisor.kill(part).await.map(|()| format!("{part} killed"))?,
        Command::Pause(part) => supervisor.pause(part).map(|()| format!("{part} paused"))?,
        Command::Resume(part) => supervisor.resume(part).map(|()| format!("{part} resumed"))?,
        Command::Clock(seconds) => {
            services::step_clock(&stack.layout, seconds).map(|()| format!("its clock is at {seconds:+} s"))?
        }
        Command::Wire(far, weather) => stack.wires()?.set(far, weather)?,
        Command::Shutdown => String::new(),
    };
    Ok(format!("{done} ({})", elapsed(begun.elapsed())))
}

fn status(stack: &Stack) -> String {
    let line = |(part, condition, pid): (Part, Condition, Option<i32>)| {
        let pid_text = pid.map_or_else(|| "-".to_owned(), |pid| pid.to_string());
        let memory: u64 = pid
            .map(proc::family)
            .unwrap_or_default()
            .into_iter()
            .filter_map(proc::memory_kib)
            .sum();
        let condition = format!("{condition:?}").to_lowercase();
        format!("{part:<16} {condition:<8} {pid_text:>8} {:>6} MiB", memory >> 10)
    };
    let lines: Vec<_> = stack.supervisor.conditions().map(line).collect();
    lines.join("\n")
}

async fn take_down(stack: &mut Stack, signals: &mut Signals, terminal: Terminal, was_up: bool) -> Result<()> {
    terminal.say("\nStopping.");
    StackFile::remove(&stack.layout)?;
    let interrupted = tokio::select! {
        () = stack.supervisor.stop_all(|line| terminal.say(line)) => false,
        () = signals.next() => true,
    };
    if interrupted {
        terminal.say("  asked again: killing what is left");
        stack.supervisor.kill_all().await;
    }
    file::remove(&stack.layout.socket())?;
    if was_up && !interrupted {
        stack.keep_archive()?;
    }
    Ok(())
}
