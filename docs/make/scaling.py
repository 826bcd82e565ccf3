"""Reproduce the scaling tables of docs/performance.md: python docs/make/scaling.py (about 3 minutes).

Prints the time per character for a varying number of streams, time steps and hidden units.
"""

from charrnn.__main__ import pin_threads

pin_threads()

from charrnn.training.benchmark import Case, run  # noqa: E402

SECONDS = 4.0
STREAMS = (1, 4, 16, 64, 256)
STEPS = (16, 32, 64, 128, 256)
HIDDEN = (64, 128, 256, 512, 1024)


def table(name: str, cases: dict[int, Case]) -> None:
    print(f"\n| {name} | workers | µs per character | share of limit |\n|---|---|---|---|")
    for value, result in zip(cases, run(tuple(cases.values()), SECONDS), strict=True):
        print(f"| {value} | {result.workers} | {1e6 / result.train:.2f} | {result.share:.0%} |", flush=True)


def main() -> None:
    table("streams", {n: Case("lstm", 2, 128, n, 64) for n in STREAMS})
    table("time steps", {n: Case("lstm", 2, 128, 32, n) for n in STEPS})
    table("hidden size", {n: Case("lstm", 2, n, 32, 64) for n in HIDDEN})


if __name__ == "__main__":
    main()
