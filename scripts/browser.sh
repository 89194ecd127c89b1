#!/bin/sh
# Chromium, which the test of the demo page looks with. Where it cannot be had
# (no root, no Debian, no network) that test says so and is skipped.
set -u
cd "$(dirname "$0")/.."
if command -v chromium >/dev/null || command -v google-chrome >/dev/null; then
    exit 0
fi
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    exit 0
fi
mkdir -p .tools
echo "interest-towers: installing Chromium for the test of the demo page" >&2
timeout 300 sh -c 'apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
    apt-get install -qq --yes --no-install-recommends chromium' \
    >.tools/browser.log 2>&1 ||
    echo "interest-towers: that failed, see .tools/browser.log" >&2
