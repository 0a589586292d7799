"""An idle app of DBOS."""

import sys
import time

from dbos import DBOS

from bench import machine


@DBOS.step()
def first(number: int) -> int:
    """Do a little."""
    return number


@DBOS.workflow()
def line(number: int) -> int:
    """Take one step."""
    result: int = first(number)
    return result


url = sys.argv[1].replace("postgresql://", "postgresql+psycopg://", 1)
DBOS(config={"name": "bench", "system_database_url": url, "log_level": "ERROR"})
DBOS.launch()
time.sleep(1)
print(machine.megabytes(), flush=True)
DBOS.destroy()
