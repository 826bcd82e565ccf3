"""Notes on a new run."""

from charrnn.checkpoint.run import Run
from charrnn.nn.fast.engine import is_fast
from charrnn.nn.params import Config
from charrnn.options import Options


def notes(config: Config, options: Options, workers: int, validated: bool) -> list[str]:
    """Options that do not apply to this text as given; `validated` if there is a validation split."""
    found = []
    if options.workers > workers:
        found.append(f"workers: {workers} instead of {options.workers}, one per stream.")
    if options.val_fraction and not validated:
        found.append("the text is too short for a validation split; the final weights are kept.")
    if options.engine == "fast" and not is_fast(config):
        found.append(f"cell {options.cell} has no fast implementation: training with the plain engine.")
    if config.vocab_size == 1:
        found.append("the text has only one distinct character: there is nothing to learn.")
    return found


def changes_of_rounding(before: Run, now: Run) -> list[str]:
    """Numbers of processes, or another engine, with which a resumed run may be rounded in another way than `before`."""
    values = {name: (getattr(before.options, name), getattr(now.options, name)) for name in ("workers", "engine")}
    values["ranks"] = before.versions.get("ranks", "1"), now.versions.get("ranks", "1")
    return [
        f"{name}: {new} instead of {old}, so rounding may differ." for name, (old, new) in values.items() if new != old
    ]
