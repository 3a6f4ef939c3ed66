"""Write environment.yml from requirements.txt: conda users get the same versions."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HEADER = """\
# Made from requirements.txt by `make lock`. After creating and activating it:
#   pip install --no-deps --no-build-isolation -e .
name: nws
channels:
  - conda-forge
dependencies:
  - python=3.12
  - pip
  - pip:
"""


def pins(requirements: str) -> list[str]:
    """The ``package==version ; marker`` lines, without their hashes."""
    found = re.findall(r"^([a-z0-9].*?) *\\?$", requirements, flags=re.MULTILINE)
    return [re.sub(r" +", " ", pin) for pin in found]


def environment(requirements: str) -> str:
    """The text of environment.yml, from that of requirements.txt."""
    return HEADER + "".join(f'      - "{pin}"\n' for pin in pins(requirements))


if __name__ == "__main__":
    (ROOT / "environment.yml").write_text(environment((ROOT / "requirements.txt").read_text()))
