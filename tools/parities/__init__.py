"""The comparisons that `tools/parity.py` knows, one file per family.

A comparison is a function of a `common.Fixture` that builds the network or method the fixture's meta names, runs
it on the recorded weights and inputs, and returns a list of `common.Pair`: our array beside the recorded one.
"""
