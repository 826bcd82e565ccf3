"""The file that is written, and the draft beside it, in which every step is kept as it is done.

The draft is a journal: a line of JSON with the text as it was opened, then one for each operation of the document.
Whatever ends the program, the whole tree can be had back from it. It goes when the text was saved or given up.
"""

import contextlib
import hashlib
import json
import os
import stat
from pathlib import Path
from typing import Any

from charrnn.editor.document import Document, Operation
from charrnn.errors import TextError
from charrnn.system import portability
from charrnn.system.lock import hidden_path

MOST = 2_000_000  # bytes of a text
FORMAT = 1
BOM = "\ufeff"
UNNAMED = "untitled"


class Manuscript:
    """A text in a file, or one that has no name yet (`path` None). `close` it when done.

    `left` is the document of an earlier session that was neither saved nor given up, None where there is none.
    `trouble` says why no draft is kept, empty while one is.
    """

    def __init__(self, path: str | os.PathLike[str] | None = None) -> None:
        """Reads the text and takes its draft. Raises TextError where that cannot be done."""
        self.path = None if path is None else checked(path)
        self.typed = path  # the path as it was given
        self.bom = self.crlf = False
        data = None if self.path is None else read(self.path)
        self.known = digest(data)  # of what the file held when it was last read or written; "" for no file
        self.text = self.saved = self.decoded(data or b"")
        self.written = False  # since it was opened
        self.left: Document | None = None
        self.trouble = ""
        self.pending = b""  # of the journal, not yet written
        self.size = 0  # of the draft as far as it is sound
        self.file: int | None = None
        self.draft = draft_of(self.path)
        try:
            self.file = take(self.draft)
            self.recover()
        except OSError as error:
            self.lose(error)
        except BaseException:
            self.release()
            raise

    def decoded(self, data: bytes) -> str:
        """The text in bytes; how its lines end, and a mark at its beginning, are kept for saving."""
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError as error:
            raise TextError(
                f"{self.path} is not UTF-8 (at offset {error.start:,}): only texts in UTF-8 can be written on."
            ) from None
        self.bom = text.startswith(BOM)
        self.crlf = "\n" in text and text.count("\n") == text.count("\r\n")
        text = text.removeprefix(BOM)
        return text.replace("\r\n", "\n") if self.crlf else text

    def encoded(self, text: str) -> bytes:
        if self.crlf:
            text = text.replace("\n", "\r\n")
        return (BOM * self.bom + text).encode("utf-8")

    def recover(self) -> None:
        """Finds in the draft what an earlier session left."""
        assert self.file is not None
        data = os.pread(self.file, os.fstat(self.file).st_size, 0) if hasattr(os, "pread") else self.draft.read_bytes()
        if not data:
            return
        first, *lines = data.split(b"\n")
        try:
            head = json.loads(first)
            if head["format"] != FORMAT:
                raise ValueError("format")
            document, saved = Document(str(head["base"])), str(head["saved"])
        except (ValueError, TypeError, KeyError):
            if len(lines) == 0:  # it ended with the first line half-written: nothing had been typed yet
                return
            raise TextError(
                f"{self.draft} is damaged or from a newer charrnn: move it away to write {self.name} without it."
            ) from None
        self.size = len(first) + 1
        for line in lines[:-1]:  # behind the last newline is what was cut off
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
            self.left, self.left_saved = document, saved

    @property
    def name(self) -> str:
        return UNNAMED if self.typed is None else os.fspath(self.typed)

    def begin(self, again: bool = False) -> Document:
        """The document to write in: what was left, if `again`, else the text of the file; its journal is kept."""
        if again and self.left is not None:
            document, self.saved = self.left, self.left_saved
            if self.path is not None:
                self.known = digest(self.encoded(self.saved)) if self.known else ""
            if self.file is not None:
                os.ftruncate(self.file, self.size)
        else:
            document, self.size = Document(self.text), 0
            self.pending = line_of({"format": FORMAT, "base": self.text, "saved": self.saved})
            if self.file is not None:
                os.ftruncate(self.file, 0)
            self.flush()
        self.left, document.journal = None, self.keep
        return document

    def keep(self, operation: Operation) -> None:
        """Takes an operation down in the draft."""
        self.pending += line_of(operation)
        self.flush()

    def flush(self) -> None:
        """Writes what is not yet in the draft; what could not be written is tried again with the next operation."""
        if self.file is None:
            return
        try:
            os.lseek(self.file, self.size, os.SEEK_SET)
            rest = memoryview(self.pending)
            while rest:
                rest = rest[os.write(self.file, rest) :]
        except OSError as error:
            self.trouble = f"no draft is kept ({error.strerror or error}): save soon"
            with contextlib.suppress(OSError):
                os.ftruncate(self.file, self.size)
            return
        self.size += len(self.pending)
        self.pending, self.trouble = b"", ""

    def sync(self) -> None:
        """Makes the draft outlast a power cut."""
        if self.file is not None:
            with contextlib.suppress(OSError):
                os.fsync(self.file)

    def overwrites(self, path: str | os.PathLike[str] | None = None) -> str:
        """What saving would overwrite that was not seen here, as the beginning of a question; empty if nothing."""
        goal = self.path if path is None else checked(path)
        if goal is None:
            return ""
        there = digest(read(goal))
        if goal != self.path:
            return f"{path} exists" if there else ""
        return f"{self.name} has been changed by another program" if there not in ("", self.known) else ""

    def save(self, text: str, path: str | os.PathLike[str] | None = None) -> None:
        """Writes the text to its file, or to `path`, which is its file from then on.

        Raises TextError where that cannot be done; the old file is untouched then.
        """
        goal = self.path if path is None else checked(path)
        if goal is None:
            raise TextError("the text has no name yet.")
        other = draft_of(goal)
        if other != self.draft and os.path.lexists(other):
            raise TextError(f"{goal} is being written elsewhere, or was left unsaved: see charrnn write {goal}")
        data = self.encoded(text)
        try:
            replace(goal, data)
        except OSError as error:
            raise TextError(f"{goal} could not be written: {error.strerror or error}.") from None
        if other != self.draft:
            with contextlib.suppress(OSError):
                portability.rename(self.draft, other)
                self.draft = other
        self.path, self.known, self.saved, self.written = goal, digest(data), text, True
        self.typed = self.typed if path is None else path
        self.keep(("saved",))

    def lose(self, error: OSError) -> None:
        self.release()
        self.trouble = f"no draft can be kept here ({error.strerror or error}): save often"

    def release(self) -> None:
        if self.file is not None:
            os.close(self.file)
            self.file = None

    def close(self, keep_draft: bool = False) -> None:
        """Ends the work; the draft goes, unless it is to be kept for another time."""
        if self.file is not None and not keep_draft:
            with contextlib.suppress(OSError):
                os.unlink(self.draft)
        self.release()


