"""`make torture`: kill workers with SIGKILL at random moments while runs go on, and count afterwards."""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.torture.outside import Heard
    from trellis.storage.tenant import Tenant

ROOT = Path(__file__).resolve().parents[2]
sys.path[0] = str(ROOT)
sys.path.insert(1, str(ROOT / "platform"))
os.environ["PYTHONPATH"] = os.pathsep.join(sys.path[:2])  # the fork server reads that, and nothing else

# workers are killed, not the server: it need not wait for the disk
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


def options() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(prog="torture", description=__doc__)
    parser.add_argument("--runs", type=int, default=10_000, help="each long one has one beside it, and wakes one")
    parser.add_argument("--workers", type=int, default=3, help="processes of `trellis worker`")
    parser.add_argument("--seed", type=int, default=7, help="of the moments, and of what is put off")
    parser.add_argument("--between", type=float, nargs=2, default=(1, 11), metavar="SECONDS", help="two kills")
    parser.add_argument("--fails", type=float, default=0.02, help="part of letters and requests that are put off")
    parser.add_argument("--minutes", type=float, default=120, help="after which it is given up")
    parser.add_argument("--var", type=Path, default=ROOT / "var" / "torture", help="made anew, and taken away")
    return parser.parse_args()


def main() -> int:
    """Run, kill, count; 1 when anything was lost or done twice."""
    from bench.torture import outside, world
    from bench.torture.count import is_over
    from bench.torture.workers import Workers
    from trellis.automation import state
    from trellis.cli._kinds import import_kinds
    from trellis.formula.reader import Reader
    from trellis.records.principal import Principal
    from trellis.records.store import Store
    from trellis.storage.catalogue import Catalogue
    from trellis.storage.database import Database
    from trellis.storage.secrets import use_installation_key

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what was started is ended in any case
    given = options()
    given.runs = -(-given.runs // 3)  # long ones
    import_kinds()
    shutil.rmtree(given.var, ignore_errors=True)
    given.var.mkdir(parents=True)
    use_installation_key(given.var)
    database = Database.open(None, given.var, settings=FAST)
    post, receiver = outside.Post(given.seed, given.fails), outside.Receiver(given.seed, given.fails)
    post.start()
    receiver.start()
    url = database.url.render_as_string(hide_password=False)
    workers = Workers(url, given.var, given.workers, tuple(given.between), random.Random(given.seed))
    began = time.monotonic()
    try:
        tenant = world.make(Catalogue(database), post.port, receiver.url)
        store = Store(tenant, Principal.system(Reader(currency="EUR")))
        names = [{"name": f"A{n}"} for n in range((given.runs + world.PER_ACCOUNT - 1) // world.PER_ACCOUNT)]
        accounts = [outcome.id for outcome in store.create_many("account", names)]
        workers.start()
        made, told = 0, began
        while time.monotonic() - began < given.minutes * 60:
            if made < given.runs and state.depth(tenant).waiting < 500:
                numbers = range(made, min(given.runs, made + 200))
                rows = [
                    {"name": f"D{n}", "number": n, "email": f"d{n}@x.example", "account": accounts[n // 4]}
                    for n in numbers
                ]
                store.create_many("deal", rows, means="api")
                made = numbers.stop
            workers.kill_when_it_is_time()
            depth = state.depth(tenant)
            if time.monotonic() - told > 30:
                told = time.monotonic()
                print(f"{told - began:5.0f} s  {made} begun, {workers.kills} kills, {depth}", flush=True)
            if made == given.runs and not depth.waiting + depth.running and is_over(tenant):
                break
            time.sleep(0.2)
        workers.close()
        return report(tenant, given, workers.kills, time.monotonic() - began, post.heard, receiver.heard)
    finally:
        workers.close()
        post.close()
        receiver.close()
        database.close()
        shutil.rmtree(given.var, ignore_errors=True)


def report(
    tenant: Tenant, given: argparse.Namespace, kills: int, seconds: float, letters: Heard, requests: Heard
) -> int:
    """Say what came of it."""
    from bench.torture.count import wrong
    from trellis.automation import state

    faults = list(wrong(tenant, given.runs))
    faults += [f"letters, {fault}" for fault in letters.wrong(given.runs)]
    faults += [f"requests, {fault}" for fault in requests.wrong(given.runs)]
    faults += [f"given up: {dead.kind} {dead.error}" for dead in state.dead_letters(tenant)[:5]]
    left = state.depth(tenant)
    if left.waiting + left.running:
        faults.append(f"left in the queue: {left}")
    print(f"{given.runs} long runs, {3 * given.runs} runs, {kills} of {kills + given.workers} workers killed, ", end="")
    print(f"{seconds:.0f} s, {seconds * 1000 / given.runs:.0f} ms for a long run")
    print(f"put off by the other side: {letters.put_off} letters, {requests.put_off} requests")
    print(f"arrived once more under the same key: {letters.copies} letters, {requests.copies} requests")
    print("\n".join(["WRONG:", *faults]) if faults else "none lost, none doubled")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
