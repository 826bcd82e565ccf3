"""Continuations stay while what is written agrees with them."""

from charrnn.editor.predictions import Continuation
from charrnn.editor.suggestions import Suggestions


def suggesting(*texts: str) -> Suggestions:
    suggestions = Suggestions()
    suggestions.follow("The")
    suggestions.update([Continuation(text, 1.0) for text in texts])
    return suggestions


def test_pieces() -> None:
    suggestions = suggesting(" old fox\nran home")
    assert suggestions.piece("word") == " old"
    assert suggestions.piece("line") == " old fox"
    assert suggestions.piece("all") == " old fox\nran home"
    assert suggesting("\n\nNow then\n").piece("line") == "\n\nNow then"
    assert suggesting("\n").piece("word") == "\n"
    assert suggesting().piece("all") == ""


def test_what_agrees_keeps_its_rest() -> None:
    suggestions = suggesting(" fox said", " old man", " owl", " fox")
    suggestions.turn(3)
    assert suggestions.text == " fox"
    suggestions.turn(2)
    suggestions.follow("The o")
    assert suggestions.kept == ["ld man", "wl"]
    assert suggestions.text == "ld man"
    assert suggestions.items == []
    suggestions.follow("The ol")
    assert (suggestions.kept, suggestions.text) == (["d man"], "d man")
    suggestions.update([Continuation("d man and", 2.0), Continuation("d owl", 3.0)])
    suggestions.turn(-1)
    assert suggestions.text == "d owl"
    suggestions.follow("The ol")
    assert suggestions.text == "d owl"


def test_what_disagrees_goes() -> None:
    for before in ("The x", "Th", "A fox", ""):
        suggestions = suggesting(" fox", " owl")
        suggestions.turn()
        suggestions.follow(before)
        assert (suggestions.text, suggestions.kept, suggestions.chosen) == ("", [], 0)
    suggestions = suggesting(" fox")
    suggestions.follow("The fox")
    assert suggestions.texts == []


def test_others_are_wanted() -> None:
    suggestions = suggesting(" fox", " owl")
    suggestions.forget()
    assert suggestions.texts == []
    suggestions.turn()
    suggestions.update([])
    assert suggestions.text == ""
