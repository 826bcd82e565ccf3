"""The learning rate and the length of a run: its schedule, early stopping, and a limit of its time."""

import time
from dataclasses import dataclass

from charrnn.checkpoint.run import Run
from charrnn.nn.optim import decay_start, learning_rate, steps_if_decayed
from charrnn.options import Options

FEWEST = 10  # steps that are timed before the length follows from them
CHANGE = 0.02  # of the length: smaller changes are made only where the decay begins


@dataclass(frozen=True)
class Schedule:
    """The learning rates of a run with these options, and its length; an epoch has `windows` steps."""

    options: Options
    windows: int

    @property
    def span(self) -> int:
        """The step at which the schedule ends, with an evaluation."""
        return self.options.length(self.windows)[0]

    @property
    def end(self) -> int:
        """The last step of the run."""
        return self.options.length(self.windows)[1]

    def rate(self, step: int, restarted: int = 0) -> float:
        """The learning rate of a step; the optimizer last started anew after the step `restarted`."""
        return learning_rate(self.options.schedule, self.options.lr, step, self.span, restarted)

    def decays_later(self, step: int) -> bool:
        """Whether a decay is yet to begin after this step."""
        return self.options.schedule == "wsd" and step < decay_start(self.span)

    def adjustable(self, step: int) -> bool:
        """Whether the length may still change without a trace: after this step the learning rate has not decayed."""
        return self.decays_later(step) or (self.options.schedule == "constant" and step < self.span)

    def shortest(self, step: int) -> int:
        """The smallest length that may be set after this step: with all of a decay, or with a last evaluation."""
        return steps_if_decayed(step) if self.options.schedule == "wsd" else step + 1

    @property
    def early_decay(self) -> str:
        """A note that the decay begins now."""
        count = self.options.patience
        return (
            f"no improvement for {count} evaluation{'s' * (count != 1)}: the learning rate decays from step "
            f"{decay_start(self.span):,} to the end at step {self.end:,}."
        )

    def stale(self, run: Run) -> bool:
        """Early stopping: whether `patience` evaluations have passed since the best one, or the start of the decay, or
        since the run was extended.
        """
        options, step = self.options, run.step
        if run.best_step is None or not options.patience:
            return False
        best = run.history.best_after(run.extended) if run.extended else run.best_step
        decay = decay_start(self.span) if options.schedule == "wsd" else 0
        return (step - max(best, decay * (decay <= step))) // options.eval_every >= options.patience

    def extend(self, before: "Schedule", run: Run) -> list[str]:
        """Notes on a run that is resumed with this schedule instead of the one `before`."""
        notes = self.difference(before, run.step)
        stopped = self.end > before.end and self.stale(run) and not before.decays_later(run.step)
        if notes or stopped:
            run.extended = run.step
            if self.options.patience:
                notes.append(f"early stopping counts the evaluations from step {run.step + 1:,} on.")
        return notes

    def difference(self, before: "Schedule", step: int) -> list[str]:
        """A note if the learning rate of a past step would be another one with this schedule than it was `before`."""
        then, now = (learning_rate(each.options.schedule, 1.0, step, each.span) for each in (before, self))
        if not step or then == now:
            return []
        return [
            f"the learning rate of step {step:,} was {then:.0%} of its peak, and would be {now:.0%} in a run of "
            f"{self.span:,} steps: it continues at the latter, and the result differs from that of such a run."
        ]


class TimeLimit:
    """Sets the length of a run that ends `seconds` after `start` (by `time.monotonic`) and has at most `most` steps."""

    def __init__(self, start: float, seconds: float, most: int) -> None:
        self.start, self.seconds, self.most = start, seconds, most
        self.first: tuple[int, float] | None = None

    def exclude(self, pause: float) -> None:
        """The time during which the process was suspended does not count."""
        self.start, self.first = self.start + pause, None

    def steps(self, step: int, planned: int, shortest: int) -> int | None:
        """The number of steps that the time allows after `step`, at least `shortest`; None if that is as `planned`.

        Called after each step until the decay begins: it begins with the step after which it takes the time that is
        left. A run that is slower from then on ends late.
        """
        now = time.monotonic()
        if self.first is None:
            self.first = step, now
        done, took = step - self.first[0], now - self.first[1]
        if done < FEWEST or not took:  # the clock may be coarse
            return None
        left = max(0.0, self.start + self.seconds - now)
        total = max(min(self.most, step + int(left * done / took)), shortest)
        small = abs(total - planned) < CHANGE * planned and decay_start(total) > step
        return None if small or total == planned else total
