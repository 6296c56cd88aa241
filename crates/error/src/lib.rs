#![forbid(unsafe_code)]
//! The error model of AWS Lambda's invoke operations: codes, statuses, faults and what each says about the execution
