"""Stress tests: crashes, faults and bad input, run by `make torture`. Each file is one part, with `COUNT` and `run`."""
