"""`charrnn write`, a full-screen editor; the extra `charrnn[write]`.

document.py     the text and its undo tree
text_file.py    the file, and the draft that survives a crash
predictions.py  the next characters and continuations, with probabilities
suggestions.py  which continuation is shown
text_layout.py  the rows of a wrapped text
text_area.py    the widget that shows and edits the text
side_panel.py   the widget that lists the predictions
dialogs.py      questions, prompts, the list of branches
chrome.py       keys, help, CSS, status line
app.py          the program
"""
