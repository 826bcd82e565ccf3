"""From files to windows of ids. Reading order:

units: a text as codes (code points, bytes, jamo)
vocab: codes as ids
source: files, folders and pipes, decoded in chunks
ids: the ids of a text, in memory or in a file
corpus: one long text as ids
tasks, examples: labelled texts and pairs
batches: streams and their windows
dataset: what a training needs of a corpus or of examples
rolling_hash, raw_text: n-grams of a corpus as characters
"""
