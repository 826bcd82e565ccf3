"""Makes the picture of a training in the README from a real run: python docs/make/pictures.py (about a minute).

It is the terminal's picture of the command in its title, drawn by the code that draws the terminal, exported as SVG.
"""

import io
import os
from pathlib import Path

from charrnn.__main__ import pin_threads

pin_threads()

from rich.console import Console  # noqa: E402

import charrnn  # noqa: E402
from charrnn.display.console import svg  # noqa: E402
from charrnn.display.training import Screen, headline  # noqa: E402
from charrnn.options import Options  # noqa: E402
from charrnn.text.dataset import read_dataset  # noqa: E402
from charrnn.training.loop import Training  # noqa: E402
from charrnn.training.plan import plan_training  # noqa: E402

DOCS = Path(__file__).parents[1]
TALES, STEPS = "corpora/tales.txt", 1000
TITLE = f"charrnn train {TALES} --steps {STEPS}"
SHOWN = 820  # step
WIDTH = 80  # columns


def planned() -> Training:
    """The training of the command in the title."""
    options = Options(steps=STEPS)
    return plan_training(read_dataset(TALES, options), options, {"steps": STEPS}, None, 0.0, None)[0]


def main() -> None:
    os.chdir(DOCS.parent)
    training = planned()

    def write(step: int) -> str:
        return " ".join("".join(charrnn.sample(training.latest, 70, temp=0.7, seed=step)).split())

    screen = Screen(training, write, Console(file=io.StringIO(), width=WIDTH, force_terminal=True, markup=False))
    with screen:
        for record in training:
            screen.show(record)
            if record.step == SHOWN:
                picture = svg(TITLE, lambda out: out.print(*headline(training), screen.picture(), sep="\n"), WIDTH)
                (DOCS / "train.svg").write_text(picture, "utf-8")
                break
    training.close()


if __name__ == "__main__":
    main()
