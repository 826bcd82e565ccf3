"""`charrnn bench`: the speed of training and sampling on this machine."""

from dataclasses import replace
from typing import Any

from charrnn.checks import check_float
from charrnn.cli.options import command, json_option, option, options_from
from charrnn.display.terminal import Answer, remark
from charrnn.options import Options

SIZES = ("cell", "layers", "hidden_size", "seq_length", "batch_size", "workers")


@command()
@options_from(Options, *SIZES, group="Options", default=None, show_default=False)
@option("--seconds", type=float, default=30.0, help="Approximate total time to measure.")
@json_option(help="Write one JSON object per network to stdout, after one about the machine.")
def bench(seconds: float, as_json: bool, **given: Any) -> None:
    """Measure the speed of training and sampling.

    Measures several networks, or the given one. The column "of peak" compares with the speed of the matrix products
    alone at the peak rate of this machine.
    """
    check_float("seconds", seconds, above=0.0)
    chosen = {name: value for name, value in given.items() if value is not None}
    options = Options(**chosen)  # checks the ranges
    from charrnn.nn.params import Config
    from charrnn.training.benchmark import CASES, environment, run

    Config(options.cell, options.layers, options.hidden_size, 1)  # checks the cell
    single = not {"cell", "layers", "hidden_size"}.isdisjoint(chosen)
    cases = tuple(dict.fromkeys(replace(case, **chosen) for case in (CASES[:1] if single else CASES)))
    answer, machine = Answer(), environment()
    for warning in machine["warnings"]:
        remark(f"warning: {warning}")
    results = []
    if as_json:
        answer.json(machine)
    for result in run(cases, seconds / len(cases)):
        results.append(result)
        if as_json:
            answer.json(result.as_dict())
        else:
            remark(f"measured {len(results)} of {len(cases)}")
    if not as_json:
        from charrnn.display.console import show
        from charrnn.display.tables import benchmarks

        show(answer, lambda out: benchmarks(out, machine, results))
