"""The one command: `python -m experiments.run --config=experiments/gesturegan.py[:variant] [--mode=train] [...]`.

Nothing here is worth importing. Exit status: 0 done, 1 a loss that is not finite, 2 bad input (one sentence, no
traceback), 130 or 143 stopped by Ctrl-C or SIGTERM after saving (the same command continues).
"""

import sys

from gganjax import command, platform
from gganjax.errors import InputError


def main(argv: list[str]) -> int:
    """Run one command line; returns the exit status."""
    try:
        asked = command.parse(argv)
        platform.prepare(compilation_cache=asked.flags["compilation_cache"])
        from gganjax import modes  # imports jax, which the checks above do not need

        return modes.run(asked)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except FloatingPointError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:  # before training began, or for the second time
        print("stopped at once; the last checkpoint stays", file=sys.stderr)
        return 130


if __name__ == "__main__":
    command.show_messages()
    sys.exit(main(sys.argv))
