"""`charrnn eval` for a model of examples: accuracy on labels or targets."""

from functools import partial
from typing import TYPE_CHECKING, Any

from charrnn.cli.inputs import TextInput
from charrnn.cli.options import model_argument
from charrnn.display.terminal import Answer

if TYPE_CHECKING:
    from charrnn.checkpoint.model import Model
    from charrnn.display.console import Draw
    from charrnn.evaluation.classification import Labelled
    from charrnn.evaluation.pairs import Paired


def grade(path: str, model: "Model", texts: tuple[str, ...], encoding: str | None, whole: bool, as_json: bool) -> None:
    """Grades a model on examples, or on the validation split of its training, and shows the result."""
    from charrnn.display import evaluation as display
    from charrnn.display.console import show
    from charrnn.evaluation.classification import grade_labels
    from charrnn.evaluation.pairs import grade_pairs

    assert model.task is not None
    reader = TextInput(texts, encoding, whole, "graded", f"name the examples: charrnn eval TEXT{model_argument(path)}")
    rows, part = reader.examples(path, model, model.task)
    answer = Answer()
    if model.task.kind == "pairs":
        pairs = grade_pairs(model, rows)
        figures = pair_figures(pairs)
        draw: Draw = partial(display.pairs, grade=pairs)
    else:
        labels = grade_labels(model, rows)
        figures = label_figures(labels)
        draw = partial(display.labels, grade=labels)
    if as_json:
        answer.json({"model": path, "part": part, **figures})
    else:
        show(answer, draw)


def pair_figures(grade: "Paired") -> dict[str, Any]:
    worst = [dict(zip(("source", "target", "written", "edits"), row, strict=True)) for row in grade.worst]
    return {
        "examples": grade.examples,
        "exact": grade.accuracy,
        "character_error_rate": grade.error_rate,
        "worst": worst,
    }


def label_figures(grade: "Labelled") -> dict[str, Any]:
    mistakes = [dict(zip(("text", "label", "given", "probability"), row, strict=True)) for row in grade.mistakes]
    return {
        "examples": grade.examples,
        "accuracy": grade.accuracy,
        "macro_f1": grade.f1,
        "labels": grade.labels,
        "confusion": grade.confusion.tolist(),
        "mistakes": mistakes,
    }
