"""Reading in streams: every target once, in groups of streams, across windows, and from the start of each file."""

import numpy as np
import pytest

from charrnn.evaluation.scan import STREAMS, cut, scan
from charrnn.nn.fast.network import Network
from charrnn.text.corpus import Corpus, Segment
from tests.sampling.test_sample import model_of

TEXT = "the cat sat on the mat\n" * 12


@pytest.mark.parametrize("newline", [True, False])
@pytest.mark.parametrize("steps", [1, 2, 64])
def test_logits_and_targets_of_many_short_files(newline: bool, steps: int) -> None:
    text = TEXT if newline else TEXT.replace("\n", " ")
    model = model_of(text)
    ids, first = Corpus.from_text(text, vocab=model.vocab).ids[:], model.vocab.newline
    files = ids.reshape(-1, 4).T.astype(np.intp)
    assert files.shape[1] > STREAMS
    read = files if first is None else np.concatenate([np.full((1, files.shape[1]), first), files])
    expected = Network(model.config, model.params, len(read), files.shape[1]).forward(read)[:-1]
    if first is None:
        expected = np.concatenate([np.broadcast_to(model.params["by"], expected[:1].shape), expected])
    network = Network(model.config, model.params, steps, STREAMS)
    segments = [Segment(begin, begin, begin + 4) for begin in range(0, len(ids), 4)]
    seen: list[int] = []
    for logits, targets, places in scan(network, ids, cut(segments, first)):
        np.testing.assert_array_equal(targets, ids[places])
        np.testing.assert_allclose(logits, expected[places % 4, places // 4], rtol=1e-4, atol=1e-5)
        seen += places.tolist()
    assert sorted(seen) == list(range(len(ids)))
