#!/usr/bin/python3
# ctest: timeout=120 workers=2
"""The real program with Debian's clients: rules of access, their change while the site runs, and the topics below $SYS."""

import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from sedge_site import SEDGE, Site, wait_until  # noqa: E402

SITE = """site "rules"
server {
  mqtt 127.0.0.1:@MQTT@ passwords "users" anonymous
  http 127.0.0.1:@HTTP@
  store "data"
  sys 1s
}
"""
RULES = """access {
  allow publish   "own/%u/#" users
  allow subscribe "own/+/public/#"
  allow all       "own/ann/#" user "ann"
  allow subscribe "$SYS/#" user "ann"
}
"""
OPENED = RULES.replace("access {", 'access {\n  allow all "lobby/#"')


def client(site, user):
    return ["-h", "127.0.0.1", "-p", str(site.mqtt_port), "-u", user, "-P", "secret"]


def pub(site, user, topic, text, *args):
    return subprocess.run(["mosquitto_pub", *client(site, user), "-V", "mqttv5", "-q", "1", "-t", topic, "-m", text,
                           *args], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30)


def granted(site, user, topic):
    """Whether a subscription is granted: mosquitto_sub says so, or ends."""
    done = subprocess.run(["mosquitto_sub", *client(site, user), "-V", "mqttv5", "-t", topic, "-E"],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30)
    return done.returncode == 0 and "denied" not in done.stderr


def rules(site):
    for name in ("ann", "bob"):
        subprocess.run([SEDGE, "passwd", "-b", site.folder / "users", name, "secret"], check=True, timeout=30)
    site.start()
    listener = site.spawn(["mosquitto_sub", *client(site, "ann"), "-i", "listener", "-t", "own/#", "-t", "own/ann/#",
                           "-v", "-C", "2"])
    wait_until(lambda: any(c["client"] == "listener" and c["subscriptions"]
                           for c in site.get("/api/connections")["connections"]), what="the subscription")
    assert pub(site, "bob", "own/ann/x", "not bob's").returncode == 0
    assert pub(site, "ann", "own/ann/x", "hers").returncode == 0
    assert pub(site, "bob", "own/bob/x", "his, and not for her").returncode == 0
    assert pub(site, "ann", "own/ann/y", "hers, too").returncode == 0
    assert listener.wait() == 0
    assert listener.text("out").splitlines() == ["own/ann/x hers", "own/ann/y hers, too"], listener.text()
    wait_until(lambda: "may not publish to own/ann/x: no access rule lets it" in site.process.text(), what="the log")
    assert granted(site, "bob", "own/ann/public/#") and not granted(site, "bob", "own/ann/#")
    nobody = ["mosquitto_pub", "-h", "127.0.0.1", "-p", str(site.mqtt_port), "-V", "mqttv5", "-q", "1", "-m", "x"]
    done = subprocess.run([*nobody, "-t", "own/ann/x"], capture_output=True, text=True, timeout=30)
    assert "Not authorized" in done.stderr, done
    done = subprocess.run([*nobody, "-t", "own/ann/x", "-u", "ann", "-P", "wrong"], capture_output=True, text=True,
                          timeout=30)
    assert done.returncode != 0, done  # a name is asked for its password, here too
    assert not granted(site, "bob", "#") and not granted(site, "bob", "$SYS/#")


def reload(site):
    assert not granted(site, "bob", "lobby/1")
    site.write("rules.sedge", OPENED)
    site.process.child.send_signal(1)
    wait_until(lambda: granted(site, "bob", "lobby/1"), what="the changed rules")
    site.write("rules.sedge", 'access { allow all "a/#/b" }')
    site.process.child.send_signal(1)
    wait_until(lambda: "access rule 1" in site.process.text(), what="the refusal of rules that make no sense")
    assert granted(site, "bob", "lobby/1")


def sys_topics(site):
    seen = site.spawn(["mosquitto_sub", *client(site, "ann"), "-t", "$SYS/broker/version", "-t", "$SYS/broker/uptime",
                       "-v", "-C", "4"])
    assert seen.wait() == 0
    lines = seen.text("out").splitlines()
    assert lines[0].startswith("$SYS/broker/version sedge version "), lines
    assert all(line.startswith("$SYS/broker/uptime ") and line.endswith(" seconds") for line in lines[1:]), lines


def main():
    with Site(files={"a.sedge": SITE, "rules.sedge": RULES}) as site:
        rules(site)
        sys_topics(site)
        reload(site)
        site.stop()
    print("rules, their change and $SYS: as they should be")


if __name__ == "__main__":
    main()
