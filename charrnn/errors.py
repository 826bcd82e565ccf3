"""Errors that a user can cause; the message says in one sentence what happened, why, and what to do."""


class CharRNNError(Exception):
    """Base class of all errors that charrnn raises on purpose; the message is one sentence.

    Arguments in backquotes, such as `unit=byte`, become options on the command line: --unit byte.
    """

    exit_code = 1


class UsageError(CharRNNError):
    """An option outside its range, or options that contradict each other or the model file.

    `argument` is what the message names as Python does, such as top_k or unknown="skip"; the command line names its
    option instead.
    """

    exit_code = 2

    def __init__(self, message: str, argument: str = "") -> None:
        super().__init__(message)
        self.argument = argument


class TextError(CharRNNError):
    """A text that cannot be read, decoded, or used."""


class ModelFileError(CharRNNError):
    """A model file that is missing or damaged, has a newer format, or is not a model file."""


class DivergedError(CharRNNError):
    """The loss or the gradient is not finite."""


class WorkerError(CharRNNError):
    """A worker process could not be started, or died."""
