"""kill -9 at random moments of a training run that saves every step, each followed by `--resume`."""

import json
import os
import time
from pathlib import Path

import charrnn
from charrnn.checkpoint.model import load
from charrnn.errors import ModelFileError
from charrnn.options import Options
from charrnn.training.loop import Training
from tests.torture.common import TEXT, TINY, Outcome, Tally, dice, digest, folder, start

COUNT = 300
STEPS = 1_000_000
LONGEST = 0.5  # seconds, after the start or after the first step


class Uninterrupted:
    """Digests of an uninterrupted run, computed on demand."""

    def __init__(self) -> None:
        self.training: Training | None = None
        self.digests = [""]

    def digest(self, step: int, options: Options) -> str:
        """The digest of a run with these options after `step` steps."""
        self.training = self.training or charrnn.train(charrnn.Corpus.from_text(TEXT), **options.as_dict())
        while len(self.digests) <= step:
            next(self.training)
            self.digests.append(digest(self.training.model))
        return self.digests[step]


def reported(log: Path) -> int:
    """The last step that the log reports as saved."""
    lines = log.read_bytes().split(b"\n")[:-1] if log.exists() else []
    return max((json.loads(line)["saved_step"] or 0 for line in lines[-3:]), default=0)


def run(count: int, seed: int) -> Outcome:
    rng, tally, wanted, most = dice(seed, "kill"), Tally(), Uninterrupted(), 0
    with folder() as here:
        first = ["train", "corpus.txt", *TINY, "--steps", str(STEPS)]
        log = here / "log"
        for number in range(count):
            how = ["train", "--resume"] if (here / "model.npz").exists() else first
            log.unlink(missing_ok=True)
            with open(log, "wb") as out:
                victim = start([*how, "--save-every", "1", "--json", "-q"], stdout=out)
                late = rng.random() < 0.7
                while late and not log.stat().st_size and victim.poll() is None:
                    time.sleep(0.001)
                time.sleep(rng.uniform(0.0, LONGEST))
                victim.kill()
                code = victim.wait()
            tally.count += 1
            tally.check(code == -9, f"kill {number}: the process exited with {code} before")
            left = set(os.listdir(here)) - {"corpus.txt", "log", "model.npz", ".model.npz.lock"}
            tally.check(left <= {".model.npz.tmp"}, f"kill {number}: leftover files {left}")
            most = max(most, len(left))
            safe = reported(log)
            try:
                model = load("model.npz")
            except ModelFileError as error:
                never = not (here / "model.npz").exists() and not safe
                tally.check(never, f"kill {number}: {error}")
                continue
            assert model.run is not None
            step = model.run.step
            tally.check(step >= safe, f"kill {number}: step {safe} was reported, step {step} is in the file")
            same = digest(model) == wanted.digest(step, model.run.options)
            tally.check(same, f"kill {number}: different bits at step {step}")
    return tally.outcome(f"kills up to step {len(wanted.digests) - 1:,}; leftover temporary files: at most {most}")
