# What every page of the documentation can count on. ROOT, TARGET, BINARY and PORT are set; the folder is the page's own.
set -euo pipefail
trap 'end' EXIT
SERVERS=()
export EINTHOVEN_SERVER=http://127.0.0.1:$PORT

end() {
  local code=$? server
  for server in "${SERVERS[@]}"; do kill -KILL "$server" 2>/dev/null || true; done
  if [ "$code" != 0 ]; then tail -n 20 serve-*.log 2>/dev/null || true; fi
  exit "$code"
}

# A server in the background, waited for; the page's port for the first one, a free one and a folder of its own for others.
serve() {
  local number=${#SERVERS[@]} listen=127.0.0.1:$PORT data=$PWD/data line
  local log=$PWD/serve-$number.log
  [ "$number" = 0 ] || { listen=127.0.0.1:0 data=$PWD/data-$number; }
  EINTHOVEN_LISTEN=$listen EINTHOVEN_DATA=${EINTHOVEN_DATA:-$data} \
    EINTHOVEN_OWNER_KEY=${EINTHOVEN_OWNER_KEY-} "$BINARY" serve "$@" >"$log" 2>&1 &
  SERVERS+=($!)
  until line=$(grep --max-count 1 --only-matching 'http://[^ ]*' "$log"); do
    kill -0 "${SERVERS[$number]}" 2>/dev/null || { cat "$log"; return 1; }
    sleep 0.05
  done
  LINK=$line
}

# The page's server, and its owner's key.
owner() {
  export EINTHOVEN_KEY
  EINTHOVEN_KEY=$(openssl rand -hex 32)
  EINTHOVEN_OWNER_KEY=$EINTHOVEN_KEY serve "$@"
}

einthoven() {
  if [ "$1" = serve ]; then shift; serve "$@"; else "$BINARY" "$@"; fi
}

cargo() {
  case "$*" in
    "run --release") serve ;;
    "run --release -- "*) shift 3; einthoven "$@" ;;
    *) command cargo "$@" ;;
  esac
}

# What is refused fails.
curl() {
  command curl --silent --show-error --fail-with-body "$@"
  echo
}

# Python with the client, as `cargo xtask sdk` makes it, and with MLflow, or another environment of `cargo xtask setup python`.
python() {
  PYTHONPATH=$TARGET/sdk/python:$(echo "$TARGET"/sdk-python/lib/python*/site-packages)${PYTORCH:+:$PYTORCH} \
    "$TARGET/${ENVIRONMENT:-mlflow-3}/bin/python" "$@"
}
python3() { python "$@"; }

# From here on Python has PyTorch, too.
pytorch() { PYTORCH=$TARGET/pytorch; }

# Node.js with a package of this repository, as `npm install` would bring it.
npm_package() {
  mkdir -p node_modules
  ln -s "$ROOT/clients/typescript" "node_modules/$1"
}
node() { command node --preserve-symlinks --preserve-symlinks-main "$@"; }

# A WFDB record of that name with reference beats: a minute of the MIT-BIH Arrhythmia Database.
recording() {
  local from=$ROOT/ecg/tests/fixtures/mitdb-excerpts/${2:-208x}
  sed "s/${from##*/}/$1/g" "$from.hea" >"$1.hea"
  cp "$from.dat" "$1.dat"
  cp "$from.atr" "$1.atr"
}

# A package of the model of rows, or of another one, unlike any before.
package() {
  local from=$ROOT/models/${2:-heartbeat-row}
  mkdir -p package
  cp "$from/golden.json" "$from/model.onnx" package/
  sed "1 a \"description\": \"$RANDOM$RANDOM\"," "$from/manifest.json" >package/manifest.json
  (cd package && zip "../$1" manifest.json golden.json model.onnx)
}

# A network that computes the same and is another file: a description more.
changed() {
  cat "$1"
  printf '\x32\x01x'
}

# What a change of a model is decided on.
etag() {
  command curl --silent --head --header "X-Api-Key: $EINTHOVEN_KEY" "$EINTHOVEN_SERVER/v1/models/$1" |
    sed -n 's/^etag: \(.*\)\r$/\1/Ip'
}

# Half a minute of one lead with a beat a second, of which the file says neither rate nor unit.
strip() {
  awk 'BEGIN { print "II"; for (i = 0; i < 7500; i++) { p = i % 250 / 250 - .5
    printf "%.4f\n", exp(-(p / .012) ^ 2) + .2 * exp(-((p - .25) / .05) ^ 2) } }' >strip.csv
}

zip() {
  "$TARGET/mlflow-3/bin/python" -m zipfile -c "$@"
}

# One MLflow for all pages, on MLFLOW_PORT; the runner ends it.
mlflow() {
  if command curl --silent --fail "http://127.0.0.1:$MLFLOW_PORT/health" >/dev/null; then return; fi
  # Of a process group of its own, with its workers.
  (
    cd "$MLFLOW_FOLDER"
    MLFLOW_DISABLE_TELEMETRY=true exec setsid "$TARGET/mlflow-3/bin/python" -m mlflow server --host 127.0.0.1 --workers 1 \
      --port "$MLFLOW_PORT" --serve-artifacts --backend-store-uri sqlite:///mlflow.db --artifacts-destination artifacts >log 2>&1
  ) &
  echo $! >"$MLFLOW_FOLDER/pid"
  until command curl --silent --fail "http://127.0.0.1:$MLFLOW_PORT/health" >/dev/null; do
    kill -0 "$(cat "$MLFLOW_FOLDER/pid")" || { cat "$MLFLOW_FOLDER/log"; return 1; }
    sleep 0.1
  done
}
export MLFLOW_DISABLE_TELEMETRY=true GIT_PYTHON_REFRESH=quiet
