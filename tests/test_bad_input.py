"""Bad input: the exit code and the sentence of each case, and no file changes."""

import io
import os
import pty
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from charrnn.cli.main import run
from charrnn.text import source
from tests.bad_input import device, furnish
from tests.cli.test_train import TEXT, TINY

TRAIN = ["train", *TINY, "--steps", "2", "--workers", "1", "--no-baselines", "-m", "new.npz"]
NOT_TEXT = "contains no text."
NOT_UTF8 = "Try --encoding latin-1 or the actual encoding, or --unit byte to train on bytes."
NULS = "is not text, or it is UTF-16: more than a tenth of its bytes are NUL."
WHOLE, DAMAGED, PLAIN = "is a whole number", "is not a charrnn model", "is not a plain file"
LONG, HUGE = "x" * 300, "9" * 20

# after `train` with small sizes: the rest of the line, the exit code, a part of the error (or of a note if it is 0)
TRAININGS: list[tuple[str | list[str], int, str]] = [
    ("empty.txt", 1, "empty.txt " + NOT_TEXT),
    ("--by-line --pairs pairs.tsv", 2, "--by-line is for plain text: each line of labelled examples or pairs is one"),
    ("bom.txt", 1, "bom.txt " + NOT_TEXT),
    ("one.txt", 1, "the training split has fewer than 2 characters (1)"),
    ("two.txt", 0, "note: the text is short: batch size 1 instead of 4."),
    ("same.txt", 0, "note: the text has only one distinct character: there is nothing to learn."),
    ("spaces.txt", 0, "200 symbols, 2 distinct"),
    ("latin.txt", 1, f"latin.txt is not valid UTF-8 (byte 0xE9 at offset 3). {NOT_UTF8}"),
    ("late.txt", 1, "late.txt is not valid UTF-8 (byte 0xFF at offset 3,000,000)."),
    ("cut-short.txt", 1, "cut-short.txt is not valid UTF-8 (byte 0xEA at offset 3)."),
    ("overlong.txt", 1, "overlong.txt is not valid UTF-8 (byte 0xC0 at offset 3)."),
    ("surrogates.txt", 1, "surrogates.txt is not valid UTF-8 (byte 0xED at offset 3)."),
    ("beyond.txt", 1, "beyond.txt is not valid UTF-8 (byte 0xF4 at offset 3)."),
    ("five.txt", 1, "five.txt is not valid UTF-8 (byte 0xF8 at offset 3)."),
    ("latin.txt --encoding latin-1", 0, "latin.txt: 200 symbols"),
    ("latin.txt --unit byte", 0, "latin.txt: 200 symbols"),
    ("utf16.txt", 1, "utf16.txt looks like UTF-16: try --encoding utf-16."),
    ("utf16be.txt", 1, "utf16be.txt looks like UTF-16: try --encoding utf-16."),
    ("utf16.txt --encoding utf-16", 0, "utf16.txt: 576 symbols"),
    ("utf16-bare.txt", 1, NULS),
    ("utf16-bare.txt --encoding utf-16-le", 0, "utf16-bare.txt: 576 symbols"),
    ("utf32.txt", 1, "utf32.txt looks like UTF-32: try --encoding utf-32."),
    ("utf16-bare-be.txt", 1, f"{NULS} Try --encoding utf-16-be, or --unit byte to train on bytes."),
    ("corpus.txt --encoding utf-16", 1, "is not valid UTF-16: it looks like UTF-8, which needs no --encoding."),
    ("cp1252.txt", 1, "(byte 0x93 at offset 0). Try --encoding cp1252 or the actual encoding"),
    ("cp949.txt", 1, "Try --encoding cp949 or the actual encoding"),
    ("mac.txt", 0, "the lines of mac.txt end with CR, as on old Macintosh computers: each is read as a newline."),
    ("marks.txt", 0, "U+FEFF, a byte-order mark, was dropped 40 times in marks.txt."),
    ("jamo.txt", 0, "decomposed Hangul syllables of jamo.txt were composed: 80."),
    ("page.html", 0, "page.html is HTML: its tags are part of the text."),
    ("notes.rtf", 1, "notes.rtf is a formatted document (RTF): save it as plain text in the program that opens it"),
    ("book.pdf", 1, "book.pdf is a PDF: extract its text first with pdftotext book.pdf book.txt."),
    ("corpus.txt.gz", 1, "corpus.txt.gz is compressed (gzip): decompress it first with gunzip -k corpus.txt.gz."),
    ("odd.txt --encoding utf-16-le", 1, "odd.txt is not valid UTF-16-LE (byte 0x61 at offset 6)."),
    ("nul.txt", 1, "nul.txt is not text: more than a tenth of its bytes are NUL (--unit byte to train on bytes)."),
    ("nul.txt --unit byte", 0, "only one distinct character"),
    ("some-nul.txt", 0, "577 symbols, 15 distinct"),
    ("elf.txt", 1, "elf.txt is a program: it contains no text to train on."),
    ("png.txt", 1, "png.txt is an image: it contains no text to train on."),
    ("escapes.txt", 0, "escapes.txt: 480 symbols"),
    ("crlf.txt", 0, "crlf.txt: 320 symbols"),
    ("distinct.txt --val-fraction 0 --seq-length 2 --batch-size 2 --hidden-size 2", 0, "60,000 distinct"),
    ("decomposed.txt", 0, "200 symbols, 5 distinct"),
    ("utf7.txt --encoding utf-7", 1, "utf7.txt contains a lone surrogate, which is not a character: try --unit byte."),
    ("model.txt", 1, "model.txt is a model file, not a text: charrnn sample -m model.txt generates text with it."),
    ("model.npz", 1, "model.npz is a model file, not a text"),
    ("folder", 1, "folder is a folder without text files."),
    ("binaries", 1, "binaries is a folder without text files: binaries/a.bin is not text: more than a tenth"),
    ("three.csv --labelled", 1, "three.csv, line 1: there are 3 columns: choose two with --columns 1,2, or put quotes"),
    ("three.csv --labelled --columns 1,4", 1, "three.csv, line 1: there is no column 4."),
    ("three.csv --labelled --columns p,q", 1, "three.csv has no column 'p': its columns are a, x, 1."),
    ("three.csv --labelled --columns 1", 2, "--columns are two numbers or names, such as 1,2, not '1'."),
    ("three.csv --columns 1,2", 2, "--columns is for tables, which need another task than text"),
    ("quotes.csv --labelled", 1, "quotes.csv, line 1: a quoted field ends with a quote, and the quotes inside it are"),
    ("header.csv --labelled", 0, "the first row of header.csv is read as a header: label, text."),
    (
        "mixed --labelled",
        1,
        "mixed contains folders, whose names are labels, and the file mixed/notes.txt: name what to",
    ),
    ("mixed/pos mixed/neg --labelled", 0, "2 labels, with their numbers of examples: neg 1, pos 1"),
    (
        "ones --labelled",
        0,
        "5 of 5 labels have a single example: if the label of a file is its folder, name the folder",
    ),
    ("missing.txt", 1, "there is no file missing.txt."),
    (
        ":tails",
        1,
        "there is no built-in corpus :tails. Did you mean ':tales'? See charrnn corpora; a file of that name is "
        "./:tails.",
    ),
    (
        ["The king slept. The queen read."],
        1,
        "there is no file 'The king slept. The queen read.'. Texts are named by their paths: ",
    ),
    ("loop", 1, "loop cannot be read: Too many levels of symbolic links."),
    ("dangling", 1, "there is no file dangling."),
    ("soft.txt", 0, "soft.txt: 576 symbols"),
    ("''", 1, "the name of a text is empty."),
    (["a\0b"], 1, "a␀b cannot be read: embedded null byte."),
    ([LONG], 1, "cannot be read: File name too long."),
    (["a\nb.txt"], 1, "a␊b.txt " + NOT_TEXT),
    (["\x1b[31mred.txt"], 1, "␛[31mred.txt " + NOT_TEXT),
    (["undecodable\udcff.txt"], 1, r"undecodable\u{dcff}.txt " + NOT_TEXT),
    (["missing\udcff"], 1, r"there is no file missing\u{dcff}."),
    ("-", 1, NOT_TEXT),
    ("corpus.txt missing.txt", 1, "there is no file missing.txt."),
    ("corpus.txt latin.txt", 1, "latin.txt is not valid UTF-8"),
    ("corpus.txt --encoding hex", 2, "--encoding 'hex' is not a text encoding that Python knows."),
    ("corpus.txt --encoding ''", 2, "--encoding '' is not a text encoding that Python knows."),
    ("corpus.txt --encoding klingon", 2, "--encoding 'klingon' is not a text encoding that Python knows."),
    (
        "corpus.txt -m corpus.txt",
        2,
        "corpus.txt already exists: use --resume to continue its run, --force to replace it, or -m for another file.",
    ),
    ("corpus.txt -m corpus.txt --force", 2, "corpus.txt is the text itself: choose another -m for the model."),
    ("corpus.txt -m soft.txt --force", 2, "soft.txt is the text itself"),
    ("corpus.txt -m hard.txt --force", 2, "hard.txt is the text itself"),
    ("corpus.txt -m folder", 1, f"folder {PLAIN}, so no model is written to it: choose another -m."),
    ("corpus.txt -m fifo", 1, f"fifo {PLAIN}, so no model is written to it"),
    ("corpus.txt -m loop", 1, "loop cannot be a model file: Too many levels of symbolic links."),
    ("corpus.txt -m dangling", 1, "there is no folder "),
    ("corpus.txt -m missing/x.npz", 1, "there is no folder "),
    ("corpus.txt -m corpus.txt/x.npz", 1, "corpus.txt/x.npz cannot be a model file: Not a directory."),
    ("corpus.txt -m ''", 2, "-m is the name of a file, not ''."),
    ("corpus.txt -m folder/", 2, "-m is the name of a file, not 'folder/'."),
    (["corpus.txt", "-m", "a\0b"], 1, "a␀b cannot be a model file: embedded null byte."),
    (["corpus.txt", "-m", "x" * 250], 1, "cannot be written: File name too long."),
    (["corpus.txt", "-m", LONG], 1, "cannot be a model file: File name too long."),
    ("corpus.txt -m model.npz", 2, "model.npz already exists: "),
    ("corpus.txt --layers 0", 2, "--layers is a whole number from 1 to 1,000, not 0."),
    ("corpus.txt --layers 1001", 2, "--layers is a whole number from 1 to 1,000, not 1001."),
    ("corpus.txt --hidden-size 0", 2, "--hidden-size is a whole number of at least 1, not 0."),
    ("corpus.txt --hidden-size -3", 2, "--hidden-size is a whole number of at least 1, not -3."),
    ("corpus.txt --hidden-size 1e3", 2, "'1e3' is not a valid integer. See charrnn train --help."),
    ("corpus.txt --hidden-size 0x10", 2, "'0x10' is not a valid integer."),
    ("corpus.txt --hidden-size ''", 2, "'' is not a valid integer."),
    ("corpus.txt --hidden-size 1000000", 2, " GB of memory, and "),
    (f"corpus.txt --hidden-size {HUGE}", 2, "--hidden-size is a whole number from 1 to 9,223,372,036,854,775,807"),
    ("corpus.txt --batch-size 0", 2, "--batch-size is a whole number of at least 1, not 0."),
    ("corpus.txt --batch-size 1000000000000", 0, "note: the text is short: batch size 64 instead of 1000000000000."),
    ("corpus.txt --seq-length 0", 2, "--seq-length is a whole number of at least 1, not 0."),
    (
        "corpus.txt --seq-length 1000000000000",
        0,
        "note: the text is short: sequence length 518 instead of 1000000000000.",
    ),
    ("corpus.txt --epochs 0", 2, "--epochs is a whole number of at least 1, not 0."),
    ("corpus.txt --steps 0", 2, "--steps is a whole number of at least 1, not 0."),
    ("corpus.txt --lr nan", 2, "--lr is a number above 0, not nan."),
    ("corpus.txt --lr inf", 2, "--lr is a number above 0, not inf."),
    ("corpus.txt --lr -inf", 2, "--lr is a number above 0, not -inf."),
    ("corpus.txt --lr 1e999", 2, "--lr is a number above 0, not inf."),
    ("corpus.txt --lr 0", 2, "--lr is a number above 0, not 0.0."),
    ("corpus.txt --lr -1", 2, "--lr is a number above 0, not -1.0."),
    ("corpus.txt --lr 1e-400", 2, "--lr is a number above 0, not 0.0."),
    ("corpus.txt --lr x", 2, "'x' is not a valid float."),
    (
        "corpus.txt --lr 3e38 --clip 0 --schedule constant --steps 50",
        1,
        "for the 4th time. Try a smaller --lr",
    ),
    ("corpus.txt --clip nan", 2, "--clip is a number at least 0, not nan."),
    ("corpus.txt --clip inf", 2, "--clip is a number at least 0, not inf."),
    ("corpus.txt --clip -1", 2, "--clip is a number at least 0, not -1.0."),
    ("corpus.txt --dropout 1", 2, "--dropout is a number at least 0 and below 1, not 1.0."),
    ("corpus.txt --dropout nan", 2, "--dropout is a number at least 0 and below 1, not nan."),
    ("corpus.txt --dropout -0.1", 2, "--dropout is a number at least 0 and below 1, not -0.1."),
    ("corpus.txt --val-fraction 1", 2, "--val-fraction is a number at least 0 and below 1, not 1.0."),
    ("corpus.txt --val-fraction nan", 2, "--val-fraction is a number at least 0 and below 1, not nan."),
    ("corpus.txt --val-fraction 0.9999", 1, "use a longer text, or --val-fraction 0."),
    ("corpus.txt --seed -1", 2, "--seed is a whole number of at least 0, not -1."),
    ("corpus.txt --seed 9223372036854775808", 2, "--seed is a whole number from 0 to 9,223,372,036,854,775,807"),
    ("corpus.txt --workers -1", 2, "--workers is a whole number from 0 to 1,024, not -1."),
    ("corpus.txt --workers 1025", 2, "--workers is a whole number from 0 to 1,024, not 1025."),
    ("corpus.txt --eval-every -1", 2, "--eval-every is a whole number of at least 0, not -1."),
    ("corpus.txt --save-every -1", 2, "--save-every is a whole number of at least 0, not -1."),
    ("corpus.txt --log-every 0", 2, "--log-every is a whole number of at least 1, not 0."),
    ("corpus.txt --log-every 3", 2, "--log-every only applies to --json: use both, or neither."),
    ("corpus.txt --cell cnn", 2, "a cell is one of lstm, gru, rnn, mingru, lru, not cnn."),
    ("missing.txt --cell cnn", 2, "a cell is one of lstm, gru, rnn, mingru, lru, not cnn."),
    ("corpus.txt --cell ngram", 2, "is for networks, and --cell ngram counts n-grams: leave it out."),
    ("corpus.txt --order 7", 2, "--order is that of an n-gram model: use it with --cell ngram or --with-ngram."),
    (
        "corpus.txt --cell lru --recurrent-dropout 0.1",
        2,
        "--recurrent-dropout masks the input of Wh, and --cell lru has no Wh: use --dropout.",
    ),
    ("corpus.txt --order 5", 2, "--order is that of an n-gram model: use it with --cell ngram or --with-ngram."),
    ("corpus.txt --with-ngram --order 1", 2, "--order is a whole number from 2 to 10, not 1."),
    (
        "corpus.txt --with-ngram --val-fraction 0",
        2,
        "fits its weight to the validation split: set --val-fraction above",
    ),
    ("pairs.tsv --pairs --with-ngram", 2, "--with-ngram is for plain text, not for examples: leave it out."),
    ("corpus.txt --engine slow", 2, "'slow' is not one of 'fast', 'plain'."),
    ("corpus.txt --optimizer lion", 2, "'lion' is not one of 'adam', 'rmsprop', 'adagrad', 'sgd'."),
    ("corpus.txt --schedule linear", 2, "'linear' is not one of 'wsd', 'cosine', 'constant'."),
    ("corpus.txt --unit word", 2, "'word' is not one of 'char', 'byte', 'jamo'."),
    ("corpus.txt --nonsense", 2, "No such option"),
    ("corpus.txt --lr", 2, "Option '--lr' requires an argument."),
]

