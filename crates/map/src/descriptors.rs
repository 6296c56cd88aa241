//! The limit of open files of this process.

/// Raises this process's limit of open files towards `needed` as far as the system allows, and
/// returns the limit. `None` if there is no limit, or if it is not known.
///
/// # Example
///
/// ```
/// if let Some(most) = lambda_invoke_map::open_files(500) {
///     println!("at most {most} sockets and files");
/// }
/// ```
#[must_use]
pub fn open_files(needed: u64) -> Option<u64> {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, getrlimit, setrlimit};
        let mut limit = getrlimit(Resource::Nofile);
        let now = limit.current?;
        if now >= needed {
            return Some(now);
        }
        let wanted = limit.maximum.map_or(needed, |maximum| maximum.min(needed));
        limit.current = Some(wanted.max(now));
        match setrlimit(Resource::Nofile, limit) {
            Ok(()) => Some(wanted.max(now)),
            Err(_) => Some(now),
        }
    }
    #[cfg(not(unix))]
    {
        let _ = needed;
        None
    }
}
