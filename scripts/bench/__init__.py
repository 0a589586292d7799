"""The benchmark: one job through Hephaestus and its peers, in turn, on this machine.

    python3 scripts/run.py rivals:bench            # every job beside every peer: a minute
    python3 scripts/run.py rivals:bench --quick    # the same with fewer and shorter rounds
    python3 scripts/run.py bench                   # without the peers, which are then reported

It prints a table and writes it as `bench.md` and `bench.json` into `.cache/bench`, or where
`--output` says. Every measurement is a process of its own; a round measures each contender once
(A B C, A B C, …), and ratios are taken within a round, so that a slow minute of the machine
slows all of them.

A job is a file in `jobs/`, a peer is a file in `contenders/`; `registry.py` lists both.
"""
