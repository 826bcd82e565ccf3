"""`charrnn eval` for a model of examples: how many labels or targets are right."""

import json
from typing import TYPE_CHECKING, Any

from charrnn.cli.options import STDIN, notes
from charrnn.display.terminal import Answer, remark
from charrnn.errors import TextError, UsageError

if TYPE_CHECKING:
    from charrnn.checkpoint.model import Model
    from charrnn.evaluation.classification import Labelled
    from charrnn.evaluation.pairs import Paired
    from charrnn.text.examples import Example


def graded(path: str, model: "Model", texts: tuple[str, ...], encoding: str | None, whole: bool, as_json: bool) -> None:
    """Grades the model on examples, or on the held-out ones of its training, and shows how it did."""
    from charrnn.display import evaluation as grades
    from charrnn.display.console import show
    from charrnn.evaluation.classification import grade_labels
    from charrnn.evaluation.pairs import grade_pairs

    assert model.task is not None
    rows, part = examples(path, model, texts, encoding, whole)
    answer = Answer()
    if model.task.kind == "pairs":
        paired = grade_pairs(model, rows)
        if as_json:
            answer.line(json.dumps({"model": path, "part": part, **figures(paired)}))
        else:
            show(answer, lambda out: grades.pairs(out, paired))
        return
    labelled = grade_labels(model, rows)
    if as_json:
        answer.line(json.dumps({"model": path, "part": part, **label_figures(labelled)}))
    else:
        show(answer, lambda out: grades.labels(out, labelled))


def figures(grade: "Paired") -> dict[str, Any]:
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


def examples(
    path: str, model: "Model", texts: tuple[str, ...], encoding: str | None, whole: bool
) -> "tuple[list[Example], str]":
    """The examples to grade on, and which part they are: held-out or all."""
    from charrnn.options import Options
    from charrnn.text.examples import Examples

    run, task = model.run, model.task
    assert task is not None
    recorded = run.texts if run else ()
    if not texts and (not recorded or STDIN in recorded):
        raise TextError(f"{path} does not say which file it was trained on: name the examples: charrnn eval TEXT.")
    encoding = Options(encoding=encoding or (run.options.encoding if run else "utf-8")).encoding
    found = Examples.read(texts or recorded, task.kind, model.vocab.unit, encoding, model.vocab, task=task)
    notes(found.notes)
    if strange := sorted({label for label, _ in found.rows} - set(task.labels)) if task.labels else []:
        raise UsageError(f"{found.label} has the label {strange[0]!r}, which {path} does not know.")
    if run is None or run.sha256 != found.sha256 or whole:
        return found.rows, "all"
    held = found.split(run.options.val_fraction, run.options.seed)[1]
    if not held:
        remark(f"note: {path} was trained on all of {found.label}, and all of it is graded.")
        return found.rows, "all"
    remark(f"note: {path} was trained on {found.label}: what was held out of it is graded (--all for all of it).")
    return held, "held-out"
