"""Range checks that raise UsageError, and `Setting`: everything about an option, declared once at its field.

    @dataclass(frozen=True)
    class Options:
        dropout: float = setting(0.2, "Fraction of activations to drop.", at_least=0.0, below=1.0)

`validate` checks all fields of such a dataclass; `charrnn.cli.options.options_from` turns them into click options.
`from_file` makes one from the JSON of a model file.
"""

import math
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from functools import cache
from numbers import Number
from types import NoneType
from typing import Any, NamedTuple, TypeVar, get_args, get_origin

from charrnn.errors import ModelFileError, UsageError

LARGEST = 2**63 - 1
T = TypeVar("T")
MOST_LAYERS = 1000


@dataclass(frozen=True)
class Setting:
    """The metadata of a field; a field without `help` is not an option of the command line.

    `flags` are the names on the command line if there is more than --name. `show_default` is a sentence where the
    default itself should not be shown. In a training, `chosen` options are set by the plan unless they are given, and
    `changeable` ones may change when the run is resumed.
    """

    help: str = ""
    group: str = "Options"
    flags: tuple[str, ...] = ()
    metavar: str | None = None
    choices: tuple[str, ...] = ()
    at_least: float = -math.inf
    above: float = -math.inf
    at_most: float = math.inf
    below: float = math.inf
    show_default: bool | str = True
    chosen: bool = False
    changeable: bool = False


def setting(default: T, help: str = "", group: str = "Options", **more: Any) -> T:
    """A field of a dataclass with this default, and a `Setting` of these values."""
    return field(default=default, metadata={"setting": Setting(help, group, **more)})


class Declared(NamedTuple):
    """A field with a `Setting`: a `kind` (int, float, str, bool), or None if `optional`, or a tuple if `multiple`."""

    name: str
    kind: type
    optional: bool
    multiple: bool
    default: Any
    setting: Setting


@cache
def declared(options: type) -> tuple[Declared, ...]:
    """The fields of a dataclass that have a `Setting`, in their order."""
    found = []
    for item in fields(options):
        if "setting" in item.metadata:
            kinds = get_args(item.type) or (item.type,)
            kind = next(kind for kind in kinds if kind is not NoneType)
            shape = NoneType in kinds, get_origin(item.type) is tuple
            found.append(Declared(item.name, kind, *shape, item.default, item.metadata["setting"]))
    return tuple(found)


def validate(options: Any) -> None:
    """Checks every field that has a `Setting`, after turning NumPy's numbers into Python's, which JSON can hold."""
    cls: type = type(options)
    for name, kind, optional, multiple, _, setting in declared(cls):
        value = getattr(options, name)
        if isinstance(value, Number) and hasattr(value, "item"):
            value = value.item()
            object.__setattr__(options, name, value)
        if value is not None or not optional:
            for item in value if multiple else (value,):
                check(name, item, kind, setting)


def check(name: str, value: object, kind: type, setting: Setting) -> None:
    """Raises UsageError unless `value` is a `kind` inside the limits, or one of the choices."""
    if kind is int:
        check_int(name, value, int(max(setting.at_least, -LARGEST)), int(min(setting.at_most, LARGEST)))
    elif kind is float:
        check_number(name, value, setting)
    elif setting.choices and value not in setting.choices:
        raise UsageError(f"{name} is one of {', '.join(setting.choices)}, not {shown(value)!r}.", name)
    elif not isinstance(value, kind):
        raise UsageError(f"{name} is a {'flag' if kind is bool else 'string'}, not {shown(value)}.", name)


def flag(argument: str) -> str:
    """The option of an argument, as a user types it: --top-k for top_k, --unknown skip for unknown="skip"."""
    return "--" + argument.translate(str.maketrans("_=", "- ", '"'))


def check_int(name: str, value: object, low: int, high: int = LARGEST) -> None:
    """Raises UsageError unless `value` is a whole number from `low` to `high`."""
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        too_large = isinstance(value, int) and value > high
        limits = f"of at least {low}" if high == LARGEST and not too_large else f"from {low} to {high:,}"
        raise UsageError(f"{name} is a whole number {limits}, not {shown(value)}.", name)


def check_float(name: str, value: object, **limits: Any) -> None:
    """Raises UsageError unless `value` is a finite number inside the `limits`, fields of `Setting`."""
    check_number(name, value, Setting(**limits))


def check_number(name: str, value: object, setting: Setting) -> None:
    number = value if isinstance(value, int | float) and not isinstance(value, bool) else math.nan
    inside = setting.at_least <= number <= setting.at_most and setting.above < number < setting.below
    if not (inside and math.isfinite(number)):
        limits = {word: getattr(setting, word) for word in ("at_least", "above", "at_most", "below")}
        words = [f"{word.replace('_', ' ')} {limit:g}" for word, limit in limits.items() if math.isfinite(limit)]
        raise UsageError(f"{name} is a number {' and '.join(words)}, not {shown(value)}.", name)


def require(condition: bool, name: str) -> None:
    """Raises ValueError, which says which part of a model file is wrong, unless the condition holds."""
    if not condition:
        raise ValueError(name)


def shown(value: object) -> str:
    """A rejected value, short enough for a sentence."""
    text = str(value)
    return text if len(text) <= 40 else text[:37] + "..."


def did_you_mean(name: object, known: Sequence[str]) -> str:
    """A question with the known name that is most like this one, to be part of a message; empty if none is."""
    from difflib import get_close_matches

    lower = {one.casefold(): one for one in reversed(known)}
    found = get_close_matches(str(name).casefold(), lower, 1)
    return f" Did you mean {quoted(lower[found[0]])}?" if found else ""


def quoted(symbol: str) -> str:
    """A symbol or a text in quotes, for a message, with the joiners that belong to its spelling.

    A combining mark is on a dotted circle, with its code point.
    """
    shown = on_circle(symbol)
    code = f" (U+{ord(symbol):04X})" if shown != symbol and len(symbol) == 1 else ""
    if shown != symbol:
        return f"'{shown}'{code}"
    return re.sub(r"(?<!\\)\\u200([cd])", lambda match: "\u200c" if match[1] == "c" else "\u200d", repr(symbol))


def on_circle(symbol: str) -> str:
    """A combining mark on a dotted circle instead of the character before it; other symbols as they are."""
    return "\u25cc" * unicodedata.category(symbol[:1] or " ").startswith("M") + symbol


def from_file(kind: type[T], values: dict[str, Any]) -> T:
    """A dataclass from the JSON of a model file: a missing field has its default, as an older charrnn wrote none.

    Raises ModelFileError for an unknown field, which a newer charrnn wrote, and TypeError for a missing one without a
    default.
    """
    if unknown := sorted(set(values) - {field.name for field in fields(kind)}):  # type: ignore[arg-type]
        raise ModelFileError(f"was written by a newer charrnn: it contains {shown(unknown[0])!r}.")
    return kind(**values)
