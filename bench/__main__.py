"""`make bench`: measure Trellis against hand-written code. Writes nothing but its throw-away server in var/bench."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[0] = str(ROOT)  # `python bench` puts this folder there
sys.path.insert(1, str(ROOT / "platform"))


def options() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="contacts in the table")
    parser.add_argument("--tenants", type=int, default=200, help="tenants in one process")
    parser.add_argument("--seconds", type=float, default=4.0, help="for each comparison")
    parser.add_argument("--only", action="append", metavar="NAME", help="a measure; may be given again")
    parser.add_argument("--fresh", action="store_true", help="make the records anew")
    parser.add_argument("--names", action="store_true", help="list the measures")
    return parser.parse_args()


def main() -> int:
    """Run the measures and print the table."""
    from bench.measures import MEASURES
    from bench.registry import Result
    from bench.setting import open_bench
    from bench.table import line, write
    from trellis.web.logs import set_up_logs
    from trellis.web.reading_log import flush

    given = options()
    if given.names:
        print("\n".join(MEASURES))
        return 0
    if unknown := set(given.only or ()) - set(MEASURES):
        print(f"There is no measure {', '.join(sorted(unknown))}; there are {', '.join(MEASURES)}.", file=sys.stderr)
        return 2
    set_up_logs(level="ERROR")
    logging.disable(logging.WARNING)
    bench_ = open_bench(given)
    results: list[Result] = []
    try:
        for name in given.only or MEASURES:
            print(f"{name} …", file=sys.stderr, flush=True)
            for result in MEASURES[name](bench_):
                results.append(result)
                print("   ", "  ".join(filter(None, line(result))), file=sys.stderr, flush=True)
    finally:
        flush()
        bench_.database.close()
        if results:
            print(f"{given.rows:,} contacts, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}\n")
            print(write(results))
    return 0


if __name__ == "__main__":
    sys.exit(main())
