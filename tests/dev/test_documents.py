import re
from importlib.metadata import distribution

from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

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


def test_the_lock_is_complete_for_every_python_and_machine_we_support():
    text = (REPOSITORY / "requirements" / "dev.txt").read_text()
    locked = {
        canonicalize_name(name) for name in re.findall(r"^([\w.-]+)(?:\[[\w,]+\])?==", text, re.MULTILINE)
    }
    missing = {
        f"{name} wants {needed}"
        for name in sorted(locked - {"pip", "setuptools"})
        for needed in map(Requirement, distribution(name).requires or ())
        if canonicalize_name(needed.name) not in locked
        and any(needed.marker is None or needed.marker.evaluate(machine) for machine in machines())
    }
    assert missing == set()


def machines() -> list[dict[str, str]]:
    systems = (("linux", "Linux", "x86_64"), ("linux", "Linux", "aarch64"), ("darwin", "Darwin", "arm64"))
    here = {name: str(value) for name, value in default_environment().items()}
    return [
        {
            **here,
            "python_full_version": version,
            "implementation_version": version,
            "python_version": version.rpartition(".")[0],
            "sys_platform": platform,
            "platform_system": system,
            "platform_machine": machine,
            "extra": "",
        }
        for version in ("3.11.0", "3.11.2", "3.11.9", "3.12.3", "3.13.1", "3.14.0")
        for platform, system, machine in systems
    ]
