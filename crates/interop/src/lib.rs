//! Empty: the comparisons with other implementations are in `tests/`, and the clients and runtimes of
//! `clients/run` in `src/bin/`.
