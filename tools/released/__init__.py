"""The methods whose networks were released in PyTorch, one file per family.

Each file's RELEASES holds a `common.Release` for every method of the family, by the method's name.
"""
