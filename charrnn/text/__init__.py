"""From files to windows of ids.

units.py         a text as codes: code points, bytes or jamo
vocab.py         codes as ids, rare codes as the unknown symbol
forms.py         a text in the Unicode normal form that a vocabulary knows
builtin.py       the corpora that come with charrnn
file_types.py    files that are not text, recognised by their first bytes
decode.py        bytes as text: line ends, byte-order marks, advice on encodings
source.py        files, folders and pipes, read in chunks
ids.py           the ids of a text, in memory or in a temporary file
texts.py         several texts with a boundary symbol, and which are held out
corpus.py        texts as ids, and their validation split
tasks.py         labels, classification and pairs: inputs, targets, masks
tables.py        the columns of .tsv and .csv files
example_files.py the examples in files and folders
examples.py      labelled texts and pairs, read and split
batches.py       parallel streams and their windows
dataset.py       what a training needs of a corpus or of examples
rolling_hash.py  hashes of all n-grams
raw_text.py      a corpus as characters, read chunk by chunk
"""
