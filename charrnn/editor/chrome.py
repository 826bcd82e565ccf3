"""The keys of the writer, what is said of them, and the look of the screen."""

from textual.binding import Binding, BindingType

from charrnn.editor.document import HAND, MODEL, Document

KEYS = {
    "Tab": "takes the next word of the continuation",
    "^L": "takes it to the end of its line",
    "^A": "takes all of it",
    "^N": "shows the next one",
    "^R": "draws others",
    "Esc": "goes to the list: ↑ ↓, Enter takes, Esc back",
    "^Z": "goes back a step",
    "^Y": "goes forward again",
    "^B": "lists all branches, to go to one",
    "^T": "changes the temperature",
    "^S": "saves",
    "^O": "saves under another name",
    "^Q": "quits",
    "^G": "shows this list",
}
LINE = "^G keys  Tab word  ^L line  ^A all  ^N next  Esc list  ^Z undo  ^B branches  ^T temp  ^S save  ^Q quit"
BINDINGS: list[BindingType] = [
    Binding("ctrl+q,ctrl+c", "leave", show=False, priority=True),
    Binding("ctrl+l", "take('line')", show=False),
    Binding("ctrl+a", "take('all')", show=False),
    Binding("ctrl+n", "turn", show=False),
    Binding("ctrl+r", "others", show=False),
    Binding("escape", "list", show=False),
    Binding("ctrl+z", "undo", show=False),
    Binding("ctrl+y", "redo", show=False),
    Binding("ctrl+b", "branches", show=False),
    Binding("ctrl+t", "temperature", show=False),
    Binding("ctrl+s", "save", show=False),
    Binding("ctrl+o", "save_as", show=False),
    Binding("ctrl+g", "keys", show=False),
]
CSS = """
#title, #status, #keys { height: 1; padding: 0 1; text-wrap: nowrap; text-overflow: ellipsis; }
#title { text-style: bold; }
#note { height: auto; padding: 0 1; color: ansi_yellow; }
#keys { text-style: dim; }
Page { width: 1fr; padding: 0 1; border: none; overflow-x: hidden; overflow-y: auto; scrollbar-size-vertical: 1; }
Panel {
    text-wrap: nowrap; width: 36%; min-width: 28; max-width: 64; padding: 0 1; border-left: solid ansi_bright_black;
}
.narrow Panel { display: none; }
Ask, Prompt, Branches { align: center middle; }
Ask > Vertical, Prompt > Vertical, Branches > Vertical {
    width: 72; max-width: 94%; height: auto; max-height: 90%; padding: 1 2; border: round ansi_bright_black;
}
OptionList { height: auto; max-height: 20; border: none; }
"""


def standing(document: Document, temp: float) -> str:
    """The temperature, how long the text is, how much of what was written is the writer's own, the branches."""
    mine, its = document.authors.count(HAND), document.authors.count(MODEL)
    leaves = sum(not node.children for node in document.nodes)
    parts = [f"temp {temp:g}", f"{len(document.text):,} characters"]
    if its:
        parts.append(f"{mine / (mine + its):.0%} typed")
    if leaves > 1:
        parts.append(f"{leaves} branches")
    return " · ".join(parts)


def noted(missing: list[str], *notes: str) -> str:
    """These notes, and what the model has never seen of the text before the cursor."""
    parts = [note for note in notes if note]
    if missing:
        more = f" and {len(missing) - 2} more" if len(missing) > 2 else ""
        parts.append(f"the model has never seen {', '.join(map(repr, missing[:2]))}{more} and reads on without it")
    return " · ".join(parts)
