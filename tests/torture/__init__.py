"""What a long life does to a program, in an hour: `make torture`. One file a part, each with `COUNT` and `run`."""
