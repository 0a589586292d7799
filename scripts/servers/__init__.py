"""Real servers for the tests and the benchmark, on a machine where nothing is installed by hand."""
