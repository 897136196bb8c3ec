//! Admin gRPC.
