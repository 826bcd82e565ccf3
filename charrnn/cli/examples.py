"""The examples of the help pages: command lines and their comments."""

EXAMPLES = {
    "charrnn train corpus.txt": "Train on a text file for three minutes",
    "charrnn train corpus.txt -m lstm.npz --cell lstm --layers 2 --epochs 20": "Choose the network and the length",
    "charrnn train names.tsv -m names.npz --labelled": "Train on examples with labels",
    "charrnn train -m lstm.npz --resume --epochs 30": "Resume a run and make it longer",
    "charrnn sample --temp 0.6 -n 300": "Generate 300 characters, more predictable than by default",
    "charrnn sample -p 'Once upon' --lines 5 --seed 1": "Continue a prompt until the end of line 5",
    "charrnn sample --no-copy 20 --best-of 4": "Copy at most 19 characters in a row; keep the best of four texts",
    "charrnn sample -m names.npz --label korean --lines 10": "Generate ten examples with a label",
    "charrnn write story.txt": "Edit a file with suggestions of model.npz",
    "charrnn write story.txt -m lstm.npz --temp 0.5": "Use another model, and more predictable suggestions",
    "charrnn classify -m names.npz Kim Smith": "Print the most likely labels of two texts",
    "charrnn classify -m names.npz - < list.txt": "Classify each line of a file",
    "charrnn eval": "Score model.npz on its validation split",
    "charrnn eval new.txt -m model.npz -m lstm.npz": "Compare two models on a new text",
    "charrnn eval --baselines": "Compare with n-grams and xz, and suggest what to try next",
    "charrnn novelty sample.txt": "Compare a generated text with the training text",
    "charrnn novelty sample.txt --corpus corpus.txt": "Compare two texts without a model",
    "charrnn info -m lstm.npz": "Describe a model",
    "charrnn info --json": "Print the description as JSON",
    "charrnn see curve": "Plot the training in the terminal",
    "charrnn see curve -m model.npz -m lstm.npz -o curve.svg": "Draw two trainings to a file",
    "charrnn see gradients -m model.npz -m lstm.npz": "Compare how far gradients reach back in two models",
    "charrnn see gradients --untrained --scale 2": "Use random weights, the recurrent ones doubled",
    "charrnn see memory": "Plot the loss with a limited context",
    "charrnn see memory new.txt --chars 1000": "Use the first 1,000 characters of a text",
    "charrnn see neurons --find": "Rank units by how well they predict the probes",
    "charrnn see neurons new.txt --unit 3 -o unit.html": "Colour a text by the activation of a unit",
    "charrnn see surprise --worst 5": "Show the five most surprising lines",
    "charrnn see surprise new.txt -o surprise.html": "Draw a text with the predictions of the model",
    "charrnn see step": "Print a pass over 'abba', with random weights",
    "charrnn see step --cell gru --text hello --layers 2": "Choose the network and the text",
    "charrnn export page.html": "Write a page that runs model.npz in a browser",
    "charrnn export -m names.npz names.html --float32": "Keep the weights exact, so that seeds give the same text",
    "charrnn bench": "Measure several networks for about 30 seconds",
    "charrnn bench --cell gru --hidden-size 64 --seconds 5": "Measure one network",
    "charrnn help sample": "Show the help of charrnn sample",
    "charrnn help see gradients": "Show the help of a subcommand",
    'eval "$(charrnn completion bash)"': "Add this line to ~/.bashrc (zsh: with zsh to ~/.zshrc)",
    "charrnn completion fish > charrnn.fish": "Write a file for ~/.config/fish/completions",
}


def examples_of(path: str) -> dict[str, str]:
    """The examples of a command, such as "charrnn see curve"."""
    return {line: comment for line, comment in EXAMPLES.items() if f"{path} " in f"{line} ".replace(")", " ")}
