"""What a training shows of its network: a line after an evaluation, and samples at the end."""

import math
from contextlib import suppress
from itertools import takewhile
from typing import TYPE_CHECKING

from charrnn.errors import UsageError

if TYPE_CHECKING:
    from charrnn.checkpoint.model import Model
    from charrnn.text.tasks import Example
    from charrnn.training.loop import Training

LENGTH = 70  # characters
SHOWN = 3  # samples at the end
LINE_TEMP = 0.7
STRIDE = 7919  # a prime, so that successive lines show examples from all parts of the text


def suitable_temp(training: "Training") -> float:
    """The sampling temperature that suits the network's loss."""
    from charrnn.sampling.options import temp_for_loss

    run = training.run
    best = training.mixing.loss if training.mixing else run.best_loss
    nats = run.health.recent or 0.0 if best is None else training.bits_per_char(best) * math.log(2)
    return temp_for_loss(nats, len(training.vocab))


def sample_line(training: "Training", step: int) -> str:
    """A line of text, or an example and its answer, by the network after this step."""
    from charrnn.text.examples import Examples

    with suppress(UsageError):  # a network of bytes may know no whole character
        if not isinstance(training.source, Examples):
            return text_line(training.latest, LINE_TEMP, step)
        rows = training.source.rows
        return example_line(training.latest, rows[(step * STRIDE) % len(rows)], LINE_TEMP, step)
    return ""


def closing_samples(training: "Training") -> list[str]:
    """Lines with samples of the best weights: texts, or answers for examples of the validation split."""
    from charrnn.text.examples import Examples

    model, source, temp = training.model, training.source, suitable_temp(training)
    with suppress(UsageError):
        if not isinstance(source, Examples):
            lines = [text_line(model, temp, seed) for seed in range(SHOWN)]
            return [f"Samples (--temp {temp:g}):", *(f"  {line}" for line in lines)]
        held = source.split(training.options.val_fraction, training.options.seed)[1]
        rows = (held or source.rows)[:: max(1, len(held or source.rows) // SHOWN)][:SHOWN]
        title = f"Samples (--temp {temp:g}):" if source.task.kind == "generate" else "Answers for held-out examples:"
        lines = [example_line(model, row, temp, seed, graded=True) for seed, row in enumerate(rows)]
        return [title if held else title.replace("held-out ", ""), *(f"  {line}" for line in lines)]
    return []


def text_line(model: "Model", temp: float, seed: int) -> str:
    from charrnn.sampling.sample import sample

    return " ".join("".join(sample(model, LENGTH, temp=temp, seed=seed)).split())


def example_line(model: "Model", row: "Example", temp: float, seed: int, graded: bool = False) -> str:
    """An example and the answer of the network; `graded` adds the right answer to a wrong one."""
    from charrnn.evaluation.classification import classify
    from charrnn.sampling.conditional import answers, for_labels
    from charrnn.sampling.sample import sample

    one, other = row
    task = model.task
    assert task is not None
    if task.kind == "generate":
        text = sample(for_labels(model, {one: 1.0}), LENGTH, temp=temp, seed=seed)
        return f"{one} > {''.join(takewhile(lambda character: character != chr(10), text))}"
    question, right = (one, other) if task.kind == "pairs" else (other, one)
    answer = (
        answers(model, [one])[0].text if task.kind == "pairs" else task.labels[int(classify(model, [other]).argmax())]
    )
    wrong = graded and answer != right
    return f"{cut(question)} > {cut(answer)}{f' (right: {cut(right)})' if wrong else ''}"


def cut(text: str) -> str:
    return text if len(text) <= LENGTH else text[: LENGTH - 3] + "..."
