"""``python -m tracemap.simulate FOLDER`` makes the sample traces."""

from __future__ import annotations

import argparse
from pathlib import Path

from tracemap.simulate.samples import write_samples


def main() -> None:
    """Write the sample traces into the folder named on the command line."""
    parser = argparse.ArgumentParser(prog="python -m tracemap.simulate", description=__doc__)
    parser.add_argument("folder", type=Path, help="where to write, for instance sample_traces")
    write_samples(parser.parse_args().folder)


if __name__ == "__main__":
    main()
