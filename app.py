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


def new_app(outdir: str, **context: str) -> cdk.App:
    """An app with the settings of ``cdk.json``, also when there is no CDK CLI to hand them over.

    Args:
        outdir: Where the cloud assembly goes.
        context: CDK context that wins over ``cdk.json``. What the CLI was told with ``-c`` wins over both.
    """
    settings = json.loads((HERE / "cdk.json").read_text("utf-8"))
    defaults = {
        **settings["context"],
        # The CLI switches construct paths in templates on, and findings name resources by them.
        "aws:cdk:enable-path-metadata": True,
        # A trace ends in the one line of jsii's program.js, which the CLI would print above a message.
        "aws:cdk:disable-stack-trace": True,
    }
    return cdk.App(analytics_reporting=False, context={**defaults, **context}, outdir=outdir)


def main() -> None:
    """Synthesizes what the context chooses."""
    app = new_app(os.environ.get("CDK_OUTDIR", str(HERE / "cdk.out")))
    build(app)
    app.synth()


if __name__ == "__main__":
    main()
