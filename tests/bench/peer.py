"""The peer for comparison: a typical implementation of the same language model in PyTorch, on the CPU.

    python tests/bench/peer.py train  --cell lstm --layers 2 --hidden-size 128 --batch-size 50 --seq-length 50
    python tests/bench/peer.py sample --cell lstm --layers 2 --hidden-size 128

Prints one JSON object with the throughput in characters per second (training: median over the steps). Requires
PyTorch, in a separate environment.
"""

import argparse
import json
import statistics
import time

import torch
from torch import nn
from torch.nn import functional as F

SYMBOLS = 65


class CharLM(nn.Module):
    def __init__(self, cell, hidden_size, layers, inputs):
        super().__init__()
        self.embed = nn.Embedding(SYMBOLS, hidden_size) if inputs == "embedding" else None
        width = hidden_size if self.embed is not None else SYMBOLS
        self.rnn = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}[cell](width, hidden_size, layers)
        self.out = nn.Linear(hidden_size, SYMBOLS)

    def forward(self, ids, state):
        x = self.embed(ids) if self.embed is not None else F.one_hot(ids, SYMBOLS).float()
        y, state = self.rnn(x, state)
        return self.out(y), state


def detached(state):
    return tuple(s.detach() for s in state) if isinstance(state, tuple) else state.detach()


def train(model, batch_size, seq_length, seconds):
    rows = 1_000_000 // batch_size
    streams = torch.randint(SYMBOLS, (rows, batch_size))
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    state, times, step, end = None, [], 0, time.perf_counter() + seconds
    while time.perf_counter() < end or step < 3:
        i = step * seq_length % (rows - seq_length - 1)
        x, y = streams[i : i + seq_length], streams[i + 1 : i + seq_length + 1]
        start = time.perf_counter()
        optimizer.zero_grad()
        logits, state = model(x, state)
        state = detached(state)
        F.cross_entropy(logits.flatten(0, 1), y.flatten()).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        times.append(time.perf_counter() - start)
        step += 1
    return batch_size * seq_length / statistics.median(times[min(5, len(times) // 4) :])


@torch.inference_mode()
def sample(model, seconds):
    x, state, written, start = torch.zeros(1, 1, dtype=torch.long), None, 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        logits, state = model(x, state)
        x = torch.multinomial(torch.softmax(logits[0, 0] / 0.8, -1), 1).view(1, 1)
        written += 1
    return written / (time.perf_counter() - start)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["train", "sample"])
    parser.add_argument("--cell", default="lstm", choices=["lstm", "gru", "rnn"])
    parser.add_argument("--inputs", default="onehot", choices=["onehot", "embedding"])
    for name, value in (("layers", 2), ("hidden-size", 128), ("batch-size", 50), ("seq-length", 50), ("threads", 2)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--seconds", type=float, default=10.0)
    a = parser.parse_args()
    torch.set_num_threads(a.threads)
    torch.manual_seed(0)
    model = CharLM(a.cell, a.hidden_size, a.layers, a.inputs)
    training = a.what == "train"
    rate = train(model, a.batch_size, a.seq_length, a.seconds) if training else sample(model.eval(), a.seconds)
    print(json.dumps({**vars(a), "chars_per_second": round(rate)}))


if __name__ == "__main__":
    main()
