"""The file that is edited, and its draft: a journal in the same folder, from which everything can be recovered.

The draft contains a line of JSON with the text as it was opened, then a line per operation of the document, written
as it happens. It is deleted when the text has been saved or discarded.
"""

import errno
import hashlib
import json
import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import Any

from charrnn.editor.document import Document, Operation
from charrnn.errors import CharRNNError, TextError
from charrnn.system import portability
from charrnn.system.atomic import PathLike, replacing, target
from charrnn.system.lock import hidden_path

MOST = 2_000_000  # bytes of a file
FORMAT = 1
BOM = "\ufeff"
UNNAMED = "untitled"


class TextFile:
    """A text in a file, or one without a name (`path` None). Call `close` at the end.

    `recovered` is the document of an earlier session that was neither saved nor discarded, or None. `warning` says
    why there is no draft; empty if there is one.
    """

    def __init__(self, path: PathLike | None = None) -> None:
        """Reads the file, and opens and locks its draft. Raises TextError if that is not possible."""
        self.path, self.given_path = real_path(path), path
        data = None if self.path is None else read(self.path)
        self.digest = digest(data)  # of the file when it was last read or written; "" for no file
        self.saved = self.decoded(data or b"")
        self.written = False  # since it was opened
        self.recovered: Document | None = None
        self.warning = ""
        self.pending = b""  # the part of the journal that is not written yet
        self.size = 0  # of the intact part of the draft
        self.descriptor: int | None = None
        self.draft = draft_of(self.path)
        try:
            self.descriptor = open_draft(self.draft)
            self.recover()
        except BaseException as error:
            self.release()
            if not isinstance(error, OSError):
                raise
            self.warning = f"no draft can be written here ({error.strerror or error}): save often"

    def decoded(self, data: bytes) -> str:
        """The text of the file; its line ends and byte order mark are remembered for saving."""
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError as error:
            raise TextError(
                f"{self.path} is not valid UTF-8 (at offset {error.start:,}): convert it to UTF-8 first."
            ) from None
        self.bom = text.startswith(BOM)
        self.line_end = "\n"
        if "\r" in text and text.count("\n") == text.count("\r\n"):  # every LF follows a CR, or there are only CRs
            self.line_end = "\r\n" if "\n" in text else "\r"
        return text.removeprefix(BOM).replace(self.line_end, "\n")

    def encoded(self, text: str) -> bytes:
        return (BOM * self.bom + text.replace("\n", self.line_end)).encode("utf-8")

    def recover(self) -> None:
        """Repeats the operations of an earlier session from the draft."""
        first, *lines = self.draft.read_bytes().split(b"\n")
        try:
            head = json.loads(first)
            if head["format"] != FORMAT:
                raise ValueError("format")
            document, saved = Document(str(head["base"])), str(head["saved"])
        except (ValueError, TypeError, KeyError):
            if not lines:  # the first line is incomplete: nothing had been typed
                return
            raise TextError(
                f"{self.draft} is damaged or from a newer charrnn: move it away to edit {self.name} without it."
            ) from None
        self.size = len(first) + 1
        for line in lines[:-1]:  # the last line, without a newline, is incomplete
            try:
                operation = json.loads(line)
                if operation == ["saved"]:
                    saved = document.text
                else:
                    document.apply(tuple(operation))
            except (ValueError, TypeError):
                break
            self.size += len(line) + 1
        if document.text != saved:
            self.recovered, self.recovered_saved = document, saved

    @property
    def name(self) -> str:
        return UNNAMED if self.given_path is None else os.fspath(self.given_path)

    def open(self, recover: bool = False) -> Document:
        """The document to edit: the recovered one, or that of the file; its operations are recorded in the draft."""
        if recover and self.recovered is not None:
            document, self.saved = self.recovered, self.recovered_saved
            if self.digest:
                self.digest = digest(self.encoded(self.saved))
        else:
            document, self.size = Document(self.saved), 0
            self.pending = line_of({"format": FORMAT, "base": self.saved, "saved": self.saved})
        if self.descriptor is not None:
            os.ftruncate(self.descriptor, self.size)
        self.flush()
        self.recovered, document.journal = None, self.record
        return document

    def record(self, operation: Operation) -> None:
        self.pending += line_of(operation)
        self.flush()

    def flush(self) -> None:
        """Appends the pending lines to the draft; if that fails, the next operation tries again."""
        if self.descriptor is None:
            return
        try:
            os.lseek(self.descriptor, self.size, os.SEEK_SET)
            rest = memoryview(self.pending)
            while rest:
                rest = rest[os.write(self.descriptor, rest) :]
        except OSError as error:
            self.warning = f"the draft could not be written ({error.strerror or error}): save soon"
            with suppress(OSError):
                os.ftruncate(self.descriptor, self.size)
        else:
            self.size += len(self.pending)
            self.pending, self.warning = b"", ""

    def sync(self) -> None:
        """Makes the draft survive a power failure."""
        if self.descriptor is not None:
            with suppress(OSError):
                os.fsync(self.descriptor)

    def overwrites(self, path: PathLike | None = None) -> str:
        """The start of a question if saving would overwrite a file that was not read here or has changed, else ""."""
        goal = real_path(path) or self.path
        on_disk = "" if goal is None else digest(read(goal))
        if goal != self.path:
            return f"{path} exists" if on_disk else ""
        return f"{self.name} has been changed by another program" if on_disk not in ("", self.digest) else ""

    def save(self, text: str, path: PathLike | None = None) -> None:
        """Writes the text to its file, or to `path`, which becomes its file.

        Raises TextError if that is not possible; the old file is unchanged then.
        """
        goal = real_path(path) or self.path
        if goal is None:
            raise TextError("the text has no name yet.")
        draft = draft_of(goal)
        if draft != self.draft and os.path.lexists(draft):
            raise TextError(f"{goal} is being edited elsewhere, or has an unsaved draft: see charrnn write {goal}")
        data = self.encoded(text)
        try:
            if goal.exists() and not os.access(goal, os.W_OK):
                raise PermissionError(errno.EACCES, "it is read-only")
            with replacing(goal) as file:
                file.write(data)
        except OSError as error:
            raise TextError(f"{goal} could not be written: {error.strerror or error}.") from None
        if draft != self.draft:
            with suppress(OSError):
                portability.rename(self.draft, draft)
                self.draft = draft
        self.path, self.digest, self.saved, self.written = goal, digest(data), text, True
        self.given_path = path or self.given_path
        self.record(("saved",))

    def release(self) -> None:
        if self.descriptor is not None:
            os.close(self.descriptor)
            self.descriptor = None

    def close(self, keep_draft: bool = False) -> None:
        """Closes the draft, and deletes it unless it is to be kept."""
        if self.descriptor is not None and not keep_draft:
            with suppress(OSError):
                os.unlink(self.draft)
        self.release()