LINES: list[tuple[str | list[str], int, str]] = [
    ("train corpus.txt --cell ngram --minutes 1 -m new.npz", 2, "--minutes is for networks, and --cell ngram counts"),
    ("train corpus.txt --cell ngram --resume", 2, "--resume is for networks, and --cell ngram counts n-grams"),
    (
        "train corpus.txt --cell ngram --with-ngram -m new.npz",
        2,
        "--with-ngram is for networks, and --cell ngram has none",
    ),
    (
        "train pairs.tsv --pairs --cell ngram -m new.npz",
        2,
        "with --task generate, which classifies too, not pairs.",
    ),
    (
        "train pairs.tsv --labelled --task classify --cell ngram -m new.npz",
        2,
        "with --task generate, which classifies too, not classify.",
    ),
    ("train empty.txt --cell ngram -m new.npz", 1, "empty.txt contains no text."),
    ("bench --cell ngram", 2, "a cell is one of lstm, gru, rnn, mingru, lru, not ngram."),
    ("see step --cell ngram", 2, "a cell is one of lstm, gru, rnn, mingru, lru, not ngram."),
    ("train", 2, "no text to train on: use charrnn train TEXT, or - for standard input."),
    (
        "train --resume --force",
        2,
        "--resume continues the run in the model file and --force replaces it: use one of them.",
    ),
    ("train --resume --minutes 1", 2, "--minutes plans a new run: use --steps or --epochs with --resume."),
    (
        "train --resume --init-from part.npz",
        2,
        "--resume continues a run and --init-from starts a new one: use one of them.",
    ),
    ("train a --pairs --labelled", 2, "--pairs and --labelled are different tasks: use one of them."),
    ("train a --task classify", 2, "--task classify needs labelled examples: add --labelled."),
    ("train --resume -m missing.npz", 1, "there is no model file missing.npz: run charrnn train TEXT to create one."),
    ("train --resume -m cut.npz", 1, f"cut.npz {DAMAGED}, or it is damaged"),
    ("train --resume -m text.npz", 1, f"text.npz {DAMAGED}"),
    (
        "train --resume -m part.npz --hidden-size 9",
        2,
        "--hidden-size 9 contradicts the model file, which was trained with 8",
    ),
    (
        "train --resume -m part.npz --clip 0.5",
        2,
        "--clip 0.5 contradicts the model file, which was trained with 0.25: leave it out to resume. To start "
        "a new run from its weights: charrnn train corpus.txt --clip 0.5 --init-from part.npz -m part-2.npz\n",
    ),
    ("train --resume -m part.npz --lr -1", 2, "--lr is a number above 0, not -1.0."),
    ("train --resume -m part.npz --cell rnn", 2, "--cell rnn contradicts the model file"),
    ("train --resume -m part.npz --unit byte", 2, "--unit byte contradicts the model file"),
    ("train --resume -m part.npz --by-line", 2, "--by-line contradicts the model file, which was trained without it:"),
    ("train --resume -m part.npz --order 7", 2, "--order is that of an n-gram model"),
    ("train --resume -m part.npz --seed 1", 2, "--seed 1 contradicts the model file"),
    ("train --resume -m part.npz --encoding latin-1", 2, "--encoding latin-1 contradicts the model file"),
    ("train --resume -m part.npz --steps 0", 2, "--steps is a whole number of at least 1, not 0."),
    (
        "train --resume -m part.npz two.txt",
        1,
        "two.txt is not the text that part.npz was trained on. To start a new run from its weights: "
        "charrnn train two.txt --init-from part.npz -m part-2.npz\n",
    ),
    ("train --resume -m part.npz missing.txt", 1, "there is no file missing.txt."),
    (
        "train --resume",
        0,
        "has already finished its 12 steps. To continue: charrnn train --resume --steps 24",
    ),
    ("sample --texts 0", 2, "--texts is a whole number of at least 1, not 0."),
    ("sample --texts 2", 2, "--texts is for models that know where texts end: train on several files or --by-line."),
    ("sample --texts 2 --count 2", 2, "--texts N and --count N both set the number of texts: use one of them."),
    ("sample --temp -1", 2, "--temp is a number at least 0, not -1.0."),
    ("sample --temp nan", 2, "--temp is a number at least 0, not nan."),
    ("sample --temp inf", 2, "--temp is a number at least 0, not inf."),
    ("sample --temp 1e999", 2, "--temp is a number at least 0, not inf."),
    ("sample --temp x", 2, "'x' is not a valid float."),
    ("sample --temp 1e-320 -n 5", 0, "seed "),
    ("sample --temp 1e308 -n 5", 0, "seed "),
    ("sample --top-k -1", 2, "--top-k is a whole number of at least 0, not -1."),
    ("sample --top-k 1.5", 2, "'1.5' is not a valid integer."),
    ("sample --top-p 0", 2, "--top-p is a number above 0 and at most 1, not 0.0."),
    ("sample --top-p 1.1", 2, "--top-p is a number above 0 and at most 1, not 1.1."),
    ("sample --top-p nan", 2, "--top-p is a number above 0 and at most 1, not nan."),
    ("sample -n -1", 2, "--length is a whole number of at least 0, not -1."),
    (f"sample -n {HUGE}", 2, "--length is a whole number from 0 to 9,223,372,036,854,775,807"),
    ("sample --count 0", 2, "--count is a whole number from 1 to 10,000, not 0."),
    ("sample --count 10001", 2, "--count is a whole number from 1 to 10,000, not 10001."),
    ("sample --workers 0", 2, "--workers is a whole number of at least 1, not 0."),
    ("sample --workers 0 --count 2", 2, "--workers is a whole number of at least 1, not 0."),
    ("sample --workers 2 --source a", 2, "--workers does not work with --source, which takes --beam and --json."),
    ("sample --workers 2 --beam 2", 2, "--beam works with --source only: add --source, or remove --beam."),
    ("sample --workers 9999", 2, "9999 workers need as many cores, and this process may use"),
    ("sample --seed -1", 2, "--seed is a whole number of at least 0, not -1."),
    ("sample -p é", 2, "the model has never seen 'é' (U+00E9) in the prompt. Remove them, or use --unknown skip."),
    (["sample", "-p", "\ud800"], 2, "the prompt contains a lone surrogate"),
    (["sample", "-p", "\udcff"], 2, "(U+DCFF) in the prompt"),
    (["sample", "-p", "\x1b[31m"], 2, r"the model has never seen '\x1b' (U+001B)"),
    (["sample", "-p", "a\0"], 2, "(U+0000) in the prompt"),
    ("sample -p a --prompt-file two.txt", 2, "--prompt and --prompt-file both set the prompt: use one of them."),
    ("sample --prime-file missing.txt", 1, "missing.txt cannot be read: No such file or directory."),
    ("sample --prime-file latin.txt", 1, "Convert it first with iconv -f latin-1 -t utf-8 or the actual encoding."),
    ("sample --prompt-file folder", 1, "folder cannot be read: Is a directory."),
    ("sample --prime-file long-prime.txt", 1, "long-prime.txt is too long for a prompt: more than 10 MB."),
    (["sample", "--prime-file", "a\0b"], 1, "a␀b cannot be read: embedded null byte."),
    ("sample --unknown maybe", 2, "'maybe' is not one of 'error', 'skip'."),
    ("sample --weights worst", 2, "'worst' is not one of 'best', 'last'."),
    (
        "sample --stop ###",
        2,
        "--stop '###' can never be generated, because '#' (U+0023) is unknown to the model: choose",
    ),
    ("sample --stop cat --ban a", 2, "--stop 'cat' can never be generated, because 'a' (U+0061) is banned: choose"),
    (
        ["sample", "--stop", "a\\d"],
        2,
        "--stop contains \\d, which is not an escape: there are \\n, \\t, \\r, \\u{HEX},",
    ),
    (["sample", "--ban", "a\\"], 2, "--ban contains \\, which is not an escape"),
    (["sample", "--ban", "\\u{110000}"], 2, "--ban contains \\u{110000}, which is not an escape"),
    (["sample", "--ban", "\\ud800"], 2, "--ban contains '\\ud800', which is not text."),
    (
        ["sample", "--stop", "\udce9"],
        2,
        "--stop contains '\\udce9', which is not text: a byte that is not UTF-8 occurs with",
    ),
    (
        ["sample", "--lines", "3", "--ban", "\n"],
        2,
        "--lines never end, because the newline is banned: limit the characters",
    ),
    ("sample -m missing.npz", 1, "there is no model file missing.npz"),
    ("sample -m :name", 1, "there is no built-in model :name. Did you mean ':names'? There is :names; a file of that"),
    ("corpora tails", 1, "there is no built-in corpus :tails. Did you mean ':tales'? See charrnn corpora;"),
    ("corpora names", 2, ":names is a folder of 19 corpora: name one of them, such as charrnn corpora names/chinese."),
    ("corpora tales --json", 2, "--json is for the list of corpora: remove it, or the name."),
    (
        "train corpus.txt -m :names --steps 1",
        2,
        ":names cannot be written, because names that start with : are built in: choose another -m, such as ./:names.",
    ),
    ("see surprise corpus.txt -m model.npz -o :a.svg", 2, "choose another -o, such as ./:a.svg."),
    ("sample -m v:2", 1, "there is no model file v:2, and no v with the weight 2: run charrnn train TEXT"),
    ("sample -m cut.npz", 1, f"cut.npz {DAMAGED}, or it is damaged (its end)."),
    ("sample -m flipped.npz", 1, f"flipped.npz {DAMAGED}, or it is damaged"),
    ("sample -m text.npz", 1, f"text.npz {DAMAGED}"),
    ("sample -m empty.npz", 1, f"empty.npz {DAMAGED}: it is too short."),
    ("sample -m folder", 1, f"folder {PLAIN}, so it cannot be a model."),
    ("sample -m fifo", 1, f"fifo {PLAIN}, so it cannot be a model."),
    ("sample -m loop", 1, "loop cannot be read: Too many levels of symbolic links."),
    (["sample", "-m", "a\0b"], 1, "a␀b cannot be read: embedded null byte."),
    (["sample", "-m", LONG], 1, "cannot be read: File name too long."),
    (["sample", "-m", "\x1b[31m"], 1, "there is no model file ␛[31m"),
    (["sample", "-m", "a\nerror: fake"], 1, "there is no model file a␊error: fake"),
    ("sample extra", 2, "Got unexpected extra argument (extra). See charrnn sample --help."),
    ("eval -m missing.npz", 1, "there is no model file missing.npz"),
    ("eval -m model.npz -m cut.npz", 1, f"cut.npz {DAMAGED}"),
    ("eval missing.txt", 1, "there is no file missing.txt."),
    (
        "eval -m gone.npz",
        1,
        "trained on gone.txt, which is not found here: name the text to score: charrnn eval TEXT -m gone.npz.",
    ),
    ("see memory -m gone.npz", 1, "gone.npz was trained on gone.txt, which is not found here: name a text."),
    ("sample -m gone.npz --no-copy 4", 1, "on gone.txt, which is not found here: name a corpus with --corpus."),
    (
        "train --resume -m gone.npz --steps 4",
        1,
        "which is not found here: name the text, charrnn train --resume -m gone.npz TEXT.",
    ),
    (["eval", "a\nb"], 1, "pass it to charrnn.Corpus.from_text or, on the command line, to standard input (-)."),
    ("eval empty.txt", 1, "empty.txt " + NOT_TEXT),
    ("eval foreign.txt", 1, "foreign.txt has no characters that the model knows, so there is nothing to score."),
    (
        "eval part-foreign.txt",
        0,
        "note: symbols that are not in the vocabulary of model.npz are skipped: 'é' (1 distinct, 2 in total).",
    ),
    ("eval accents.txt", 0, "are skipped: '\u25cc\u0301' (U+0301), '\u25cc\ufe0f' (U+FE0F) (2 distinct, 2 in total)."),
    ("sample -m mac.npz --lines 2", 2, "the newline is unknown to the model, whose text ends its lines with CR: limit"),
    (["sample", "-p", "the a\u0302"], 2, "the model has never seen '\u25cc\u0302' (U+0302) in the prompt."),
    ("eval latin.txt", 1, "latin.txt is not valid UTF-8 (byte 0xE9 at offset 3)."),
    ("eval utf16.txt", 1, "utf16.txt looks like UTF-16"),
    ("eval folder", 1, "folder is a folder without text files."),
    ("eval model.npz", 1, "model.npz is a model file, not a text"),
    ("eval --baselines --dynamic", 2, "--baselines needs the weights as they were trained: leave --dynamic out."),
    ("eval --encoding x", 2, "--encoding 'x' is not a text encoding that Python knows."),
    ("eval -", 1, "standard input contains no text."),
    ("info -m missing.npz", 1, "there is no model file missing.npz"),
    ("info -m cut.npz", 1, f"cut.npz {DAMAGED}"),
    ("info -m folder", 1, f"folder {PLAIN}, so it cannot be a model."),
    ("info --json -m text.npz", 1, f"text.npz {DAMAGED}"),
    ("export", 2, "Missing argument 'FILE'. See charrnn export --help."),
    (
        "export model.txt",
        2,
        "the ending of model.txt names no format: FILE ends in .html, .onnx or .safetensors.",
    ),
    (
        "export new.onnx --float32",
        2,
        "--float32 is for web pages, the weights in other files are always float32: remove it.",
    ),
    ("export page.html", 2, "page.html already exists: use --force to replace it, or choose another name."),
    ("export missing/x.html", 1, "there is no folder "),
    ("export new.html -m missing.npz", 1, "there is no model file missing.npz: run charrnn train TEXT to create one."),
    ("export new.html -m model.npz -m part.npz", 2, "export writes one model, not a mixture: name one -m."),
    ("export new.html -m model.npz:2", 2, "export writes one model, without a weight: name it as -m model.npz."),
    ("info extra", 2, "Got unexpected extra argument (extra)."),
    (
        "import corpus.txt -m new.npz",
        1,
        "corpus.txt is not a .safetensors file, or it is damaged: in PyTorch, safetensors",
    ),
    ("import missing.safetensors -m new.npz", 1, "there is no file missing.safetensors."),
    ("import folder -m new.npz", 1, f"folder {PLAIN}, so it cannot be a model."),
    ("import corpus.txt", 2, "model.npz already exists: use --force to replace it, or -m for another file."),
    (
        "import corpus.txt -m corpus.txt --force",
        2,
        "corpus.txt is the file to import: choose another -m for the model.",
    ),
    (
        "import net.safetensors -m new.npz",
        2,
        "net.safetensors has no vocabulary: name a JSON list of its characters with --vocab FILE.",
    ),
    (
        "import net.safetensors --vocab corpus.txt -m new.npz",
        1,
        "the vocabulary in corpus.txt is not valid: it is a JSON list of 4",
    ),
    ("import net.safetensors --vocab folder -m new.npz", 1, "folder cannot be read: Is a directory."),
    ("dance", 2, "No such command 'dance'. See charrnn --help."),
    ("--nonsense", 2, "No such option"),
    ("bench --seconds 0", 2, "--seconds is a number above 0, not 0.0."),
    ("bench --seconds nan", 2, "--seconds is a number above 0, not nan."),
    ("bench --cell cnn", 2, "a cell is one of lstm, gru, rnn, mingru, lru, not cnn."),
    ("bench --layers 0", 2, "--layers is a whole number from 1 to 1,000, not 0."),
]

