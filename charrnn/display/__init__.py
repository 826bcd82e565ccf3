"""Output for people. In reading order:

terminal          stdout, stderr, control characters made visible
console           rich consoles: to stdout, to SVG, to HTML; picture files
charts            sparklines, bars, durations, speeds
tables            tables that fit the terminal
evaluation        scores, baselines, the confusion matrix
info              `charrnn info`
novelty           `charrnn novelty`
training          the live display of a training run
reading           the progress bar while a large text is read
see               `charrnn see`
panels            curves as data for both plotters
terminal_plot     curves in Braille characters
matplotlib_plot   curves as PNG, PDF or SVG
heatmap           a text coloured by character
html              the same as a web page
"""
