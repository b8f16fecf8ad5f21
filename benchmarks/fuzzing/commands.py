"""Which commands are run, how often, and over what."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from functools import partial
from typing import Final

import fuzz

from fuzzing import outside, trails
from fuzzing.arguments import VALUES, odd
from fuzzing.documents import HIDDEN_ANSWERS, broken, broken_copy, documents, file, file_of, hidden_answers
from fuzzing.fleets import fleet
from fuzzing.run import Run
from kms_constructs.runtime.trail.catalogue import reports

WEIGHTS: Final = {
    "check": 150, "check --baseline": 60, "check --config": 60, "check --scp": 50, "check --rcp": 30,
    "check fleet": 12, "explain": 70, "explain fleet": 2, "diff": 70, "diff fleet": 2, "baseline": 60,
    "baseline --update": 20, "audit": 100, "audit --against": 50, "audit --last-use": 20, "audit fleet": 2,
    "audit live": 6, "remediate": 60, "remediate --trail": 3, "config": 60, "guardrails": 15, "init": 25,
    "export schema": 4, "export catalog-schema": 4, "export config-schema": 4, "export monitoring": 8,
    "export scp": 10, "export rcp": 10, "material wrap": 40, "material upload": 40, "material import": 15,
    "material rotate": 15, "material delete": 8, "material status": 10, "material parameters": 10,
    "verify-sharing": 30, "trail ingest": 40, "trail report": 8, "trail detect": 5, "trail access": 4,
    "trail least-privilege": 4, "trail impact": 4, "trail sample": 2,
}  # fmt: skip
"""Every command, in its ways, and how often it is run."""
_FORMATS: Final = {
    "check": ("json", "json", "table", "sarif", "junit", "csv", "markdown", "github", "gitlab", "html"),
    "explain": ("json", "table", "markdown", "html"),
    "diff": ("json", "table", "markdown"),
    "audit": ("json", "json", "table", "markdown", "asff", "ocsf", "inventory", "html"),
    "remediate": ("json", "table"),
    "config": ("json", "table"),
    "guardrails": ("json", "table", "markdown"),
    "verify-sharing": ("json", "table"),
    "trail report": ("json", "table", "csv", "html"),
    "trail detect": ("json", "table", "csv"),
    "trail access": ("json", "table", "csv"),
    "trail impact": ("json", "table", "csv"),
    "trail least-privilege": ("json", "diff"),
}
_TEMPLATES: Final = ("template", "template", "policy", "plan")
_READING: Final = {
    "--baseline": "baseline",
    "--config": "config",
    "--scp": "organization",
    "--rcp": "organization",
    "--against": "template",
    "--last-use": "last-use",
}
_CALLED: Final = {"template": "Key", "policy": "a.json", "plan": "aws_kms_key.k", "answers": "alias/orders"}
"""What a key is called in a document of each kind."""
ODD: Final = 0.2
"""How many runs have odd options."""


def command_of(name: str) -> str:
    """The command of a way: without its options and what it is run over."""
    words = name.split()
    return " ".join(words[:2] if words[0] in ("export", "material", "trail") else words[:1])


def run_of(seed: int, number: int) -> Run:
    """The run of a number."""
    dice = random.Random(f"commands:{seed}:{number}")  # noqa: S311 - repeatable on purpose
    name = dice.choices(tuple(WEIGHTS), tuple(WEIGHTS.values()))[0]
    if number % 5 == 0 and name in ("check", "audit", "check fleet"):
        return _blind(name, dice)
    command = command_of(name)
    run = _MAKE.get(command, _over_files)(name, dice, f"{seed}:{number}")
    forms = _FORMATS.get(command, ())
    more = ("-f", dice.choice(forms)) if forms and not run.alike else ()
    if dice.random() < ODD and not run.alike:
        more += odd(command, dice)
    replaced = {**vars(run), "arguments": (*run.arguments, *more)}
    if {"--into", "--format"} & set(more):
        replaced["accounting"] = None  # it is told elsewhere, or of a store elsewhere
    return Run(**replaced)


def _over_files(name: str, dice: random.Random, _: str) -> Run:
    """Commands over documents."""
    first, _, option = name.partition(" ")
    kind = {"audit": "answers", "remediate": "answers", "config": "config"}.get(first) or dice.choice(
        _TEMPLATES
    )
    if option == "fleet":
        return _over_fleet(first, dice)
    if option == "live":
        return _live(dice)
    path, content, refused = file("a", kind, dice)
    files = {path: content}
    words: tuple[str, ...] = {
        "audit": ("audit", "--offline", path),
        "remediate": ("remediate", "--plan", path),
        "config": ("config", "--config", path),
        "baseline": ("baseline", path, "-o", "out.json", "--force"),
    }.get(first, (first, path))
    if option == "--update":
        files["out.json"], words = (
            file("b", "baseline", dice)[1],
            ("baseline", path, "-o", "out.json", option),
        )
    elif option == "--trail":
        trail, before = _trail(dice)
        return Run((*words, option, trails.STORE), {**files, **trail}, refused, before=before, asks=True)
    elif option:
        other, more, refused_too = file("b", _READING[option], dice)
        files[other], words = more, (*words, option, other)
        refused = refused or refused_too
    elif first == "diff":
        other, more, refused_too = file("b", dice.choice((kind, kind, "answers")), dice)
        files[other], words = more, (*words, other)
        refused = refused or refused_too
    return Run(words, files, refused and first != "config", asks=first == "remediate")


def _live(dice: random.Random) -> Run:
    """An audit that asks AWS, which nobody answers."""
    words = ["audit"]
    for option in ("--profile", "--role-arn", "--accounts", "--region", "--save", "--resume"):
        if dice.random() < 0.3:
            words += (option, dice.choice(VALUES))
    return Run(tuple(words), {"a.json": dice.choice((b"", b"{}", b"[1]\n", b"\xff"))})


def _over_fleet(first: str, dice: random.Random) -> Run:
    kind = "answers" if first == "audit" else dice.choice(("template", "template", "plan"))
    path, content, _ = file_of("a", fleet(kind, dice), kind, dice)
    if first == "diff":
        other, more, _ = file_of("b", fleet(kind, dice), kind, dice)
        return Run((first, path, other), {path: content, other: more})
    words = ("audit", "--offline", path) if first == "audit" else (first, path)
    files = {path: content}
    if first == "check" and dice.random() < 0.3:
        option = dice.choice(("--config", "--scp"))
        other, files_too, _ = file("b", _READING[option], dice)
        files[other], words = files_too, (*words, option, other)
    if first == "explain":
        return Run(words, files)
    return Run((*words, "--all", "-f", "json"), files, alike=True)


def _trail(dice: random.Random) -> tuple[dict[str, bytes], tuple[tuple[str, ...], ...]]:
    """A store, or logs that make one before."""
    if dice.random() < 0.5:
        return trails.store(dice), ()
    return trails.logs(dice), (_INGEST,)


_INGEST: Final = ("trail", "ingest", trails.LOGS, "--into", trails.STORE, "--max-file-size", "2M")


def _ingest(name: str, dice: random.Random, _: str) -> Run:
    files = trails.logs(dice)
    source = (trails.LOGS,) if dice.random() < 0.7 else tuple(files)
    words = ("trail", "ingest", *source, *_INGEST[3:], "-f", "json")
    chance = dice.random()
    if chance < 0.1:
        return Run(words, {**files, **trails.store(dice)}, before=(), accounting=None)
    return Run(words, files, before=(_INGEST,) if chance < 0.2 else (), accounting=trails.accounting)


def _over_trail(name: str, dice: random.Random, _: str) -> Run:
    trail, before = _trail(dice)
    place = trails.STORE
    if name == "trail report" and dice.random() < 0.15:
        trail, before, place = trails.logs(dice), (), trails.LOGS
    words = (*name.split(), place)
    if name == "trail report":
        if dice.random() < 0.9:
            words += ("--report", dice.choice(tuple(reports())))
        return Run(words, trail, before=before)
    if name == "trail detect" and dice.random() < 0.5:
        return Run(words, trail, before=before)
    kind = dice.choice(tuple(_CALLED))
    document = broken_copy(documents()[kind][0], dice, (0, 0, 1, 2))
    path, content, refused = file_of("a", document, kind, dice)
    words += ("--against", path)
    if dice.random() < 0.7:
        words += (
            "--key-map",
            f"{trails.KEY}={_CALLED[kind] if dice.random() < 0.9 else dice.choice(VALUES)}",
        )
    return Run(words, {**trail, path: content}, refused, before=before)


def _sample(name: str, dice: random.Random, _: str) -> Run:
    return Run(
        ("trail", "sample", "--into", dice.choice(("s", "s/t")), "--events", "2000", "--days", "6"), {}
    )


def _export(name: str, dice: random.Random, _: str) -> Run:
    return Run(tuple(name.split()), {})


def _guardrails(name: str, dice: random.Random, _: str) -> Run:
    return Run(("guardrails", *(dice.choice(VALUES) for _ in range(dice.choice((0, 1, 2))))), {})


def _init(name: str, dice: random.Random, _: str) -> Run:
    files = {}
    place = dice.choice((".", "app", *VALUES)) if dice.random() < 0.5 else "app"
    if dice.random() < 0.7:
        document = {"tool": {dice.choice(("kms-constructs", "other")): broken("config", dice)}}
        files["app/pyproject.toml"] = file_of("p", document, "config", dice)[1]
    if dice.random() < 0.1:
        files["app/cdk.json"] = b"{}"
    return Run(("init", place, *(("--force",) if dice.random() < 0.8 else ())), files)


def _material(name: str, dice: random.Random, number: str) -> Run:
    words = tuple(name.split())
    answers = partial(outside.kms, number)
    kind = {"wrap": "parameters", "upload": "wrapped"}.get(words[1])
    material = dice.choice((
        ("--generate", "--discard"), ("--generate", "--discard"), ("--generate", "--save", "kept.key"),
        ("--from-file", "raw.key"), ("--from-file", "raw.key"),
        ("--from-file", "raw.key", "--encoding", dice.choice(("hex", "base64"))), (),
    ))  # fmt: skip
    raw = dice.randbytes(dice.choice((0, 2, 32, 32, 32, 32, 33)))
    files = {
        "raw.key": dice.choice((raw, raw.hex().encode(), raw.hex().encode() + b"\n", b"-----BEGIN PRIVATE"))
    }
    if kind is None:
        key = dice.choice((*[outside.KEY_ARN] * 6, "alias/orders", dice.choice(VALUES)))
        words += (key,) if words[1] in ("status", "delete", "parameters") else (key, *material)
        if words[1] in ("import", "rotate") and dice.random() < 0.6:
            words += ("--never-expires",)
        if words[1] == "delete":
            words += ("--confirm", outside.KEY_ARN.rpartition("/")[2])
        return Run(words, files, outside=answers)
    path, content, refused = file_of("a", broken(kind, dice, (0, 0, 1, 1, 2)), kind, dice)
    files[path] = content
    if words[1] == "upload":
        words += (path, *(("--never-expires",) if dice.random() < 0.6 else ()))
        return Run(words, files, refused, outside=answers)
    return Run((*words, path, *material, "-o", "out.json"), files, refused)


def _sharing(name: str, dice: random.Random, number: str) -> Run:
    profile = dice.choice(("data", "data", "data", "odd"))
    words = ["verify-sharing", "--source-profile", "data", "--target-profile", profile, "--bucket", "shared",
             "--key", outside.KEY if dice.random() < 0.9 else dice.choice(VALUES)]  # fmt: skip
    if dice.random() < 0.7:
        words += ("--outsider-profile", "sandbox")
    if dice.random() < 0.3:
        words += ("--encryption-context", dice.choice(VALUES))
    if dice.random() < 0.9:
        words.append("--yes")
    return Run(tuple(words), {}, outside=partial(outside.sharing, number), asks=True)


def _blind(name: str, dice: random.Random) -> Run:
    """A run in which something that guardrails read is hidden from them."""
    if name == "audit":
        operation, answers = dice.choice(hidden_answers())
        text = json.dumps(answers).encode()
        words = ("audit", "--offline", "a.json", "--all", "-f", "json")
        return Run(words, {"a.json": text}, hidden=HIDDEN_ANSWERS[operation])
    document = (
        fleet("template", dice, (0, 1)) if name == "check fleet" else broken("template", dice, (0, 1, 2))
    )
    hidden = fuzz._blind(document, dice)
    content = json.dumps(document).encode("utf-8")
    return Run(
        ("check", "a.json", "--all", "-f", "json"),
        {"a.json": content},
        hidden=() if hidden is None else fuzz._READS[hidden[1]],
        hidden_of=None if hidden is None else hidden[0],
    )


_MAKE: Final[dict[str, Callable[[str, random.Random, str], Run]]] = {
    "guardrails": _guardrails, "init": _init, "verify-sharing": _sharing,
    "trail ingest": _ingest, "trail sample": _sample,
    **dict.fromkeys((name for name in WEIGHTS if name.startswith("export ")), _export),
    **dict.fromkeys((name for name in WEIGHTS if name.startswith("material ")), _material),
    **dict.fromkeys((name for name in WEIGHTS if name.startswith("trail ") and name not in
                     ("trail ingest", "trail sample")), _over_trail),
}  # fmt: skip
