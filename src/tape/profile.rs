//! Where the time goes: what each operation took, forward and backward, by name and by the user's source line.

use super::{Operation, Store, Tape};
use crate::number::Real;
use std::collections::BTreeMap;
use std::fmt;
use std::panic::Location;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

/// In which pass an operation ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Pass {
    /// To compute a value; in a recorded sweep, a cotangent or a tangent.
    Forward,
    /// In an unrecorded reverse sweep, to hand its cotangents on.
    Reverse,
    /// In an unrecorded forward sweep, to hand its tangents on.
    Tangent,
}

impl Pass {
    fn name(self) -> &'static str {
        match self {
            Pass::Forward => "forward",
            Pass::Reverse => "reverse",
            Pass::Tangent => "tangent",
        }
    }
}

/// One run of an operation or of its rule.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Event {
    /// The operation.
    pub operation: &'static str,
    /// The line of the user's source that asked for it.
    pub location: &'static Location<'static>,
    /// The pass.
    pub pass: Pass,
    /// When it began, counted from the start of the profile.
    pub start: Duration,
    /// How long it took.
    pub time: Duration,
    /// The bytes of its inputs and outputs: what it must read and write at least. Twice that in a sweep, where
    /// cotangents or tangents are as large.
    pub bytes: usize,
    /// The floating-point operations, by the operation's own count ([`Operation::flops`](crate::Operation::flops)). Twice
    /// that in a sweep.
    pub flops: usize,
    /// The thread, numbered in the order in which they appear.
    pub thread: usize,
}

/// What runs of operations are noted in.
pub(super) struct Recorder {
    start: Instant,
    notes: Mutex<Notes>,
}

#[derive(Default)]
struct Notes {
    events: Vec<Event>,
    threads: Vec<std::thread::ThreadId>,
}

impl Recorder {
    fn notes(&self) -> std::sync::MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cold]
    fn note<T: Real>(
        &self,
        store: &Store<T>,
        operation: &dyn Operation<T>,
        first: u32,
        pass: Pass,
        began: Instant,
    ) {
        let time = began.elapsed();
        let node = &store.nodes[first as usize];
        let value = |index: u32| store.nodes[index as usize].value.as_ref().ok();
        let x: Option<Vec<_>> = node.inputs.iter().map(|&input| value(input)).collect();
        let y: Option<Vec<_>> = (first..first + u32::from(node.outputs)).map(value).collect();
        // What failed has nothing to count.
        let (Some(x), Some(y)) = (x, y) else { return };
        let bytes = x.iter().chain(&y).map(|value| value.len() * size_of::<T>()).sum::<usize>();
        let flops = operation.flops(&x, y[0]);
        let factor = if pass == Pass::Forward { 1 } else { 2 };
        let id = std::thread::current().id();
        let mut notes = self.notes();
        let thread = notes.threads.iter().position(|&known| known == id).unwrap_or_else(|| {
            notes.threads.push(id);
            notes.threads.len() - 1
        });
        notes.events.push(Event {
            operation: node.name,
            location: node.line,
            pass,
            start: began.saturating_duration_since(self.start),
            time,
            bytes: bytes.saturating_mul(factor),
            flops: flops.saturating_mul(factor),
            thread,
        });
    }
}

/// Takes the times of a tape's operations until it is dropped. From [`Tape::profile`].
#[must_use = "a profile ends when it is dropped"]
pub struct Profiler(Arc<Recorder>);

impl Profiler {
    /// What ran until now.
    pub fn report(&self) -> Profile {
        Profile { events: self.0.notes().events.clone() }
    }

    /// Forgets what ran until now, as after a step that warms up.
    pub fn reset(&self) {
        self.0.notes().events.clear();
    }
}

impl fmt::Debug for Profiler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Profiler of {} events", self.0.notes().events.len())
    }
}

/// The runs of operations, in the order in which they ended. Prints as a table by operation, pass and line, most time
/// first.
#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    events: Vec<Event>,
}

/// What the runs of one operation at one line sum up to in one pass.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Summary {
    /// The operation.
    pub operation: &'static str,
    /// The line of the user's source.
    pub location: &'static Location<'static>,
    /// The pass.
    pub pass: Pass,
    /// How often it ran.
    pub calls: usize,
    /// How long it took in all.
    pub time: Duration,
    /// The bytes in all.
    pub bytes: usize,
    /// The floating-point operations in all.
    pub flops: usize,
}

impl Profile {
    /// Every run.
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// The sums by operation, line and pass, most time first.
    pub fn summary(&self) -> Vec<Summary> {
        let mut rows: BTreeMap<_, Summary> = BTreeMap::new();
        for event in &self.events {
            let Event { operation, location, pass, .. } = *event;
            let key = (operation, location.file(), location.line(), location.column(), pass);
            let row = rows.entry(key).or_insert(Summary {
                operation,
                location,
                pass,
                calls: 0,
                time: Duration::ZERO,
                bytes: 0,
                flops: 0,
            });
            row.calls += 1;
            row.time += event.time;
            row.bytes = row.bytes.saturating_add(event.bytes);
            row.flops = row.flops.saturating_add(event.flops);
        }
        let mut rows: Vec<_> = rows.into_values().collect();
        rows.sort_by_key(|row| std::cmp::Reverse(row.time));
        rows
    }

