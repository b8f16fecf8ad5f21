"""The reference application: hardened keys for a development and a production environment, and their use.

``cdk synth``, ``make synth`` and ``python app.py`` all write the same cloud assembly to ``cdk.out``. The CDK
context ``environment`` (``dev``, ``prod`` or ``all``) chooses what is in it.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import aws_cdk as cdk

from reference_app.application import build

HERE = Path(__file__).resolve().parent


def new_app(outdir: str) -> cdk.App:
    """An app with the settings of ``cdk.json``, also when the CDK CLI does not hand them over."""
    settings = json.loads((HERE / "cdk.json").read_text("utf-8"))
    return cdk.App(analytics_reporting=False, context=settings["context"], outdir=outdir)


def main() -> None:
    """Synthesizes what the context chooses."""
    app = new_app(os.environ.get("CDK_OUTDIR", str(HERE / "cdk.out")))
    build(app)
    app.synth()


if __name__ == "__main__":
    main()
