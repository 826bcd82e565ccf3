"""The layout of the package: which room may import which, and which names a room exposes.

A room is a folder of `charrnn/`. Imports are read from the source with `ast`, at any depth, also those that only type
checkers see: a cycle hidden under TYPE_CHECKING is still a cycle in the design.
"""

import ast
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

import charrnn

HOME = Path(charrnn.__file__).parent

# The files at the top level: every room may import them, and they import nothing but each other.
TOP = {"__init__", "__main__", "_version", "errors", "checks", "options", "arrays"}
MAY_IMPORT: Mapping[str, set[str]] = {
    "system": set(),
    "text": set(),
    "nn": set(),
    "nn.fast": {"system", "nn"},
    "checkpoint": {"system", "text", "nn"},
    "sampling": {"system", "text", "nn", "nn.fast", "checkpoint"},
    "evaluation": {"text", "nn", "nn.fast", "checkpoint", "sampling"},
    "training": {"system", "text", "nn", "nn.fast", "checkpoint", "sampling", "evaluation"},
    "see": {"text", "nn", "nn.fast", "checkpoint", "evaluation"},
    "display": {"system", "text", "checkpoint", "evaluation", "training", "see"},
    "editor": {"system", "text", "nn.fast", "checkpoint", "sampling", "display"},
}
ROOMS = {*MAY_IMPORT, "cli"}

# The names that each room exposes to other rooms, by file; "*" is the module itself.
EXPOSED: Mapping[str, str] = {
    "system.atomic": "PathLike check_room claimed replacing target",
    "system.blas": "differences set_threads versions",
    "system.lock": "abandon hidden_path",
    "system.mpi": "abort announced connect may_report",
    "system.portability": "* STOP_SIGNALS signals_blocked",
    "system.resources": "BLAS_THREADS cores free_memory",
    "text.builtin": "CORPORA LICENCE corpus_file entry is_builtin located members",
    "text.batches": "Batch Packed Rows Streams",
    "text.corpus": "Corpus Segment",
    "text.dataset": "Dataset read_dataset",
    "text.decode": "text_of",
    "text.examples": "Examples encoded",
    "text.forms": "composed forms known_form unknown_count",
    "text.ids": "Symbols join pieces",
    "text.raw_text": "RawText read_samples",
    "text.rolling_hash": "Chars HashSet Hashed NgramFilter Places",
    "text.source": "Progress Source open_source",
    "text.tasks": "DOES END Example TAB Task",
    "text.units": "Codes Decoder SYLLABLES UNITS jamo_kind",
    "text.vocab": "NEWLINE REPLACEMENT UNKNOWN Vocab",
    "nn.dropout": "Dropout",
    "nn.equations": "CELLS Gates LINEAR_CELLS StepGradients StepValues cell_of",
    "nn.interface": "Predictor Reader RecurrentNetwork State Stepper",
    "nn.linear": "EPS LinearNetwork plain_network",
    "nn.loss": "cross_entropy log_softmax softmax softmax_nats",
    "nn.network": "Network",
    "nn.ngram": "Floats Grams Ints Level UNSEEN continuation_counts count_grams most_symbols",
    "nn.ngram_model": "CompleteLevel NONE NgramModel",
    "nn.ngram_network": "MixedNetwork NgramNetwork NgramStepper",
    "nn.optim": "CHUNK NOT_FINITE OPTIMIZERS Optimizer Status clip_scale decay_start learning_rate squares "
    "steps_if_decayed",
    "nn.params": "Config Params Shapes fresh_params",
    "nn.stepper": "NetworkStepper",
    "nn.fast.engine": "* is_fast",
    "nn.fast.parallel_stepper": "*",
    "nn.fast.layout": "Division",
    "nn.fast.weights": "PackedWeights packed_shapes",
    "checkpoint.builtin": "MODELS model_file",
    "checkpoint.history": "History MOST_SETBACKS Step",
    "checkpoint.model": "Model load",
    "checkpoint.notebook": "plot shaded table text",
    "checkpoint.onnx": "encode",
    "checkpoint.run": "Run is_kept",
    "checkpoint.safetensors": "decode encode",
    "sampling.conditional": "answers beam_search for_labels pairs_task",
    "sampling.filters": "mask_logits probabilities temperature",
    "sampling.generated_text": "uniforms",
    "sampling.mixture": "Mixture mix",
    "sampling.options": "CONSTRAINTS MAIN SAMPLING SamplingOptions temp_for_loss",
    "sampling.readers": "encode_prompt open_streams",
    "sampling.sample": "Sample generate sample sample_many",
    "sampling.spelling": "Spelling",
    "evaluation.baselines": "Baseline Baselines compute_baselines",
    "evaluation.classification": "Labelled classify grade_labels labels_of",
    "evaluation.dynamic": "evaluate_dynamic",
    "evaluation.graded": "Graded graded",
    "evaluation.mixing": "Mixing fit_mixing",
    "evaluation.novelty": "LENGTHS MARKED Novelty novelty",
    "evaluation.pairs": "Paired grade_pairs",
    "evaluation.rounding": "float16_cost",
    "evaluation.scan": "Piece Places STREAMS WARM_UP WINDOW cut piece_size resets scan windows",
    "evaluation.score": "Score ScoreBatches evaluate scorer symbols_of total_score total_scores",
    "evaluation.verdict": "Comparison compare summarize_fit verdict",
    "training.benchmark": "CASES Result environment run",
    "training.follower": "follow",
    "training.group": "Group start_group",
    "training.loop": "Training",
    "training.ngram_training": "NGRAM_OPTIONS NgramTraining refuse_training",
    "training.plan": "Plan plan_training",
    "training.transfer": "Transfer options_from_model",
    "see.curve": "Curves summary training_curves",
    "see.gradients": "GradientNorms fresh gradient_norms summary",
    "see.memory": "* Memory",
    "see.neurons": "* ProbeFit Ranking Unit activations by_character limits summary unit_summary",
    "see.result": "Result",
    "see.sentence": "model_names",
    "see.step": "Line small steps summary",
    "see.surprise": "* Surprise TextLine",
    "see.text_window": "TextWindow text_window",
    "display.charts": "bar counted duration",
    "display.console": "Draw check_output show write_file",
    "display.evaluation": "* comparison scores",
    "display.html": "coloured",
    "display.info": "carried_over information",
    "display.novelty": "marked table",
    "display.panels": "Panel curve_panels gradient_panels memory_panels",
    "display.reading": "ReadProgress",
    "display.see": "*",
    "display.tables": "benchmarks print_lines",
    "display.terminal": "* Answer ReaderLeft interject is_terminal remark safe settle silence",
    "display.training": "display",
    "display.web_page": "check_page web_page",
    "editor.app": "Editor",
    "editor.text_file": "TextFile",
    "cli.main": "run",
    "cli.signals": "end_at_once ignore",
}
THIRD_PARTY = {
    "rich": {"display", "editor"},
    "matplotlib": {"display"},
    "textual": {"editor"},
    "click": {"cli"},
    "mpi4py": {"system"},
}


