"""The lines below the page: how the text stands, and what the writer should know."""

from charrnn.writing.document import HAND, MODEL, Document


def standing(document: Document, temp: float) -> str:
    """The temperature, how long the text is, how much of what was written is the writer's own, the branches."""
    mine, its = document.authors.count(HAND), document.authors.count(MODEL)
    leaves = sum(not node.children for node in document.nodes)
    parts = [f"temp {temp:g}", f"{len(document.text):,} characters"]
    if its:
        parts.append(f"{mine / (mine + its):.0%} typed")
    if leaves > 1:
        parts.append(f"{leaves} branches")
    return " · ".join(parts)


def noted(missing: list[str], *notes: str) -> str:
    """These notes, and what the model has never seen of the text before the cursor."""
    parts = [note for note in notes if note]
    if missing:
        more = f" and {len(missing) - 2} more" if len(missing) > 2 else ""
        parts.append(f"the model has never seen {', '.join(map(repr, missing[:2]))}{more} and reads on without it")
    return " · ".join(parts)
