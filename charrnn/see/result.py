"""`Result`: what the results of `see` have in common."""

from typing import Any

from charrnn.checkpoint.notebook import text


class Result:
    """A notebook shows its figure, and the sentence that interprets it."""

    def as_dict(self) -> dict[str, Any]:
        """The JSON of a result that is one object."""
        raise NotImplementedError

    def figure(self) -> str:
        """The figure as HTML."""
        raise NotImplementedError

    def conclusion(self) -> str:
        """The sentence that interprets the figure."""
        raise NotImplementedError

    def _repr_html_(self) -> str:
        return self.figure() + text(self.conclusion())
