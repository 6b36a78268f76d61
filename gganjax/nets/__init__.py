"""Networks of the papers, one file a family. They take numbers and strings, never a config."""
