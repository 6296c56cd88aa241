//! Fault injection for the project's client and for others. The comparisons with other
//! implementations are in `tests/`, and the clients and runtimes of `clients/run` in `src/bin/`.

pub mod chaos;
