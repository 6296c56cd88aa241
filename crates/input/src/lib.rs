#![forbid(unsafe_code)]
//! AWS Lambda function names, ARNs, qualifiers, client contexts and limits, parsed once into typed values
