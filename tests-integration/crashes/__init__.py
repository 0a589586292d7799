"""Worker processes, brokers and databases are killed under load; nothing is lost, nothing twice.

`python -m crashes` runs the scenarios with as many runs and kills as are asked for; the suite runs
them with few.
"""
