"""Training steps of the systems in PyTorch, to measure gganjax against; PyTorch is needed here alone.

A module has `Trainer(method, shapes, width)`, whose `step(batch)` makes one update of every player of the gganjax method
of that name with its networks, terms, weights and order, and returns the generator's loss. Images are float32
[B, C, H, W] in [-1, 1]. Generator passes that several losses need are made once, as in gganjax.
"""
