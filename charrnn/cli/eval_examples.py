"""`charrnn eval` for a model of examples: accuracy on labels or targets."""

from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

from charrnn.cli.inputs import TextInput
from charrnn.display.terminal import Answer

if TYPE_CHECKING:
    from charrnn.checkpoint.model import Model
    from charrnn.display.console import Draw


def grade(path: str, model: "Model", reader: TextInput, as_json: bool) -> None:
    """Grades a model on examples, or on the validation split of its training, and shows the result."""
    from charrnn.display import evaluation as display
    from charrnn.display.console import show
    from charrnn.evaluation.classification import grade_labels
    from charrnn.evaluation.pairs import grade_pairs

    assert model.task is not None
    rows, part = reader.examples(path, model, model.task)
    answer, figures = Answer(), dict[str, Any](model=path, part=part)
    if model.task.kind == "pairs":
        pairs = grade_pairs(model, rows)
        draw: Draw = partial(display.pairs, grade=pairs)
        figures |= {"examples": pairs.examples, "exact": pairs.accuracy, "character_error_rate": pairs.error_rate}
        figures["worst"] = named(pairs.worst, "source", "target", "written", "edits")
    else:
        labels = grade_labels(model, rows)
        draw = partial(display.labels, grade=labels)
        figures |= {"examples": labels.examples, "accuracy": labels.accuracy, "macro_f1": labels.f1}
        figures |= {"labels": labels.labels, "confusion": labels.confusion.tolist()}
        figures["mistakes"] = named(labels.mistakes, "text", "label", "given", "probability")
    if as_json:
        answer.json(figures)
    else:
        show(answer, draw)


def named(rows: Iterable[tuple[object, ...]], *names: str) -> list[dict[str, object]]:
    return [dict(zip(names, row, strict=True)) for row in rows]
