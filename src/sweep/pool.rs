//! Many cases on a rayon pool.
//!
//! Every worker takes the next case of one queue, so they run in the order of the walk. While a
//! script runs, its worker lets the sandbox of a later case be set up: setting one up is mostly
//! waiting for the kernel. At most one such sandbox per worker waits at a time, any idle worker
//! may take it, and no script in it has run.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::Sender;

use super::case::{Finished, Kitchen, Waiting};
use super::event::Event;
use super::supervise::Departing;
use crate::corpus::Case;

/// What becomes of a finished case: it is stored, and what tables need of it is returned.
pub type Store<'a> = dyn Fn(&Finished) -> Result<crate::report::row::Row, String> + Sync + 'a;

/// Sandboxes for each worker that may be set up ahead. More than one gained nothing on a machine
/// whose cores are busy, and each costs memory.
const AHEAD: usize = 1;

/// Slots for uids that a sweep with this many workers needs: one that runs, and those ahead.
pub fn slots(jobs: usize) -> u32 {
    u32::try_from(jobs * (1 + AHEAD)).unwrap_or(u32::MAX)
}

struct Queue<'a> {
    cases: &'a [Case],
    next: AtomicUsize,
    waiting: Mutex<VecDeque<Waiting>>,
    /// How many are set up ahead or about to be: never more than [`AHEAD`] for each worker.
    ahead: AtomicUsize,
    free_slots: Mutex<Vec<u32>>,
}

/// Runs all cases; returns when every one is stored or the sweep was cancelled.
///
/// # Errors
/// The pool cannot start its threads.
pub fn run(
    kitchen: Kitchen,
    cases: &[Case],
    jobs: usize,
    store: &Store,
    events: Sender<Event>,
) -> Result<(), rayon::ThreadPoolBuildError> {
    let jobs = jobs.clamp(1, cases.len().max(1));
    let queue = Queue {
        cases,
        next: AtomicUsize::new(0),
        waiting: Mutex::new(VecDeque::new()),
        ahead: AtomicUsize::new(0),
        free_slots: Mutex::new((0..slots(jobs)).rev().collect()),
    };
    let pool =
        rayon::ThreadPoolBuilder::new().num_threads(jobs).thread_name(|index| format!("worker-{index}")).build()?;
    // One long task for each worker. The threads live until the pool is dropped, so a sandbox
    // never loses the thread that started it.
    pool.broadcast(|context| {
        let worker = context.index();
        let events = events.clone();
        let mut departing = None;
        while !kitchen.cancel.is_raised() {
            let Some(waiting) = queue.take(&kitchen) else { break };
            while queue.set_up_ahead(&kitchen, jobs) {}
            let index = waiting.index;
            let slot = waiting.slot();
            let case = &cases[index];
            let id = case.id.clone();
            let released = || {
                let _ = events.send(Event::Started { worker, index, id, at: kitchen.clock.elapsed() });
            };
            // A defect of ours that one script brings to light must not cost the batch.
            let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                let mut finished = kitchen.finish(waiting, case, worker, released);
                (finished.departing.take(), store(&finished))
            }));
            let stored = done.map(|(now_departing, stored)| {
                see_off(std::mem::replace(&mut departing, now_departing), &events);
                stored
            });
            queue.free_slots.lock().expect("no panic while held").push(slot);
            let _ = events.send(match stored {
                Ok(Ok(row)) => Event::Finished { worker, row: Box::new(row) },
                Ok(Err(why)) => Event::Lost { worker, id: case.id.clone(), why },
                Err(_) => {
                    let why = "the harness panicked on this case; please report it as a bug".to_owned();
                    Event::Lost { worker, id: case.id.clone(), why }
                }
            });
        }
        see_off(departing, &events);
    });
    for waiting in queue.waiting.into_inner().expect("no panic while held") {
        waiting.discard();
    }
    Ok(())
}

/// Waits for a sandbox to be gone. Each worker leaves one behind at most, so there are never more
/// of them than workers.
fn see_off(departing: Option<Departing>, events: &Sender<Event>) {
    if departing.is_some_and(|departing| !departing.wait()) {
        let what = "a sandbox is not taken down by the kernel although it is empty; see `dmesg`".to_owned();
        let _ = events.send(Event::Warning { what });
    }
}

impl Queue<'_> {
    /// A case whose sandbox is already on its way, or else the next one.
    fn take(&self, kitchen: &Kitchen) -> Option<Waiting> {
        if let Some(waiting) = self.waiting.lock().expect("no panic while held").pop_front() {
            self.ahead.fetch_sub(1, Ordering::SeqCst);
            return Some(waiting);
        }
        self.start_next(kitchen)
    }

    fn start_next(&self, kitchen: &Kitchen) -> Option<Waiting> {
        let index = self.next.fetch_add(1, Ordering::Relaxed);
        let case = self.cases.get(index)?;
        let slot =
            self.free_slots.lock().expect("no panic while held").pop().expect("a slot for each that runs or waits");
        Some(kitchen.start(index, case, slot))
    }

    /// Starts to set one more up; false when there are enough, or no more cases.
    fn set_up_ahead(&self, kitchen: &Kitchen, jobs: usize) -> bool {
        if self.ahead.fetch_add(1, Ordering::SeqCst) >= jobs * AHEAD {
            self.ahead.fetch_sub(1, Ordering::SeqCst);
            return false;
        }
        match self.start_next(kitchen) {
            Some(waiting) => {
                self.waiting.lock().expect("no panic while held").push_back(waiting);
                true
            }
            None => {
                self.ahead.fetch_sub(1, Ordering::SeqCst);
                false
            }
        }
    }
}
