#!/bin/sh
# Sample logs, training, a server and a request over gRPC; the server is
# stopped whatever happens. `demo.sh DIR` keeps everything in DIR.
set -eu
cd "$(dirname "$0")/.."
python=$(pwd)/.venv/bin/python
folder=${1:-runs/demo}
rm -rf "$folder"
mkdir -p "$folder"
cd "$folder" # away from the sources: what runs is the installed package

server=
stop() {
    status=$?
    trap - EXIT
    if [ -n "$server" ]; then
        kill "$server" 2>/dev/null || true
        wait "$server" 2>/dev/null || true
    fi
    exit "$status"
}
trap stop EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

say() { printf '\n== %s\n' "$*"; }

# Waits for the server's line "Serving ... on HOST:PORT, ready ..." and prints
# the port; fails when the server has ended or two minutes have passed.
port_of_server() {
    seconds=0
    while [ "$seconds" -lt 120 ]; do
        port=$(sed -n 's/^Serving .*:\([0-9][0-9]*\), ready.*/\1/p' server.log)
        if [ -n "$port" ]; then
            printf '%s\n' "$port"
            return
        fi
        kill -0 "$server" 2>/dev/null || break
        sleep 1
        seconds=$((seconds + 1))
    done
    cat server.log >&2
    return 1
}

say "1. Sample logs with planted interests (see $folder/logs)"
"$python" -I -m trainer.sample logs --users 2000 --items 500 --seed 0

say "2. Training, evaluation and export"
"$python" -I -m trainer.task --data-dir logs --job-dir job --preset smoke \
    --text-encoder minilm --max-tokens 32

say "3. Server"
: >server.log # read at once, maybe before the server has opened it
"$python" -I -m serving.server --model_base_path job/export/recommender \
    --port 0 --host 127.0.0.1 >server.log 2>&1 &
server=$!
port=$(port_of_server)
tail -n 1 server.log

say "4. Ten recommendations over gRPC"
# Who is asked for: the user of the first event, with the last five items.
history=$("$python" -I - <<'END'
import csv

items = {}
for row in csv.DictReader(open("logs/events.csv", encoding="utf-8")):
    items.setdefault(row["user_id"], []).append(
        (int(row["timestamp"]), row["item_id"])
    )
titles = {
    row["item_id"]: row["title"]
    for row in csv.DictReader(open("logs/items.csv", encoding="utf-8"))
}
history = [item for _, item in sorted(next(iter(items.values())))[-5:]]
with open("history.txt", "w", encoding="utf-8") as out:
    for item in history:
        out.write(f"  {item}  {titles.get(item, '')}\n")
print(",".join(history))
END
)
echo "A user who last chose"
cat history.txt
echo "will want next"
"$python" -I -m serving.client recommend --server "localhost:$port" \
    --history "$history" -k 10
