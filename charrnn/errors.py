"""What a user can cause, each a sentence: what, where, what to do."""


class CharRNNError(Exception):
    """The parent of every error that charrnn raises on purpose; its text is one sentence for the user."""

    exit_code = 1


class UsageError(CharRNNError):
    """An option outside its range, or options that contradict each other or the model file."""

    exit_code = 2


class TextError(CharRNNError):
    """A text that cannot be read, decoded, or used."""


class ModelFileError(CharRNNError):
    """A model file that is missing, damaged, foreign or of a newer format."""


class DivergedError(CharRNNError):
    """The loss or a gradient is no longer a finite number."""


class WorkerError(CharRNNError):
    """A worker could not be started, or is gone."""
