"""A synthetic trail in files, as CloudTrail puts them into a bucket.

See: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/get-and-view-cloudtrail-log-files.html
"""

from __future__ import annotations

import gzip
import random
from pathlib import Path

from kms_constructs.detections.synthetic.trail import Line, SyntheticTrail

RECORDS_A_FILE = 5000
"""About what CloudTrail puts into one file when there is much to tell."""

_PACKING = 3  # a third of the time of 9, for files a tenth larger


def write_trail(trail: SyntheticTrail, into: Path, *, records_a_file: int = RECORDS_A_FILE) -> list[Path]:
    """Writes the log files of a trail below ``AWSLogs/``; memory does not grow with their number.

    Args:
        trail: The trail.
        into: Directory for ``AWSLogs``; made when it is not there.
        records_a_file: At most as many, 1 or more. A file holds records of one account, Region and day.

    Returns:
        The files, in the order in which they were written. The same trail makes the same, to the byte.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> from kms_constructs.detections.synthetic.world import TrailOptions
        >>> with TemporaryDirectory() as into:
        ...     written = write_trail(SyntheticTrail(TrailOptions(events=10, incidents=False)), Path(into))
        ...     written[0].relative_to(into).parts[:3]
        ('AWSLogs', '111122223333', 'CloudTrail')
    """
    rng = random.Random(trail.options.seed)  # noqa: S311 - names of files, no secret
    waiting: dict[tuple[str, str], list[Line]] = {}
    written = []
    for line in trail.lines():
        place = line.account, line.region
        lines = waiting.setdefault(place, [])
        if lines and (len(lines) >= records_a_file or lines[0].time[:10] != line.time[:10]):
            written.append(_write(lines, into, rng))
            lines.clear()
        lines.append(line)
    written += [_write(lines, into, rng) for lines in waiting.values() if lines]
    return written


def _write(lines: list[Line], into: Path, rng: random.Random) -> Path:
    first, last = lines[0], lines[-1]
    year, month, day = first.time[:10].split("-")
    folder = into / "AWSLogs" / first.account / "CloudTrail" / first.region / year / month / day
    folder.mkdir(parents=True, exist_ok=True)
    delivered = f"{year}{month}{day}T{last.time[11:13]}{last.time[14:16]}Z"
    name = f"{first.account}_CloudTrail_{first.region}_{delivered}_{_letters(rng)}.json.gz"
    path = folder / name
    text = f'{{"Records":[{",".join(line.text for line in lines)}]}}'
    # Without a time, so that the same records are the same file.
    path.write_bytes(gzip.compress(text.encode(), compresslevel=_PACKING, mtime=0))
    return path


def _letters(rng: random.Random) -> str:
    return "".join(rng.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", k=16))