class Import(NamedTuple):
    """`name` imported from the module `source`, or the module itself ("*")."""

    source: str
    name: str


Sources = Mapping[str, str]  # module below charrnn ("nn.fast.cells", "options") -> its text


def sources() -> dict[str, str]:
    """Every file of the package by its module name; the file of a folder itself is "folder.__init__"."""
    files = {}
    for path in sorted(HOME.rglob("*.py")):
        files[".".join(path.relative_to(HOME).with_suffix("").parts)] = path.read_text("utf-8")
    return files


def room_of(module: str) -> str:
    """The room of a module; "" for a file at the top level."""
    parts = module.split(".")[:-1]
    return "nn.fast" if parts[:2] == ["nn", "fast"] else parts[0] if parts else ""


def imports(text: str, modules: Sources) -> Iterator[Import]:
    """What a file imports of charrnn; `import charrnn` counts as an import of `charrnn/__init__.py`."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] == "charrnn":
                    yield Import(alias.name.partition(".")[2] or "__init__", "*")
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            if (node.module or "").split(".")[0] != "charrnn":
                continue
            inside = (node.module or "").partition(".")[2]
            for alias in node.names:
                module = f"{inside}.{alias.name}".lstrip(".")
                if module in modules or f"{module}.__init__" in modules:
                    yield Import(module, "*")
                else:
                    yield Import(inside or "__init__", alias.name)


def third_party(text: str) -> set[str]:
    """The packages other than charrnn that a file imports."""
    found = set()
    for node in ast.walk(ast.parse(text)):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        found |= {name.split(".")[0] for name in names}
    return found - {"charrnn"}


def upward(files: Sources) -> list[str]:
    """Imports that MAY_IMPORT does not allow."""
    wrong = []
    for module, text in files.items():
        mine = room_of(module)
        if module in ("__init__", "__main__") or mine == "cli":
            continue
        for source, _ in imports(text, files):
            theirs = room_of(source if source in files else f"{source}.__init__")
            allowed = source in TOP - {"__init__", "__main__"} if not theirs else theirs in {mine, *MAY_IMPORT[mine]}
            if not allowed:
                wrong.append(f"{module} imports {source}")
    return wrong


def used_outside(files: Sources) -> Iterator[tuple[str, str, str]]:
    """Each import from another room: the importing module, the imported one, and the name."""
    for module, text in files.items():
        for source, name in imports(text, files):
            found = source if source in files else f"{source}.__init__"
            if room_of(found) not in ("", room_of(module)) and module != "__init__":
                yield module, found, name


def undeclared(files: Sources) -> list[str]:
    """Imports of names that their room does not expose."""
    return [
        f"{module} imports {name} from {source}"
        for module, source, name in used_outside(files)
        if name not in EXPOSED.get(source, "").split()
    ]


def cycle(files: Sources) -> list[str]:
    """Files that import each other in a circle; [] where there is none."""
    graph = {
        module: {source if source in files else f"{source}.__init__" for source, _ in imports(text, files)}
        for module, text in files.items()
    }
    done: set[str] = set()

    def visit(module: str, path: list[str]) -> list[str]:
        if module in path:
            return [*path[path.index(module) :], module]
        if module in done or module not in graph:
            return []
        done.add(module)
        return next((found for other in sorted(graph[module]) if (found := visit(other, [*path, module]))), [])

    return next((found for module in graph if (found := visit(module, []))), [])


FILES = sources()


def test_every_folder_is_a_room() -> None:
    assert {room_of(module) for module in FILES} <= ROOMS | {""}


def test_no_import_leads_upwards() -> None:
    assert upward(FILES) == []


def test_rooms_import_only_names_that_others_expose() -> None:
    assert undeclared(FILES) == []


def test_every_exposed_name_is_used() -> None:
    used = {(source, name) for _, source, name in used_outside(FILES)}
    assert [(file, name) for file, names in EXPOSED.items() for name in names.split() if (file, name) not in used] == []


def test_the_files_do_not_import_each_other_in_a_circle() -> None:
    assert cycle(FILES) == []


@pytest.mark.parametrize("room", sorted(ROOMS))
def test_a_room_lists_its_files(room: str) -> None:
    tree = ast.parse(FILES[f"{room}.__init__"])
    assert len(tree.body) == 1, "no re-exports"
    docstring = ast.get_docstring(tree) or ""
    files = [module.rpartition(".")[2] for module in FILES if room_of(module) == room]
    assert [file for file in files if file != "__init__" and f"{file}.py" not in docstring and room != "cli"] == []


def test_the_top_level_has_seven_files() -> None:
    assert {module for module in FILES if not room_of(module)} == TOP


@pytest.mark.parametrize("package", THIRD_PARTY)
def test_packages_stay_in_their_rooms(package: str) -> None:
    users = {room_of(module) for module, text in FILES.items() if package in third_party(text)}
    assert users <= THIRD_PARTY[package]


PLANTED = {"options": "", "nn.loss": "import charrnn.options", "training.loop": "from charrnn.nn.loss import softmax"}


def test_a_planted_upward_import_is_caught() -> None:
    assert upward(PLANTED) == []
    assert upward(PLANTED | {"nn.loss": "import charrnn.training.loop"}) == ["nn.loss imports training.loop"]
    assert upward(PLANTED | {"nn.loss": "from charrnn.training import loop"}) == ["nn.loss imports training.loop"]
    hidden = "if TYPE_CHECKING:\n    from charrnn.training.loop import Training"
    assert upward(PLANTED | {"nn.loss": hidden}) == ["nn.loss imports training.loop"]
    inside = "def f():\n    from charrnn.training.loop import Training"
    assert upward(PLANTED | {"nn.loss": inside}) == ["nn.loss imports training.loop"]
    everything = PLANTED | {"__init__": "", "nn.loss": "import charrnn"}
    assert upward(everything) == ["nn.loss imports __init__"]


def test_a_planted_cycle_is_caught() -> None:
    assert cycle(PLANTED) == []
    hidden = "if TYPE_CHECKING:\n    from charrnn.training.loop import Training"
    assert cycle(PLANTED | {"nn.loss": hidden}) == ["nn.loss", "training.loop", "nn.loss"]


def test_a_planted_undeclared_name_is_caught() -> None:
    planted = PLANTED | {"training.loop": "from charrnn.nn.loss import secret"}
    assert undeclared(PLANTED) == []
    assert undeclared(planted) == ["training.loop imports secret from nn.loss"]
    assert undeclared(PLANTED | {"training.loop": "from charrnn.nn import loss"}) == [
        "training.loop imports * from nn.loss"
    ]


@pytest.mark.parametrize("module", FILES)
def test_files_stay_short(module: str) -> None:
    assert len(FILES[module].splitlines()) <= 300


def test_importing_charrnn_waits_for_nothing() -> None:
    script = (
        "import sys, charrnn; assert not {'numpy', 'rich', 'click'} & set(sys.modules); charrnn.load; charrnn.train"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_the_command_line_starts_without_what_is_extra_or_slow() -> None:
    script = "import sys, charrnn.cli.main; assert not {'numpy', 'textual'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", script], check=True)


def test_public_names() -> None:
    for name in charrnn.__all__:
        assert getattr(charrnn, name) is not None
    assert callable(charrnn.train)
    assert "train" in dir(charrnn)
    with pytest.raises(AttributeError):
        charrnn.nothing  # noqa: B018


def test_what_is_public_is_explained() -> None:
    for name in charrnn.__all__:
        value = getattr(charrnn, name)
        assert name == "__version__" or (value.__doc__ or "").strip(), name
