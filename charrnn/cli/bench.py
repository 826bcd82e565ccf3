"""`charrnn bench`: how fast this machine trains and samples."""

import json
from dataclasses import replace
from typing import Any

import click

from charrnn.checks import check_float
from charrnn.cli.options import GroupedCommand, option
from charrnn.display.terminal import Answer, remark
from charrnn.options import CELLS, Options


@click.command(cls=GroupedCommand)
@option("--cell", type=click.Choice(CELLS), help="Kind of recurrent network.", show_default=False)
@option("--layers", type=int, help="Layers of cells.", show_default=False)
@option("--hidden-size", type=int, help="Size of each layer's state.", show_default=False)
@option("--batch-size", type=int, help="Streams read side by side.", show_default=False)
@option("--seq-length", type=int, help="Steps of a window.", show_default=False)
@option("--workers", type=int, help="Processes that share the streams.", show_default=False)
@option("--seconds", type=float, default=30.0, help="About how long to measure, in all.")
@option(
    "--json", "as_json", is_flag=True, show_default=False, help="One JSON object a network, after one on the machine."
)
def bench(seconds: float, as_json: bool, **given: Any) -> None:
    """Measure training and sampling on this machine, over a few networks or the one that is given.

    The limit is what the matrix products alone would take at this machine's best rate.
    """
    check_float("seconds", seconds, above=0.0)
    chosen = {name: value for name, value in given.items() if value is not None}
    Options(**chosen)  # refuses what is out of range
    from charrnn.training.benchmark import CASES, environment, run

    cases = tuple(dict.fromkeys(replace(case, **chosen) for case in CASES))
    if {"cell", "layers", "hidden_size"} & set(chosen):
        cases = tuple(replace(case, **chosen) for case in CASES[:1])
    answer, machine = Answer(), environment()
    for warning in machine["warnings"]:
        remark(f"warning: {warning}")
    results = []
    if as_json:
        answer.line(json.dumps(machine))
    for result in run(cases, seconds / len(cases)):
        results.append(result)
        if as_json:
            answer.line(json.dumps(result.as_dict()))
        else:
            remark(f"measured {len(results)} of {len(cases)}")
    if not as_json:
        from charrnn.display.console import show
        from charrnn.display.tables import benchmarks

        show(answer, lambda out: benchmarks(out, machine, results))
