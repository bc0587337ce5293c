"""What a second worker gains a sweep: the same trials on an installation with one worker and on one with two.

The trials are drawn by chance from one seed, so both sweeps do the same work, each training on one thread; a small
sweep beforehand lets the workers import what they need. It wants two idle cores. `python -m benchmarks.suite --trials
12` is quick.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.platform import Client, installed
from benchmarks.training import make_table
from hydroml.entrypoints import bootstrap

BOUND = 1.7


def sweep(client: Client, project: str, version: str, trials: int) -> tuple[float, list[Any]]:
    """Seconds from the start to the last trial's end, and the trials."""
    specification = {
        "name": "Sweep",
        "version_id": version,
        "target": "y",
        "algorithm": {"name": "hist_gradient_boosting", "hyperparameters": {"max_iter": 100}},
    }
    plan = {
        "kind": "sweep",
        "sampler": "random",
        "trials": trials,
        "prune": False,
        "space": {
            "learning_rate": {"low": 0.02, "high": 0.3, "log": True},
            "l2_regularization": {"low": 0, "high": 10},
        },
    }
    body = {"specification": specification, "plan": plan, "parallel": 2}
    suite = client.post(f"/projects/{project}/suites", body)["id"]
    started = time.perf_counter()
    client.post(f"/suites/{suite}/start")
    while (found := client.get(f"/suites/{suite}"))["status"] == "running":
        time.sleep(0.1)
    took = time.perf_counter() - started
    if found["status"] != "succeeded" or found["counts"]["succeeded"] != trials:
        raise RuntimeError(f"the sweep ended as {found['status']}: {found['error']} {found['counts']}")
    return took, [(trial["values"], trial["score"]) for trial in found["trials"]]


def measured(folder: Path, table: Path, trials: int, *, workers: int) -> tuple[float, list[Any]]:
    """As `sweep`, on an installation of its own."""
    folder.mkdir()
    with installed(folder, workers=workers) as platform:
        bootstrap.container.cache_clear()
        [(_, version)] = platform.put(table)
        client = platform.client()
        project = client.get("/projects")["items"][0]["id"]
        sweep(client, project, str(version.id), 2 * workers)
        return sweep(client, project, str(version.id), trials)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=50)
    parser.add_argument("--rows", type=int, default=20_000)
    options = parser.parse_args(arguments)
    os.environ["HYDROML_THREADS"] = "1"
    with tempfile.TemporaryDirectory(prefix="hydroml-benchmark-") as folder:
        Path(folder).chmod(0o711)
        table = Path(folder, "table.parquet")
        make_table(table, options.rows)
        one, alone = measured(Path(folder, "one"), table, options.trials, workers=1)
        two, together = measured(Path(folder, "two"), table, options.trials, workers=2)
    ratio = one / two
    print(f"{'trials':>8}{'one s':>10}{'two s':>10}{'ratio':>8}{'bound':>8}  the same trials and scores")
    print(f"{options.trials:>8}{one:>10.1f}{two:>10.1f}{ratio:>8.2f}{BOUND:>8.2f}  {alone == together}")
    return 0 if ratio >= BOUND and alone == together else 1


if __name__ == "__main__":
    raise SystemExit(main())
