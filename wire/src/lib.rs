//! The protocol between coordinator and agents: protobuf in bounded, length-prefixed frames.
