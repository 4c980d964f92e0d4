"""Every GraphQL operation as a file: `order_snapshot.graphql` holds `query OrderSnapshot`.

Comment lines before the operation explain it; lines `# vars: {...}` are sample variables that the tests coerce against
the schema. The files are read once, at import, and sent without their comments.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

_HEAD = re.compile(r"^(query|mutation)\s+([A-Za-z]\w*)", re.MULTILINE)


@dataclass(frozen=True)
class Operation:
    """One operation as it is sent."""

    name: str
    kind: Literal["query", "mutation"]
    text: str


def _read(path: Path) -> Operation:
    source = path.read_text(encoding="utf-8")
    text = "\n".join(line for line in source.splitlines() if not line.startswith("#")).strip()
    heads = _HEAD.findall(text)
    if len(heads) != 1:
        raise ValueError(f"{path.name} must hold exactly one named operation")
    kind, name = heads[0]
    return Operation(name, cast(Literal["query", "mutation"], kind), text)


FOLDER = Path(__file__).parent
OPERATIONS = {operation.name: operation for operation in map(_read, sorted(FOLDER.glob("*.graphql")))}
