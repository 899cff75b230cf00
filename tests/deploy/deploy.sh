#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A deploy as it happens: nginx is restarted while customers use it, then a fleet of queue workers comes up again and,
# in its new release, connects to Redis for every item. scene.py makes the host that it runs on and says where it is:
# $SCENE holds start-nginx, start-workers, use-website and nginx.pid.
set -euo pipefail

"$SCENE/use-website" &
website=$!
sleep 0.5

"$TWTRACE" mark "restart nginx"
old=$(cat "$SCENE/nginx.pid")
kill -QUIT "$old"
while [[ -d /proc/$old ]]; do sleep 0.05; done
"$SCENE/start-nginx"

"$TWTRACE" mark "start queue workers"
"$SCENE/start-workers"
wait "$website"
