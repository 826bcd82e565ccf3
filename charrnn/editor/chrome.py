"""The keys of the editor and their help, the CSS, the status line and the notice line."""

from textual.binding import Binding, BindingType

from charrnn.checks import quoted
from charrnn.editor.document import MODEL, TYPED, Document

# Keys, their label, the action, the help.
COMMANDS = (
    ("tab", "Tab", "take('word')", "accept the next word of the continuation"),
    ("ctrl+l", "^L", "take('line')", "accept it up to the end of the line"),
    ("ctrl+a", "^A", "take('all')", "accept all of it"),
    ("ctrl+n", "^N", "turn", "show the next continuation"),
    ("ctrl+r", "^R", "redraw", "draw new continuations"),
    ("escape", "Esc", "list", "go to the list and back: ↑ ↓ choose, Enter accepts"),
    ("ctrl+z", "^Z", "step('undo')", "undo"),
    ("ctrl+y", "^Y", "step('redo')", "redo"),
    ("ctrl+b", "^B", "branches", "list all branches, and go to one"),
    ("ctrl+t", "^T", "temperature", "change the temperature"),
    ("ctrl+s", "^S", "save", "save"),
    ("ctrl+o", "^O", "save(True)", "save under another name"),
    ("ctrl+q,ctrl+c", "^Q", "leave", "quit"),
    ("ctrl+g", "^G", "keys", "show this list"),
)
BINDINGS: list[BindingType] = [Binding(keys, action, priority=action == "leave") for keys, _, action, _ in COMMANDS]
HELP = {label: text for _, label, _, text in COMMANDS}
KEY_LINE = "^G keys  Tab word  ^L line  ^A all  ^N next  Esc list  ^Z undo  ^B branches  ^T temp  ^S save  ^Q quit"
CSS = """
#title, #status, #keys { height: 1; padding: 0 1; text-wrap: nowrap; text-overflow: ellipsis; }
#title { text-style: bold; }
#notice { height: auto; padding: 0 1; color: ansi_yellow; }
#keys { text-style: dim; }
Page { width: 1fr; padding: 0 1; border: none; overflow-x: hidden; overflow-y: auto; scrollbar-size-vertical: 1; }
SidePanel {
    text-wrap: nowrap; width: 36%; min-width: 28; max-width: 64; padding: 0 1; border-left: solid ansi_bright_black;
}
.narrow SidePanel { display: none; }
Dialog { align: center middle; }
Dialog > Vertical {
    width: 72; max-width: 94%; height: auto; max-height: 90%; padding: 1 2; border: round ansi_bright_black;
}
OptionList { height: auto; max-height: 20; border: none; }
"""


def status_line(document: Document, temp: float) -> str:
    """Temperature, length, the share of the new characters that were typed, number of branches."""
    typed, accepted = document.authors.count(TYPED), document.authors.count(MODEL)
    leaves = sum(not node.children for node in document.nodes)
    share = f" · {typed / (typed + accepted):.0%} typed" if accepted else ""
    branches = f" · {leaves} branches" if leaves > 1 else ""
    return f"temp {temp:g} · {len(document.text):,} characters{share}{branches}"


def notice_line(missing: list[str], *notices: str) -> str:
    """These notices, and the characters before the cursor that the model does not know."""
    more = f" and {len(missing) - 2} more" if len(missing) > 2 else ""
    verb = "is" if len(missing) == 1 else "are"
    unknown = f"{', '.join(map(quoted, missing[:2]))}{more} {verb} not in the model's vocabulary and {verb} skipped"
    return " · ".join(filter(None, [*notices, unknown if missing else ""]))
