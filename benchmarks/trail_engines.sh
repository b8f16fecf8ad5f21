#!/bin/sh
# Runs every report of `trail report` on every engine there is without an AWS account, and compares the rows:
# DuckDB, Sail (Spark Connect with workers), Athena's API in MiniStack; and has two parsers of Trino's read it.
# It makes the environments they need in DIRECTORY, from the package registries, and leaves them there.
#
#   benchmarks/trail_engines.sh [DIRECTORY]
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
there=${1:-"$here/.venv-engines"}
mkdir -p "$there/parser"

if [ ! -x "$there/bin/python" ]; then
  python3 -m venv "$there"
  "$there/bin/pip" --quiet install 'pysail>=0.7.2,<0.8' 'pyspark-client>=4.2,<5' 'trino-sql-validator>=0.23,<1'
fi
if [ ! -f "$there/parser/trino.cjs" ]; then
  cd "$there/parser"
  cat > parser.js <<'JS'
import { TrinoSQL } from "dt-sql-parser";
import { readFileSync } from "node:fs";
const found = new TrinoSQL().validate(readFileSync(0, "utf8"));
if (found.length) { console.error(JSON.stringify(found.slice(0, 3))); process.exit(1); }
JS
  # Node cannot load the parser as it is: its imports have no endings. A bundle can be.
  npm init --yes > /dev/null
  npm install --no-audit --no-fund --loglevel=error dt-sql-parser@4.5.1 esbuild@0.28
  npx esbuild parser.js --bundle --platform=node --format=cjs --log-level=error --outfile=trino.cjs
  printf '#!/bin/sh\nexec node "%s/parser/trino.cjs"\n' "$there" > trino
  chmod +x trino
fi
cd "$here"
TRAIL_SAIL_PYTHON="$there/bin/python" TRINO_VALIDATOR_PYTHON="$there/bin/python" TRINO_PARSER="$there/parser/trino" \
  python -m pytest -n 0 -rs tests/runtime/trail/test_engines.py
