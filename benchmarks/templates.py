"""What the commands take over templates, beside what lints and scans templates as well.

    python benchmarks/templates.py DIR [DIR ...]        # templates of your own, or of a public collection
    python benchmarks/templates.py --keys 1000          # templates of so many keys, as `guardrails.py` has
    python benchmarks/templates.py                      # 1,000 keys, and a small template as JSON and YAML

`check` and `explain` run over all templates together, then cfn-lint, cfn_nag and Checkov over the same files;
of Checkov the checks that it has on keys alone, and all that it has. A peer that is not found is left out and
said so. Each command is a process of its own, and its figures are those of the processes that it starts, too:
processor time, which other work on the machine hardly lengthens, and the most memory that one of them had.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent)]

import guardrails  # noqa: E402 - found beside this file

ACCOUNT: Final = "111122223333"
KEYS: Final = 1_000
HERE: Final = Path(sys.executable).parent
_MODULE: Final = "Rain::Module"
ENDINGS: Final = frozenset({".json", ".yaml", ".yml", ".template"})


OURS: Final = (0, 1, 2, 3)
"""Exit codes of our commands: 2 where some of many templates cannot be read."""


@dataclass(frozen=True, slots=True)
class Took:
    """What a command took.

    Args:
        seconds: Processor time.
        megabytes: The most memory of one process.
        code: Its exit code.
    """

    seconds: float
    megabytes: float
    code: int


@dataclass(frozen=True, slots=True)
class Peers:
    """Programs that do not come with the development environment; None for what is not here."""

    checkov: str | None
    cfn_nag: str | None


def took(*command: str) -> Took:
    """What a command took, and what it started."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = code = os.waitstatus_to_exitcode(status)
    return Took(used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, code)


def compare(title: str, files: Sequence[Path], peers: Peers, *, explain: bool) -> None:
    """Prints what each tool took over the files."""
    names = [str(one) for one in files]
    mine = ("--account", ACCOUNT, "--region", "eu-west-1")
    command = str(HERE / "kms-constructs")
    print(title)
    ours = took(command, "check", *names, *mine)
    _say("kms-constructs check", ours, ours, *OURS)
    if explain:
        _say("kms-constructs explain", took(command, "explain", *names, *mine), ours, *OURS)
    linter = shutil.which("cfn-lint", path=str(HERE)) or shutil.which("cfn-lint")
    if linter is None:
        print("  cfn-lint: not found")
    else:
        _say("cfn-lint", took(linter, "--non-zero-exit-code", "none", "--template", *names), ours, 0)
    with tempfile.TemporaryDirectory() as folder:  # what they are given one by one they read one by one
        for number, one in enumerate(files):
            shutil.copyfile(one, Path(folder) / f"{number}{one.suffix.replace('.template', '.json')}")
        if peers.cfn_nag is None:
            print("  cfn_nag: not found; name it with --cfn-nag or CFN_NAG")
        else:
            # It ends with the number of failures, and with 1 when it fails itself.
            _say("cfn_nag", took(peers.cfn_nag, "--input-path", folder), ours, 0, *range(2, 256))
        if peers.checkov is None:
            print("  checkov: not found; name it with --checkov or CHECKOV")
        else:
            scan = [peers.checkov, "-d", folder, "--framework", "cloudformation"]
            scan += ["--quiet", "--compact", "--skip-download"]
            _say("checkov, its checks on keys", took(*scan, "-c", guardrails.CHECKS), ours, 0, 1)
            _say("checkov", took(*scan), ours, 0, 1)


def _say(name: str, one: Took, ours: Took, *fine: int) -> None:
    """One line; a tool that ended otherwise than it does when it has looked at everything says nothing."""
    if one.code not in fine:
        print(f"  {name:30}ended with exit code {one.code}: left out", flush=True)
        return
    ratio = "" if one is ours else f"   check takes {ours.seconds / one.seconds:.3f} of it"
    print(f"  {name:30}{one.seconds:8.2f} CPU s{one.megabytes:8.0f} MB{ratio}", flush=True)


def templates_in(directories: Sequence[Path]) -> list[Path]:
    """The templates under directories: what has an ending of one, and speaks of resources.

    What another tool is to make a template of is none: Checkov ends with an error at such a file.
    """
    found = []
    for directory in directories:
        for file in sorted(directory.rglob("*")):
            text = file.read_text("utf-8", "replace") if file.suffix in ENDINGS and file.is_file() else ""
            if "AWS::" in text and _MODULE not in text:
                found.append(file)
    return found


def keys_of(number: int, folder: Path, peers: Peers) -> None:
    """Templates of so many keys."""
    folder.mkdir(exist_ok=True)
    guardrails.write_templates(folder, number)
    files = sorted(folder.iterdir())
    compare(f"{number:,} keys in {len(files)} templates", files, peers, explain=True)


def small(folder: Path, peers: Peers) -> None:
    """One template of one key, in both notations."""
    folder.mkdir()
    guardrails.write_templates(folder, 1)
    (as_json,) = folder.iterdir()
    as_yaml = as_json.with_suffix(".yaml")
    as_yaml.write_text(yaml.safe_dump(json.loads(as_json.read_text("utf-8"))), "utf-8")
    for title, file in (("one small template, JSON", as_json), ("one small template, YAML", as_yaml)):
        compare(title, [file], peers, explain=False)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("directories", nargs="*", type=Path, metavar="DIR")
    parser.add_argument("--keys", type=int, help="generate templates of so many keys")
    parser.add_argument("--checkov", default=os.environ.get("CHECKOV") or shutil.which("checkov"))
    parser.add_argument("--cfn-nag", default=os.environ.get("CFN_NAG") or shutil.which("cfn_nag_scan"))
    given = parser.parse_args()
    peers = Peers(given.checkov, given.cfn_nag)
    with tempfile.TemporaryDirectory() as folder:
        if given.directories:
            files = templates_in(given.directories)
            compare(f"{len(files)} templates", files, peers, explain=True)
        elif given.keys:
            keys_of(given.keys, Path(folder), peers)
        else:
            small(Path(folder, "small"), peers)
            keys_of(KEYS, Path(folder, "many"), peers)
    return 0


if __name__ == "__main__":
    sys.exit(main())