    /// The time of all runs. Those on several threads count each.
    pub fn total(&self) -> Duration {
        self.events.iter().map(|event| event.time).sum()
    }

    /// The runs in the trace event format, which `chrome://tracing` and the Perfetto viewer open.
    pub fn to_chrome_trace(&self) -> String {
        let microseconds = |time: Duration| time.as_nanos() as f64 / 1e3;
        let escaped = |text: &str| {
            text.chars().fold(String::new(), |mut out, c| {
                match c {
                    '"' | '\\' => out.extend(['\\', c]),
                    c if c.is_control() => out += &format!("\\u{:04x}", c as u32),
                    c => out.push(c),
                }
                out
            })
        };
        let lines: Vec<String> = self
            .events
            .iter()
            .map(|event| {
                format!(
                    "{{\"name\":\"{}\",\"cat\":\"{}\",\"ph\":\"X\",\"ts\":{:.3},\"dur\":{:.3},\"pid\":0,\"tid\":{},\
                     \"args\":{{\"line\":\"{}\",\"bytes\":{},\"flops\":{}}}}}",
                    escaped(event.operation),
                    event.pass.name(),
                    microseconds(event.start),
                    microseconds(event.time),
                    event.thread,
                    escaped(&event.location.to_string()),
                    event.bytes,
                    event.flops,
                )
            })
            .collect();
        format!("{{\"traceEvents\":[\n{}\n]}}\n", lines.join(",\n"))
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let total = self.total().as_secs_f64();
        writeln!(
            f,
            "{:<24} {:<8} {:>7} {:>11} {:>6} {:>8} {:>8}  line",
            "operation", "pass", "calls", "time", "share", "GB/s", "Gflop/s"
        )?;
        for row in self.summary() {
            let time = row.time.as_secs_f64();
            // A clock may be too coarse for the shortest runs.
            let rate = |amount: usize| if time > 0.0 { amount as f64 / time / 1e9 } else { 0.0 };
            writeln!(
                f,
                "{:<24} {:<8} {:>7} {:>8.3} ms {:>5.1}% {:>8.2} {:>8.2}  {}",
                row.operation,
                row.pass.name(),
                row.calls,
                time * 1e3,
                100.0 * time / total.max(f64::MIN_POSITIVE),
                rate(row.bytes),
                rate(row.flops),
                row.location
            )?;
        }
        write!(f, "{:<24} {:<8} {:>7} {:>8.3} ms", "in all", "", self.events.len(), total * 1e3)
    }
}

impl<T: Real> Tape<T> {
    /// Takes the time of every operation from now on, forward and in sweeps, until what this gives is dropped. Clearing
    /// the tape does not end it. An earlier profile of the tape ends.
    ///
    /// A run costs about 100 ns more meanwhile. When no profile is taken, nothing is measured.
    ///
    /// What rules do in an unrecorded sweep counts as their operation's; a checkpointed segment's own operations count
    /// when it runs again. Recorded sweeps append operations, which count as they run.
    ///
    /// ```
    /// use retrograde::{Pass, Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::<f64>::ones([64, 64])?);
    /// let profiler = tape.profile();
    /// x.matmul(x).tanh().sum().backward()?;
    /// let profile = profiler.report();
    /// assert_eq!(profile.events().len(), 6);
    /// let product = profile.summary().into_iter().find(|row| row.operation == "matmul" && row.pass == Pass::Forward);
    /// assert_eq!(product.map(|row| (row.calls, row.flops)), Some((1, 2 * 64 * 64 * 64)));
    /// println!("{profile}");
    /// assert!(profile.to_chrome_trace().contains("\"name\":\"matmul\""));
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    pub fn profile(&self) -> Profiler {
        let recorder = Arc::new(Recorder { start: Instant::now(), notes: Mutex::default() });
        self.store.borrow_mut().recorder = Some(Arc::downgrade(&recorder));
        Profiler(recorder)
    }
}

impl<T: Real> Store<T> {
    /// The recorder, and the time now, while a profile is taken.
    #[inline(always)]
    pub(super) fn recording(&self) -> Option<(Arc<Recorder>, Instant)> {
        match &self.recorder {
            None => None,
            Some(recorder) => begin(recorder),
        }
    }

    /// Notes what an operation took that was recorded from here on.
    #[inline(always)]
    pub(super) fn note(
        &self,
        recording: Option<(Arc<Recorder>, Instant)>,
        operation: &dyn Operation<T>,
        first: u32,
        pass: Pass,
    ) {
        if let Some((recorder, began)) = recording {
            recorder.note(self, operation, first, pass, began);
        }
    }
}

#[cold]
fn begin(recorder: &Weak<Recorder>) -> Option<(Arc<Recorder>, Instant)> {
    recorder.upgrade().map(|recorder| (recorder, Instant::now()))
}
