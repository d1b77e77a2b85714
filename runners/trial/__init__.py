"""Real servers for trial, tests and benchmarks."""
