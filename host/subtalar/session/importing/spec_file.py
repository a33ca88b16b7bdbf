"""Files in which a user describes a session."""

import json
import tomllib
from pathlib import Path
from typing import Any

from subtalar.errors import InputError


def read_json_object(path: Path, where: str) -> dict[str, Any]:
    """A JSON file whose top level is an object. Raises InputError where it is not."""
    try:
        value = json.loads(path.read_bytes())
    except OSError as error:
        raise InputError(f"{where} cannot be read ({error.strerror}).") from error
    except json.JSONDecodeError as error:
        raise InputError(f"{where} is not valid JSON (line {error.lineno}: {error.msg}): correct it there.") from error
    except (ValueError, RecursionError) as error:  # not text, brackets without end, a number of thousands of digits
        raise InputError(f"{where} is not valid JSON: it is not readable text; copy it again.") from error
    if not isinstance(value, dict):
        raise InputError(f"{where} must hold a JSON object in braces.")
    return value


def read_toml(path: Path, where: str) -> dict[str, Any]:
    """A TOML file. Raises InputError where it is not one."""
    try:
        return tomllib.loads(path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n"))
    except OSError as error:
        raise InputError(f"{where} cannot be read ({error.strerror}).") from error
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{where} is not valid TOML ({error}): correct it there.") from error
    except (ValueError, RecursionError) as error:  # not text, or brackets without end
        raise InputError(f"{where} is not valid TOML: it is not readable text; copy it again.") from error
