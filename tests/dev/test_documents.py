import re

from app.core.settings import Settings
from dev.data import REPOSITORY
from dev.environment import OVERRIDABLE

_VARIABLE = re.compile(r"^(?:# )?([A-Z][A-Z_]+)=", re.MULTILINE)


def test_the_example_environment_lists_every_variable_and_no_other():
    listed = _VARIABLE.findall((REPOSITORY / ".env.example").read_text())
    server = re.findall(r"environ\.get\(['\"](\w+)", (REPOSITORY / "gunicorn.conf.py").read_text())
    assert len(listed) == len(set(listed))
    assert set(listed) == {name.upper() for name in Settings.model_fields} | set(server)


def test_every_setting_is_either_made_here_or_taken_from_the_person():
    made = {"DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL"}
    assert set(OVERRIDABLE) | made == {name.upper() for name in Settings.model_fields}


def test_locked_requirements_are_hashed_and_name_no_index():
    for name in ("runtime.txt", "dev.txt"):
        text = (REPOSITORY / "requirements" / name).read_text()
        assert "://" not in text and "index" not in text and "find-links" not in text
        pins = re.findall(r"^[\w.-]+(?:\[\w+\])?==", text, re.MULTILINE)
        blocks = re.findall(
            r"^[\w.-]+(?:\[\w+\])?==\S+ \\\n    --hash=sha256:[0-9a-f]{64}", text, re.MULTILINE
        )
        assert pins and len(pins) == len(blocks)


def test_everything_asked_for_is_locked():
    for name in ("runtime", "dev"):
        asked = (REPOSITORY / "requirements" / f"{name}.in").read_text().splitlines()
        wanted = {
            line.partition("[")[0].lower() for line in asked if line and not line.startswith(("-", "#"))
        }
        text = (REPOSITORY / "requirements" / f"{name}.txt").read_text().lower()
        assert wanted <= set(re.findall(r"^([\w.-]+)==", text, re.MULTILINE)) | set(
            re.findall(r"^([\w.-]+)\[[\w,]+\]==", text, re.MULTILINE)
        )
