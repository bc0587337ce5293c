"""`python -m benchmarks [NAME …]` runs all benchmarks but those that install something, or those named.

Each prints a table of its own.
"""

import subprocess
import sys

BENCHMARKS = (
    "startup", "pages", "import_csv", "profile", "quality", "listing", "runs", "training", "predict", "serving",
    "suite", "studio", "crowd",
)  # fmt: skip

BY_NAME = ("dtale", "automatic", "estimate")
"""One installs a peer from the package index first, the others take minutes."""


def main(names: list[str]) -> int:
    unknown = [name for name in names if name not in (*BENCHMARKS, *BY_NAME)]
    if unknown:
        print(f"unknown: {', '.join(unknown)}; there are {', '.join((*BENCHMARKS, *BY_NAME))}", file=sys.stderr)
        return 2
    # A process each: what one leaves in memory would be counted in the next one's peak.
    return max(subprocess.call([sys.executable, "-m", f"benchmarks.{name}"]) for name in names or BENCHMARKS)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
