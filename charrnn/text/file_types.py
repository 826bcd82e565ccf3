"""Files that are not plain text, recognised by their first bytes: what each is, and what to do with it."""

import codecs
import re
import shlex

MODEL = b"PK\x03\x04", b"meta.npy"
PLAIN = "save it as plain text in the program that opens it, or use pandoc -t plain {name} -o {stem}.txt"
EXTRACT, EXPORT = "extract its files first with {tool}", "export its text to a plain text file first"
NO_TEXT = "it contains no text to train on"

# what the bytes begin with (a regular expression), what the file is, what to do
SIGNATURES = [
    (rb"PK\x03\x04.{26}mimetypeapplication/epub", "an e-book (EPUB)", PLAIN),
    (rb"PK\x03\x04.{26}mimetypeapplication/vnd\.oasis", "an OpenDocument file", PLAIN),
    (rb"PK\x03\x04.*?(word|xl|ppt)/", "a document of Word, Excel or PowerPoint", PLAIN),
    (rb"PK\x03\x04.*?data\.pkl", "a model of PyTorch", NO_TEXT),
    (rb"PK\x03\x04.*?\.npy", "an archive of NumPy arrays", NO_TEXT),
    (rb"PK(\x03\x04|\x05\x06)", "a ZIP archive", EXTRACT.format(tool="unzip {name}")),
    (rb"\x1f\x8b", "compressed (gzip)", "decompress it first with gunzip -k {name}"),
    (rb"BZh[1-9]1AY&SY", "compressed (bzip2)", "decompress it first with bunzip2 -k {name}"),
    (rb"\xfd7zXZ\0", "compressed (xz)", "decompress it first with unxz -k {name}"),
    (rb"\x28\xb5\x2f\xfd", "compressed (Zstandard)", "decompress it first with unzstd {name}"),
    (rb"7z\xbc\xaf\x27\x1c", "a 7z archive", EXTRACT.format(tool="7z x {name}")),
    (rb"Rar!\x1a\x07", "a RAR archive", EXTRACT.format(tool="unrar x {name}")),
    (rb".{257}ustar", "a tar archive", EXTRACT.format(tool="tar -xf {name}")),
    (rb"%PDF-", "a PDF", "extract its text first with pdftotext {name} {stem}.txt"),
    (rb"%!PS", "a PostScript file", "extract its text first with ps2ascii {name} {stem}.txt"),
    (rb"\{\\rtf", "a formatted document (RTF)", PLAIN),
    (rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "a document of an old Office program", PLAIN),
    (rb".{60}(BOOKMOBI|TEXtREAd)", "an e-book (Mobipocket)", PLAIN),
    (rb"\x89PNG|\xff\xd8\xff|GIF8[79]a|II\*\0|MM\0\*|RIFF....WEBP", "an image", NO_TEXT),
    (rb"ID3|OggS|fLaC|RIFF....WAVE|....ftyp|\x1aE\xdf\xa3", "a sound or video file", NO_TEXT),
    (rb"SQLite format 3\0", "an SQLite database", EXPORT),
    (rb"PAR1|Obj\x01|ARROW1|\x89HDF", "a binary table", EXPORT),
    (rb"\x80[\x02-\x05][\x95\]}(c\x8a]", "a Python pickle", EXPORT),
    (rb"\x93NUMPY", "a NumPy array", NO_TEXT),
    (rb"\x7fELF|\xca\xfe\xba\xbe|\xcf\xfa\xed\xfe|MZ.{58}..\0\0", "a program", NO_TEXT),
    (rb"version https://git-lfs\.", "a pointer of Git LFS, not the file itself", "download the file with git lfs pull"),
]
HTML = re.compile(rb"\s*(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)*<(!doctype\s+html|html)\b", re.DOTALL | re.IGNORECASE)


def not_text(start: bytes, name: str) -> str:
    """What a file that begins with these bytes is, with advice, as the end of a sentence; empty if it may be text."""
    if start.startswith(MODEL[0]) and MODEL[1] in start[:64]:
        return f"is a model file, not a text: charrnn sample -m {shlex.quote(name)} generates text with it."
    name = "FILE" if name == "standard input" else name
    start = start.removeprefix(codecs.BOM_UTF8).lstrip(b" \t\r\n")[:8192] or start[:8192]
    for signature, kind, advice in SIGNATURES:
        if re.match(signature, start, re.DOTALL):
            stem = re.sub(r"(?<=[^/\\])\.\w+$", "", name)
            return f"is {kind}: {advice.format(name=shlex.quote(name), stem=shlex.quote(stem))}."
    return ""


def is_html(start: bytes) -> bool:
    return HTML.match(start.removeprefix(codecs.BOM_UTF8)) is not None
