//! Tasks, each in a thread of its own.

/// The runtime of the tasks.
#[derive(Clone, Debug)]
pub struct Handle;

impl Handle {
    #[must_use]
    pub fn current() -> Self {
        Self
    }

    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        loom::thread::spawn(move || loom::future::block_on(task));
    }
}
