"""The command line: one file per command. Only this room imports click.

main.py             the group of commands, and exit codes
help.py             `charrnn help` and `charrnn completion`
examples.py         the examples of the help pages
options.py          help pages, and options that commands share
inputs.py           models by name, and the text that a model was trained on
typed.py            prompts, sources, and texts to classify
signals.py          signal handlers
train.py            `charrnn train`; plan in train_plan.py, run in train_session.py, samples in train_samples.py
resume.py           `charrnn train --resume`
sample.py           `charrnn sample`; sources in sample_examples.py
eval.py             `charrnn eval`; examples in eval_examples.py, baselines in baselines.py
classify.py, novelty.py, info.py, export.py, import_model.py, bench.py, corpora.py, write.py  one command each
see/                `charrnn see`
"""
