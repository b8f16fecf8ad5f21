"""What pages share: their files, and the environment that escapes everything put into them."""

from __future__ import annotations

import base64
import hashlib
from functools import lru_cache
from importlib import resources

from jinja2 import Environment, StrictUndefined, Template


@lru_cache(maxsize=8)
def data(name: str) -> str:
    """A file of ``reports/data``."""
    return resources.files("kms_constructs.reports").joinpath(f"data/{name}").read_text("utf-8")


@lru_cache(maxsize=4)
def template(name: str) -> Template:
    """A template of ``reports/data``. It escapes what is put into it, and fails on what is not there."""
    return Environment(autoescape=True, undefined=StrictUndefined).from_string(data(name))


def hash_of(text: str) -> str:
    """What a content security policy calls a style or script by."""
    return base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