def real_path(path: PathLike | None) -> Path | None:
    """The path with links followed. Raises TextError unless a plain file is or can be there."""
    try:
        return None if path is None else target(path, "text", "FILE")
    except CharRNNError as error:
        raise TextError(str(error)) from None


def read(path: Path) -> bytes | None:
    """The bytes of a file; None if there is none."""
    try:
        with open(path, "rb") as file:
            data = file.read(MOST + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise TextError(f"{path} cannot be read: {error.strerror or error}.") from None
    if len(data) > MOST:
        raise TextError(f"{path} is too large to edit: the limit is {MOST / 1e6:.0f} MB.")
    return data


def draft_of(path: Path | None) -> Path:
    """The draft of a text; without a name, it is in the current folder."""
    return Path(hidden_path(str(path or Path.cwd() / UNNAMED), "draft"))


def open_draft(draft: Path) -> int:
    """Opens and locks a draft. Raises TextError if another process has locked it."""
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    file = os.open(draft, flags | getattr(os, "O_NONBLOCK", 0), 0o600)
    try:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            raise OSError(0, "it is not a plain file")
        if not portability.try_lock(file):
            raise TextError(f"another charrnn write has this text open ({draft} is locked).")
    except BaseException:
        os.close(file)
        raise
    return file


def digest(data: bytes | None) -> str:
    return "" if data is None else hashlib.sha256(data).hexdigest()


def line_of(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=True, separators=(",", ":")).encode() + b"\n"
