"""The benchmark: the same work through Hephaestus and its peers, in turn, on the same servers.

    python3 scripts/run.py rivals:bench               # every job beside every peer: an hour
    python3 scripts/run.py rivals:bench --quick       # one short round of most: two minutes
    python3 scripts/run.py rivals:bench --job crash   # one job

It prints a table for each job and writes them, after each, as `bench.md`, `bench.json` and a
drawing of throughput against concurrency into `.cache/bench`, or where `--output` says. Leave
the machine to it.

The servers are those of the tests, with their defaults: every commit waits for the disk. Each
peer is installed, with the versions in `pins/`, into an environment of its own; one that cannot
be is reported. Every measurement is a process of its own, on an empty database; a round measures
each contender once (A B C, A B C, …), and ratios are taken within a round, so that a slow minute
of the machine slows all of them.

A job is a file in `jobs/`, a peer a file or a folder in `contenders/`; `registry.py` lists both.
`python -m bench.environments` renews the pins.
"""
