//! Journey files: their format, their checks, and the sans-I/O walk that replays them.
