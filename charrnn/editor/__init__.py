"""`charrnn write`, a full-screen editor. In reading order:

document       the text and its undo tree
text_file      the file, and the draft that survives a crash
predictions    the next characters and continuations, with probabilities
suggestions    which continuation is shown
text_layout    the rows of a wrapped text
text_area      the widget that shows and edits the text
side_panel     the widget that lists the predictions
dialogs        questions, prompts, the list of branches
chrome         keys, help, CSS, status line
app            the program
"""
