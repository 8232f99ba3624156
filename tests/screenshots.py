"""``python -m tests.screenshots`` makes the pictures of the docs from the demo, with Chromium."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tracemap.demo import demo

IMAGES = Path(__file__).parents[1] / "docs" / "images"
WIDTH, HEIGHT = 1200, 900


def main() -> None:
    """Run the demo and take the first screen of each report."""
    IMAGES.mkdir(exist_ok=True)
    with TemporaryDirectory() as folder:
        for _, written in demo(Path(folder)):
            page = written[0]
            picture = IMAGES / f"{page.stem}.png"
            subprocess.run(
                [
                    *("chromium", "--headless", "--no-sandbox", "--disable-gpu"),
                    *("--no-first-run", "--disable-background-networking", "--hide-scrollbars"),
                    f"--user-data-dir={folder}/profile",
                    f"--window-size={WIDTH},{HEIGHT}",
                    "--virtual-time-budget=5000",
                    f"--screenshot={picture}",
                    page.resolve().as_uri(),
                ],
                check=True,
                capture_output=True,
                timeout=120,
            )
            sys.stdout.write(f"{picture}: {picture.stat().st_size:,} bytes\n")


if __name__ == "__main__":
    main()
