"""New text from a model.

options.py         `SamplingOptions`; without NumPy
filters.py         temperature, top-k, top-p and min-p; drawing symbols
sample.py          the generation loop
generated_text.py  one text while it is generated
rules.py           no-repeat, no-copy, stop strings, the limit on lines
spelling.py        symbols that can spell a whole character (UTF-8, jamo)
parallel.py        several texts from several processes
readers.py         streams that have read the newline; prompt to ids
mixture.py         several models whose probabilities are mixed
conditional.py     text for a label, the target of a source
"""
