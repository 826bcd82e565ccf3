"""Terminal, tables, plots, HTML. Only this room and the editor import rich.

terminal.py         stdout, stderr, control characters made visible
console.py          rich consoles: to stdout, to SVG, to HTML; picture files
charts.py           sparklines, bars, durations, speeds
tables.py           tables that fit the terminal
evaluation.py       scores, baselines, the confusion matrix
info.py             `charrnn info`
novelty.py          `charrnn novelty`
training.py         the live display of a training
reading.py          the progress bar while a large text is read
see.py              `charrnn see`
panels.py           curves as data for all plotters
terminal_plot.py    curves in Braille characters
svg_plot.py         curves in a web page
matplotlib_plot.py  curves as PNG, PDF or SVG
heatmap.py          a text coloured by character
html.py             the same as a web page
web_page.py         a model as a web page that runs it; its script and style are in web/
"""
