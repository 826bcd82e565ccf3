"""New text from a model.

- `options`: `SamplingOptions`: filters, constraints and stop conditions; without NumPy
- `filters`: temperature, top-k, top-p and min-p; drawing symbols
- `sample`: the generation loop; `sample` and `sample_many`
- `generated_text`: one text while it is generated: its constraints, its random numbers, why it ended
- `rules`: no-repeat, no-copy, stop strings and the limit on lines
- `spelling`: which symbols can spell a whole character (UTF-8, jamo)
- `readers`: steppers of a model that have read the newline; prompt to ids
- `mixture`: several models whose probabilities are mixed
- `conditional`: text for a label, the target of a source
"""
