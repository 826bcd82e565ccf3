"""Tables of examples: rows of two columns, in a .tsv or .csv file or from standard input.

Fields may be quoted as in CSV: a quote inside is doubled, and a line end inside belongs to the field. If the quotes of
a table separated by tabs are not of this kind, they are text. A first row with the usual names of columns is a header.
"""

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path
from unicodedata import normalize

from charrnn.errors import TextError
from charrnn.options import STDIN

SUFFIXES = {".tsv": "\t", ".tab": "\t", ".csv": ","}
NAMES = {"\t": "tab", ",": "comma", ";": "semicolon"}
LONGEST_FIELD = 1 << 30
USUAL = {  # the names of columns, by what they contain
    "label": "label labels class category sentiment language lang target tag topic author genre type",
    "text": "text texts sentence content review tweet comment message name title body phrase document",
    "source": "source src input question from original prompt",
    "target": "target tgt output answer to translation response completion result",
}

Record = tuple[int, list[str]]  # the first line of a row, and its fields


def is_table(path: str) -> bool:
    return path == STDIN or Path(path).suffix.lower() in SUFFIXES


def read_table(
    text: str, path: str, name: str, roles: tuple[str, str], columns: str, header: bool, notes: list[str]
) -> Iterator[tuple[str, str]]:
    """The two columns of each row; `columns` are their numbers or their names in the header, or empty to find them.

    `roles` are what the columns contain. Labels are stripped. Raises TextError, with the line number, if a row is not
    valid.
    """
    delimiter = find_delimiter(text, path, name)
    records = read_records(text, name, delimiter, notes)
    places = find_columns(records, roles)
    by_name = re.search(r"[^\d,\s]", columns) is not None
    if records and (header or by_name or places):
        _, titles = records.pop(0)
        notes.append(f"the first row of {name} is read as a header: {', '.join(titles)}.")
    if by_name:
        places = columns_named(columns, titles, name)
    elif columns:
        places = int(columns.split(",")[0]) - 1, int(columns.split(",")[1]) - 1
    # a text may contain tabs, but a table whose rows all have the same number of them has more columns
    joined = not places and (delimiter, roles[1]) == ("\t", "text") and len({len(fields) for _, fields in records}) > 1
    first, second = places or (0, 1)
    for line, fields in records:
        cr = ", which contains CRs that end no line" if any("\r" in field for field in fields) else ""
        where = f"{name}, line {line:,}{cr}"
        if len(fields) == 1 and max(first, second) > 0:
            raise TextError(f"{where}: there is no {NAMES[delimiter]} between {roles[0]} and {roles[1]}.")
        if max(first, second) >= len(fields):
            raise TextError(f"{where}: there is no column {max(first, second) + 1}.")
        if len(fields) > 2 and not places and not joined:
            quotes = "" if delimiter == "\t" else f", or put quotes around a text that contains a {NAMES[delimiter]}"
            raise TextError(f"{where}: there are {len(fields)} columns: choose two with `columns=1,2`{quotes}.")
        one, other = fields[first], delimiter.join(fields[1:]) if joined else fields[second]
        if roles[0] == "label":
            one = normalize("NFC", one.strip())
        if not one or not other:
            raise TextError(f"{where}: the {roles[1] if one else roles[0]} is empty.")
        yield one, other


def find_delimiter(text: str, path: str, name: str) -> str:
    """What separates the columns: by the name of the file, and by its first row where that is not enough."""
    usual = SUFFIXES.get(Path(path).suffix.lower(), "\t")
    start = text.lstrip("\n").partition("\n")[0]
    others = [other for other in (",", ";", "\t") if other in start]
    if (usual == "\t" and (path != STDIN or usual in start)) or not others:
        return usual
    for delimiter in others[: len(others) * (len(others) > 1)]:
        try:
            widths = {len(fields) for _, fields in read_records(text, name, delimiter, [])}
        except TextError:
            continue
        if len(widths) == 1:
            return delimiter
    return others[0]


def find_columns(records: list[Record], roles: tuple[str, str]) -> tuple[int, int] | None:
    """The places of the two columns if the first row is a header.

    It is one if it contains a usual name for both; for labels, the name of the first of two columns is enough if no
    other row has that label.
    """
    titles = [field.strip().lower() for field in records[0][1]] if records else []
    places = [next((k for k, title in enumerate(titles) if title in USUAL[role].split()), None) for role in roles]
    if places == [0, None] and roles[0] == "label" and len(titles) == 2:
        alone = all(fields[0].strip().lower() != titles[0] for _, fields in records[1:])
        places[1] = 1 if alone else None
    first, second = places
    return None if first is None or second is None or first == second else (first, second)


def columns_named(columns: str, titles: list[str], name: str) -> tuple[int, int]:
    lowered = [title.strip().lower() for title in titles]
    first, second = (column.strip() for column in columns.split(","))
    for column in (first, second):
        if column.lower() not in lowered:
            raise TextError(f"{name} has no column {column!r}: its columns are {', '.join(titles)}.")
    return lowered.index(first.lower()), lowered.index(second.lower())


def read_records(text: str, name: str, delimiter: str, notes: list[str]) -> list[Record]:
    """The rows with their fields, without empty ones. Raises TextError if the quotes of a CSV file are not valid."""
    tabs = delimiter == "\t"
    plain = [(number, line.split("\t")) for number, line in enumerate(text.split("\n"), 1) if line.strip("\t")]
    if tabs and '"' not in text:
        return plain
    before = csv.field_size_limit(LONGEST_FIELD)
    lines = io.StringIO(text, newline="\n")  # LF alone ends a line
    rows, records, line = csv.reader(lines, delimiter=delimiter, strict=True, skipinitialspace=not tabs), [], 1
    try:
        for fields in rows:
            if any(fields):
                records.append((line, fields))
            line = rows.line_num + 1
    except csv.Error as error:
        if tabs:
            return plain
        why = "a quoted field ends with a quote, and the quotes inside it are doubled"
        why = "there is a CR inside a field without quotes" if "new-line" in str(error) else why
        raise TextError(f"{name}, line {line:,}: {why}.") from None
    finally:
        csv.field_size_limit(before)
    if tabs and any("\t" in field and "\n" in field for _, fields in records for field in fields):
        return plain  # a quote at the start of one field and one at the end of another, some rows later
    if tabs and records != plain:
        notes.append(f"quotes around fields of {name} are removed, as in CSV.")
    return records