Place = Callable[..., tuple[int, bytes, str]]


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    before, here = os.getcwd(), tmp_path_factory.mktemp("bad")
    os.chdir(here)
    try:
        furnish(here)
        yield here
    finally:
        os.chdir(before)


def contents(here: Path) -> dict[str, tuple[int, int, int]]:
    """Values that change whenever a file does."""
    stats = {path.name: path.lstat() for path in here.iterdir()}
    return {name: (s.st_ino, s.st_size, s.st_mtime_ns) for name, s in stats.items() if name != "new.npz"}


@pytest.fixture
def place(
    furnished: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> Iterator[Place]:
    """Runs a command line in the folder of the files, and checks that they do not change."""
    monkeypatch.chdir(furnished)
    before = contents(furnished)

    def command(line: list[str], stdin: bytes = b"") -> tuple[int, bytes, str]:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        code = run(line)
        out, err = capfdbinary.readouterr()
        return code, out, err.decode()

    yield command
    assert contents(furnished) == before
    Path("new.npz").unlink(missing_ok=True)


def words(line: str | list[str]) -> list[str]:
    return shlex.split(line) if isinstance(line, str) else line


ROWS = [([*TRAIN, *words(line)], code, part) for line, code, part in TRAININGS]
ROWS += [(words(line), code, part) for line, code, part in LINES]


def test_the_table_is_long() -> None:
    assert len(ROWS) >= 150
    assert len({str(line) for line, _, _ in ROWS}) == len(ROWS)


@pytest.mark.parametrize(("line", "code", "part"), ROWS, ids=lambda value: repr(value)[-60:])
def test_bad_input_gives_one_sentence_and_an_exit_code(line: list[str], code: int, part: str, place: Place) -> None:
    found, out, err = place(line)
    assert found == code, err
    assert part in err
    assert "Traceback" not in err
    assert not any(ord(c) < 32 and c != "\n" for c in err)
    sentences = [line for line in err.splitlines() if line.startswith("error: ")]
    assert len(sentences) == (code != 0)
    if code:
        assert out == b""
        assert err.splitlines()[-1] == sentences[0]
        assert err.endswith(".\n") or ": charrnn train " in sentences[0]  # a command ends with its last word
        assert "diverged" in err or not os.path.exists("new.npz")


@pytest.mark.parametrize("name", ["null", "zero", "full"])
def test_devices(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    Path("corpus.txt").write_text(TEXT)
    if not device(name, {"null": 3, "zero": 5, "full": 7}[name]):
        pytest.skip("devices cannot be made here")
    before = os.stat(name)
    monkeypatch.setattr(source, "LONGEST_PIPE", 1 << 24)
    assert run(["train", "corpus.txt", *TINY, "--steps", "1", "-m", name, "--force"]) == 1
    assert PLAIN in capfd.readouterr().err
    for line in (["sample", "-m", name], ["info", "-m", name], ["eval", "-m", name], ["train", "--resume", "-m", name]):
        assert run(line) == 1
        assert PLAIN in capfd.readouterr().err
    assert run(["train", name, *TINY, "--steps", "1", "-m", "new.npz"]) == 1
    said = NOT_TEXT if name == "null" else "GB: save it to a file first."
    assert said in capfd.readouterr().err
    assert os.path.samestat(before, os.stat(name))
    assert sorted(os.listdir()) == sorted(["corpus.txt", name])


def test_an_endless_pipe(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "LONGEST_PIPE", 1 << 20)
    for line in ([*TRAIN, "-"], ["eval", "-"]):
        code, _, err = place(line, b"abc\n" * 600_000)
        assert code == 1
        assert "standard input exceeds 0.0 GB: save it to a file first." in err


def test_a_text_that_changes_while_it_is_read(place: Place, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    text = tmp_path / "growing.txt"
    text.write_text(TEXT)
    right, opened = source.Source.open, [0]

    def open_later(self: source.Source) -> object:
        opened[0] += 1
        if opened[0] == 2:
            text.write_text(TEXT[::-1])  # of the same length
            os.utime(text, (1, 1))
        return right(self)

    monkeypatch.setattr(source.Source, "open", open_later)
    code, _, err = place([*TRAIN, str(text)])
    assert code == 1
    assert "growing.txt changed while it was being read: try again when it is complete." in err


def test_no_permission(tmp_path: Path) -> None:
    drop = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-dac_override,-dac_read_search"]
    if os.geteuid() != 0:
        drop = []
    elif subprocess.run([*drop, "true"], capture_output=True, check=False).returncode:
        pytest.skip("root may read everything")
    (tmp_path / "corpus.txt").write_text(TEXT)
    (tmp_path / "secret").write_text(TEXT)
    (tmp_path / "secret").chmod(0)
    (tmp_path / "shut").mkdir(mode=0o555)
    for line, part in (
        (["train", "secret", "-m", "x.npz"], b"secret cannot be read: Permission denied."),
        (["sample", "-m", "secret"], b"secret cannot be read: Permission denied."),
        (["train", "corpus.txt", "-m", "shut/x.npz"], b"shut/x.npz cannot be written: Permission denied."),
    ):
        command = [*drop, sys.executable, "-m", "charrnn", *line]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
        assert (done.returncode, done.stdout, done.stderr) == (1, b"", b"error: " + part + b"\n")


SURROUNDINGS: list[dict[str, str | None]] = [
    {},
    {"TERM": "dumb"},
    {"TERM": None},
    {"TERM": "nonsense"},
    {"COLUMNS": "0"},
    {"COLUMNS": "1"},
    {"COLUMNS": "5", "LINES": "1"},
    {"COLUMNS": "abc"},
    {"COLUMNS": "99999999"},
    {"NO_COLOR": "1"},
    {"FORCE_COLOR": "1"},
    {"FORCE_COLOR": "1", "NO_COLOR": "1"},
    {"HOME": None},
    {"TZ": "nonsense"},
    {"LC_ALL": "C", "PYTHONUTF8": "0"},
]


class Terminal(io.TextIOWrapper):
    """A stream in memory that claims to be a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
@pytest.mark.parametrize("surroundings", SURROUNDINGS, ids=str)
def test_surroundings(
    surroundings: dict[str, str | None], encoding: str, furnished: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every command on every kind of terminal: an answer, no error, no character outside the encoding."""
    monkeypatch.chdir(furnished)
    for name, value in surroundings.items():
        if value is None:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, value)
    for line in ([*TRAIN, "--force", "corpus.txt"], ["sample", "-n", "20"], ["eval"], ["info"]):
        out, err = io.BytesIO(), io.BytesIO()
        monkeypatch.setattr(sys, "stdout", Terminal(out, encoding, write_through=True))
        monkeypatch.setattr(sys, "stderr", Terminal(err, encoding, write_through=True))
        assert run(line) == 0
        assert (out if line[0] != "train" else err).getvalue()
        assert b"Error" not in err.getvalue()
        if encoding == "ascii":
            assert (out.getvalue() + err.getvalue()).isascii()
        if "NO_COLOR" in surroundings:
            assert b"\x1b[3" not in out.getvalue() + err.getvalue()
    Path("new.npz").unlink()


@pytest.mark.parametrize(
    ("line", "closed"),
    [
        ("sample -n 5 --seed 1", "1"),
        ("sample -n 5 --seed 1", "12"),
        ("info", "1"),
        ("info", "2"),
        ("--help", "1"),
        ("train --resume", "012"),
    ],
)
def test_closed_streams(line: str, closed: str, furnished: Path) -> None:
    closing = " ".join(f"{number}>&-" for number in closed)
    command = f'exec "{sys.executable}" -m charrnn {line} {closing}'
    done = subprocess.run(["sh", "-c", command], cwd=furnished, capture_output=True, check=False)
    silent = "1" in closed and not line.startswith(("train", "--help"))
    assert done.returncode == (1 if silent else 0), done.stderr
    assert b"Traceback" not in done.stderr
    if silent and "2" not in closed:
        assert done.stderr == b"error: standard output is closed.\n"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
@pytest.mark.parametrize("line", ["sample -n 5 --seed 1", "sample -n 5 --seed 1 --json", "info", "--help"])
def test_a_full_disk_behind_stdout(line: str, furnished: Path) -> None:
    with open("/dev/full", "wb") as full:
        command = [sys.executable, "-m", "charrnn", *shlex.split(line)]
        done = subprocess.run(command, cwd=furnished, stdout=full, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == b"error: No space left on device."


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_full_disk_behind_stderr(furnished: Path) -> None:
    with open("/dev/full", "wb") as full:
        command = [sys.executable, "-m", "charrnn", *TRAIN, "corpus.txt", "--force"]
        done = subprocess.run(command, cwd=furnished, stderr=full, check=False)
    assert done.returncode == 0
    Path(furnished, "new.npz").unlink()


def test_the_umask_is_respected(furnished: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(furnished)
    before = os.umask(0o077)
    try:
        assert run([*TRAIN, "corpus.txt", "-q"]) == 0
    finally:
        os.umask(before)
    assert Path("new.npz").stat().st_mode & 0o777 == 0o600
    Path("new.npz").chmod(0o640)
    assert run([*TRAIN, "corpus.txt", "-q", "--force"]) == 0
    assert Path("new.npz").stat().st_mode & 0o777 == 0o640
    Path("new.npz").unlink()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_while_waiting_for_a_text(number: int, tmp_path: Path) -> None:
    """There is nothing to save yet: the process ends at once, with its exit code and without a message."""
    os.mkfifo(tmp_path / "fifo")
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "charrnn", *TRAIN, "fifo"]
    waiting = subprocess.Popen(
        command, cwd=tmp_path, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    )
    os.close(theirs)
    while not (tmp_path / ".new.npz.lock").exists():
        assert waiting.poll() is None
    waiting.send_signal(number)
    assert waiting.wait(timeout=30) == 128 + number
    shown = os.read(ours, 1000)
    os.close(ours)
    assert b"Traceback" not in shown
    assert os.listdir(tmp_path) == ["fifo"]


def test_signals_that_nohup_ignores_stay_ignored(tmp_path: Path) -> None:
    (tmp_path / "corpus.txt").write_text(TEXT)
    script = (
        "import signal; from charrnn.__main__ import end_at_once; end_at_once(); print(signal.getsignal(signal.SIGHUP))"
    )
    command = ["sh", "-c", f"trap '' HUP; exec '{sys.executable}' -c '{script}'"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert int(done.stdout) == signal.SIG_IGN