def checked(path: str | os.PathLike[str]) -> Path:
    """The real path of a text: links are followed, and only a plain file is ever read or replaced."""
    try:
        real = Path(os.path.realpath(path))
        if not os.path.basename(path) or real.is_dir():
            raise TextError(f"{path} is a folder: the name of a file is wanted.")
        if not real.parent.is_dir():
            raise TextError(f"there is no folder {real.parent} to write in.")
        if real.exists() and not stat.S_ISREG(real.stat().st_mode):
            raise TextError(f"{path} is not a plain file, so no text is written over it.")
    except (OSError, ValueError) as error:
        raise TextError(f"{path} cannot be written: {getattr(error, 'strerror', None) or error}.") from None
    return real


def read(path: Path) -> bytes | None:
    """What a file holds; None where there is none."""
    try:
        with open(path, "rb") as file:
            data = file.read(MOST + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise TextError(f"{path} cannot be read: {error.strerror or error}.") from None
    if len(data) > MOST:
        raise TextError(f"{path} is longer than {MOST / 1e6:.0f} MB, which is too long to write on.")
    return data


def replace(path: Path, data: bytes) -> None:
    """Writes beside the file, then renames over it."""
    if path.exists() and not os.access(path, os.W_OK):
        raise PermissionError(13, "it is read-only")
    temporary = hidden_path(str(path), "tmp")
    try:
        with open(temporary, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            os.chmod(temporary, stat.S_IMODE(path.stat().st_mode))
        portability.rename(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    with contextlib.suppress(OSError):  # it is written; only a power cut might still undo it
        portability.sync_folder(path.parent)


def draft_of(path: Path | None) -> Path:
    """The draft of a text; of one without a name, in the current folder."""
    return Path(hidden_path(str(path or Path.cwd() / UNNAMED), "draft"))


def take(draft: Path) -> int:
    """Opens a draft for this process alone. Raises TextError where another has it."""
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    file = os.open(draft, flags | getattr(os, "O_NONBLOCK", 0), 0o600)
    try:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            raise OSError(0, "it is not a plain file")
        if portability.can_lock() and not portability.try_lock(file):
            raise TextError(f"another charrnn write has this text open ({draft} is locked).")
    except BaseException:
        os.close(file)
        raise
    return file


def digest(data: bytes | None) -> str:
    return "" if data is None else hashlib.sha256(data).hexdigest()


def line_of(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=True, separators=(",", ":")).encode() + b"\n"
