//! The table: groups of contenders that do the same work.
//!
//! Each user of the table measures in its own way: criterion, the micro harness, allocations,
//! instructions.

mod chains;
mod codecs;
mod curves;
mod names;
mod protocol;
mod signers;

/// The contender that the report's rows are about.
pub const OURS: &str = "ours";

/// The name of a contender in the report.
fn label(name: &'static str) -> &'static str {
    match name {
        "lambda-invoke-event-stream" | "lambda-invoke-sigv4" => OURS,
        other => other,
    }
}

/// Measures a part of a contender's work.
pub trait Measure {
    fn around(&mut self, work: &mut dyn FnMut());
}

/// Contenders that do the same work.
pub struct Group {
    pub name: String,
    /// The number of items in one run, such as frames in a stream. The cost is divided by it.
    pub each: usize,
    build: Box<dyn Fn() -> Vec<Contender>>,
}

impl Group {
    fn new(
        name: impl Into<String>,
        each: usize,
        build: impl Fn() -> Vec<Contender> + 'static,
    ) -> Self {
        Self {
            name: name.into(),
            each,
            build: Box::new(build),
        }
    }

    pub fn contenders(&self) -> Vec<Contender> {
        (self.build)()
    }

    /// Whether this group is a point of a curve, which only the report draws.
    pub fn is_curve(&self) -> bool {
        self.name.starts_with("curve")
    }
}

/// One way to do the work of a group.
pub struct Contender {
    pub name: &'static str,
    run: Run,
}

/// Does the work this many times, with the measured part inside [`Measure::around`].
type Run = Box<dyn FnMut(usize, &mut dyn Measure)>;

/// The number of runs that are prepared together; this many fit into the processor's cache.
const PREPARED: usize = 32;

impl Contender {
    /// Work that needs no preparation.
    fn new(name: &'static str, mut work: impl FnMut() + 'static) -> Self {
        let run = move |count, measure: &mut dyn Measure| {
            measure.around(&mut || (0..count).for_each(|_| work()));
        };
        Self {
            name: label(name),
            run: Box::new(run),
        }
    }

    /// Work on a new value each time, whose creation and drop are not measured.
    fn prepared<T: 'static>(
        name: &'static str,
        mut prepare: impl FnMut() -> T + 'static,
        mut work: impl FnMut(&mut T) + 'static,
    ) -> Self {
        let run = move |mut count: usize, measure: &mut dyn Measure| {
            while count > 0 {
                let batch = count.min(PREPARED);
                let mut values: Vec<T> = (0..batch).map(|_| prepare()).collect();
                measure.around(&mut || values.iter_mut().for_each(&mut work));
                count -= batch;
            }
        };
        Self {
            name: label(name),
            run: Box::new(run),
        }
    }

    /// Does the work this many times.
    pub fn run(&mut self, count: usize, measure: &mut dyn Measure) {
        (self.run)(count, measure);
    }
}

/// All groups.
pub fn groups() -> Vec<Group> {
    let mut groups = Vec::new();
    groups.extend(signers::groups());
    groups.extend(chains::groups());
    groups.extend(codecs::groups());
    groups.extend(names::groups());
    groups.extend(protocol::groups());
    groups.extend(curves::groups());
    groups
}
