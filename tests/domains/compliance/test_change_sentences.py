"""What the audit trail says about a person, in words."""

import pytest

from app.domains.compliance.rules import change_sentence


@pytest.mark.parametrize(
    ("action", "after", "sentence"),
    [
        ("member.status", {"status": "blocked"}, "Blocked by your team"),
        ("member.status", {"status": "active"}, "Let take part again"),
        ("member.birthday", {"known": True}, "Birthday changed"),
        ("points.adjusted", {"points": -50, "reason": "x"}, "Points adjusted by -50"),
        ("member.merged", None, "Merged with another member"),
        ("member.tagged", {"tags": ["vip", "gold", "early"]}, "Tags added: vip, gold, and early"),
        ("something.new", {"a": 1}, "Changed: something.new"),
    ],
)
def test_sentences(action: str, after: dict[str, object] | None, sentence: str) -> None:
    marked, data = change_sentence(action, after, "en")
    assert marked.format(**data) == sentence
