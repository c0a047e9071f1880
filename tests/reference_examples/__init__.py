"""The reference's code blocks, in its order: signatures, examples, and what the examples answer."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

TEXT = (Path(__file__).parent / "model_artifacts.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)


class Example(NamedTuple):
    """One method of the reference: its signature, its example, and the answer shown for it, if any."""

    mode: str
    method: str
    signature: str
    code: str
    answer: str


def examples() -> list[Example]:
    """Every method of both kinds."""
    found: list[Example] = []
    mode = ""
    for block in BLOCKS:
        if block.startswith("class "):
            mode = "async" if block.startswith("class Async") else "sync"
        elif block.startswith("@validate_collection"):
            name = re.search(r"def (\w+)\(", block)
            assert name
            found.append(Example(mode, name[1], block.removeprefix("@validate_collection\n"), "", ""))
        else:
            field = "code" if "LumlClient(" in block else "answer"
            assert not getattr(found[-1], field), "a method has one example and one answer"
            found[-1] = found[-1]._replace(**{field: block})
    return found
