# ctest: timeout=240 workers=2
"""`sedge pub` and `sedge sub` beside mosquitto_pub and mosquitto_sub, against sedge and against mosquitto: the same
options do, print and return the same.

Nobody waits for a subscription here: messages are retained, or go to a session that `sub -c -E` has made before."""

import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from mqtt_broker import Sedge, broker, kinds  # noqa: E402
from sedge_site import SEDGE, Process, wait_until  # noqa: E402

TOOLS = {"ours": {"pub": [SEDGE, "pub"], "sub": [SEDGE, "sub"]},
         "theirs": {"pub": ["mosquitto_pub"], "sub": ["mosquitto_sub"]}}
# In this order by topic; each is as our tool and as theirs would send it.
MESSAGES = [
    ["-t", "f/a", "-m", "hello", "-q", "0"],
    ["-t", "f/b", "-m", "zz", "-q", "1"],
    ["-t", "f/c", "-m", '{"a":[1,2.5,"x"]}', "-q", "2"],
    ["-t", "f/d", "-m", "x", "-q", "1", "-D", "publish", "content-type", "text/plain", "-D", "publish",
     "user-property", "k", "v w", "-D", "publish", "user-property", "k", "again", "-D", "publish", "correlation-data",
     "c", "-D", "publish", "response-topic", "back/here", "-D", "publish", "payload-format-indicator", "1"],
    ["-t", "f/ü", "-m", "grün", "-q", "1"],
]
FORMATS = [
    "%t", "%p", "%t %p", "%l %q %r", "[%10t|%-10t|%.3t|%5.2t]", "[%05l|%5l|%-5l]", "%x %X", "[%20p|%-20p]",
    "%%|@@|\\\\", "a\\tb\\e", "%C|%R|%D|%E|%F", "%P", "%S", "[%12C|%-12C|%.3R]", "@Y %%",
]


def run(b, tool, *args, port=None, data=None, code=0):
    """Runs a tool to its end; what it printed."""
    words = [*tool, "-h", "127.0.0.1", "-p", port or b.port, *args]
    done = subprocess.run([str(w) for w in words], input=data, timeout=60, capture_output=True,
                          **({} if data is not None else {"stdin": subprocess.DEVNULL}))
    assert done.returncode == code, (words, done.returncode, done.stdout, done.stderr)
    return done.stdout


def spawn(b, tool, *args):
    """Starts a tool that goes on. Line by line, so that a test sees at once what a tool of theirs prints."""
    flushed = [] if tool[0] == SEDGE else ["stdbuf", "-oL"]
    return Process([*flushed, *tool, "-h", "127.0.0.1", "-p", b.port, *args])


def subscribed(process):
    wait_until(lambda: any(mark in process.text() for mark in ("answered a subscription", "Subscribed")),
               what="the subscription")


def session(b, name, *filters, version="5", qos="2", tool="theirs"):
    """A session that collects what comes for these filters."""
    words = [w for f in filters for w in ("-t", f)]
    run(b, TOOLS[tool]["sub"], "-i", name, "-c", "-E", "-q", qos, "-V", version, *words)


def collected(b, name, count, *args, version="5", tool="theirs"):
    """The lines of what the session has collected."""
    out = run(b, TOOLS[tool]["sub"], "-i", name, "-c", "-q", "2", "-V", version, "-t", "unused", "-C", count, "-W", "30",
              *(args or ["-F", "%p"]))
    return out.decode().split("\n")[:-1]


def formats(b):
    """What mosquitto_sub prints for a message, we print."""
    for message in MESSAGES:
        run(b, TOOLS["theirs"]["pub"], "-r", "-V", "5", *message)
    for each in FORMATS:
        lines = {name: sorted(run(b, tools["sub"], "-V", "5", "-q", "2", "-t", "f/+", "-C", len(MESSAGES), "-F", each)
                              .split(b"\n")) for name, tools in TOOLS.items()}
        assert lines["ours"] == lines["theirs"], (each, lines)
    for args in (["-N", "-T", "f/a", "-T", "f/b", "-T", "f/c", "-T", "f/d", "-C", "1"], ["-v"], ["-v", "-F", "%q"], ["-T", "f/b", "-T", "f/c", "-C", "3"]):
        texts = {name: run(b, tools["sub"], "-V", "5", "-q", "2", "-t", "f/+", *(["-C", len(MESSAGES)] + args)[-99:])
                 for name, tools in TOOLS.items()}
        assert sorted(texts["ours"].split(b"\n")) == sorted(texts["theirs"].split(b"\n")), (args, texts)
    for i, args in enumerate((["-v"], [], ["-v", "-N"])):  # an empty message is a special case of theirs
        for name, tools in TOOLS.items():
            session(b, f"e-{name}-{i}", f"e/{i}")
        for message in (["-n"], ["-m", "x"]):
            run(b, TOOLS["theirs"]["pub"], "-q", "1", "-t", f"e/{i}", *message)
        texts = {name: run(b, tools["sub"], "-V", "5", "-i", f"e-{name}-{i}", "-c", "-t", f"e/{i}", "-C", "2", *args)
                 for name, tools in TOOLS.items()}
        assert texts["ours"] == texts["theirs"], (args, texts)
    for args in (["%j"], ["%J"], ["%j", "--pretty"]):
        texts = {name: run(b, tools["sub"], "-V", "5", "-q", "2", "-t", "f/c", "-t", "f/d", "-T", "f/d", "-C", "1",
                           "-F", *args).split(b'"topic"')[1] for name, tools in TOOLS.items()}
        assert texts["ours"] == texts["theirs"], (args, texts)


def publishing(b):
    """What we send is what they would have sent."""
    text, lines = b"one\ntwo\n\nthree", ["one", "two", "", "three"]
    whole = ["one", "two", "", "three"]
    (b.root / "text").write_bytes(text)
    cases = [(["-m", "one two"], None, ["one two"]), (["-n"], None, [""]), (["-f", b.root / "text"], None, whole),
             (["-s"], text, whole), (["-l"], text, lines), (["-m", "x", "--repeat", "3"], None, ["x"] * 3),
             (["-m", "x", "--repeat", "2", "--repeat-delay", "0.01"], None, ["x"] * 2)]
    for version in ("31", "311", "5"):
        for qos in "012":
            for name, tools in TOOLS.items():
                for i, (args, data, want) in enumerate(cases):
                    topic = f"p-{name}-{qos}-{version}-{i}"
                    count = len(want) if "-l" in args or "--repeat" in args else 1
                    publish = [*tools["pub"], "-V", f"mqttv{version}", "-q", qos, "-t", f"{topic}/t", *args]
                    assert heard(b, topic, qos, version, count, publish, data) == want, (topic, args)


def heard(b, topic, qos, version, count, publish, data):
    """What comes of a publication. QoS 0 is for who is there: our own tool then, which says when it is."""
    if qos != "0":
        session(b, topic, f"{topic}/#", version=f"mqttv{version}")
        run(b, publish, data=data)
        return collected(b, topic, count, version=f"mqttv{version}")
    reader = spawn(b, TOOLS["ours"]["sub"], "-d", "-i", topic, "-V", version, "-t", f"{topic}/#", "-C", count, "-F", "%p")
    subscribed(reader)
    run(b, publish, data=data)
    assert reader.wait() == 0, reader.text()
    return reader.text("out").split("\n")


def properties(b):
    """Each property that -D can give arrives."""
    for name, tools in TOOLS.items():
        session(b, f"d-{name}", f"d/{name}")
        run(b, tools["pub"], "-V", "5", "-q", "1", "-t", f"d/{name}", *MESSAGES[3][2:], "-D", "publish",
            "message-expiry-interval", "7000", "-D", "connect", "user-property", "a", "b", "-D", "disconnect",
            "user-property", "a", "b")
        line, = collected(b, f"d-{name}", 1, "-F", "%p|%C|%P|%D|%R|%F|%q")
        assert line == "x|text/plain|k:v w k:again|c|back/here|1|1", line


def sessions(b):
    """A session over three processes, at each QoS, in both versions, by our tools and theirs; and its end by -x."""
    for name, tools in TOOLS.items():
        for version in ("31", "311", "5"):
            v = version if name == "ours" else f"mqttv{version}"
            who = f"s-{name}-{version}"
            run(b, tools["sub"], "-i", who, "-c", "-E", "-q", "2", "-V", v, "-t", f"{who}/+")
            for i in range(20):
                run(b, tools["pub"], "-V", v, "-q", str(1 + i % 2), "-t", f"{who}/{i % 3}", "-m", f"m{i}")
            words = [*tools["sub"], "-i", who, "-c", "-q", "2", "-V", v, "-t", f"{who}/+"]
            got = run(b, words, "-C", "5").decode().split("\n")[:-1]
            rest = spawn(b, words)
            wait_until(lambda: "m19" in rest.text("out"), what="the last message")
            rest.stop()
            got += rest.text("out").split("\n")
            # What mosquitto_sub had begun to receive at QoS 2 ends with its process, and its QoS 1 messages may come
            # again; ours acknowledges what it prints.
            assert name == "theirs" or got == [f"m{i}" for i in range(20)], (who, got)
            run(b, tools["sub"], "-i", who, "-c", "-E", "-q", "1", "-V", v, "-t", f"{who}/other", "-U", f"{who}/+")
            run(b, tools["pub"], "-V", v, "-q", "1", "-t", f"{who}/0", "-m", "not wanted")
            run(b, tools["pub"], "-V", v, "-q", "1", "-t", f"{who}/other", "-m", "wanted")
            out = run(b, tools["sub"], "-i", who, "-c", "-q", "1", "-V", v, "-t", f"{who}/other", "-C", "1")
            assert out == b"wanted\n", (who, out)


def wills(b):
    """A client that is killed leaves its will; one that is asked to end does not."""
    for name, tools in TOOLS.items():
        for version in ("31", "311", "5"):
            v = version if name == "ours" else f"mqttv{version}"
            who = f"w-{name}-{version}"
            session(b, who, f"{who}/#")
            # mosquitto_sub asks for its will when it is stopped, in 5.0.
            for end in ("stop", "kill") if name == "ours" or version != "5" else ("kill",):
                client = spawn(b, tools["sub"], "-i", f"{who}-c", "-d", "-V", v, "-t", "nothing", "--will-topic",
                               f"{who}/will", "--will-payload", f"gone by {end}", "--will-qos", "1")
                subscribed(client)
                getattr(client, end)()
            got = collected(b, who, 1)
            assert got == ["gone by kill"], (who, got)


def taken_over(b):
    """Whose session was taken over does not take it back: two with one client id would fight for it for ever."""
    if not isinstance(b, Sedge):  # theirs does not say why it closes the connection
        return
    sub = TOOLS["ours"]["sub"]
    first = spawn(b, sub, "-i", "one", "-d", "-t", "taken")
    subscribed(first)
    second = spawn(b, sub, "-i", "one", "-d", "-t", "taken", "-C", "1")
    assert first.wait() == 1 and first.text().count("session taken over") == 1, first.text()
    subscribed(second)
    run(b, TOOLS["ours"]["pub"], "-q", "1", "-t", "taken", "-m", "for the second")
    assert second.wait() == 0 and second.text("out").strip() == "for the second", second.text()


def too_much(b):
    """What the server does not take is told before it is sent, and why."""
    if isinstance(b, Sedge):  # theirs takes all
        words = [*TOOLS["ours"]["pub"], "-p", str(b.port), "-t", "big", "-s", "-q", "1"]
        done = subprocess.run(words, input=b"x" * (2 << 20), timeout=60, capture_output=True)
        assert done.returncode == 1 and b"larger than the server takes" in done.stderr, done


def retained(b):
    for name, tools in TOOLS.items():
        where = f"r/{name}"

        def there():
            out = run(b, TOOLS["theirs"]["sub"], "-t", f"{where}/+", "-t", "r/last", "-C", f"{len(kept) + 1}", "-F", "%t")
            return sorted(out.decode().split("\n")[:-1])

        kept = [f"{where}/{i}" for i in range(5)]
        for topic in [*kept, "r/last"]:
            run(b, tools["pub"], "-r", "-q", "1", "-t", topic, "-m", "kept")
        assert there() == sorted([*kept, "r/last"])
        gone = f"{where}/3"
        if name == "ours":
            run(b, tools["sub"], "-t", gone, "--remove-retained", "-C", "1")
        else:  # theirs does not end together with -C
            run(b, tools["pub"], "-t", gone, "-r", "-n")
        kept.remove(gone)
        assert there() == sorted([*kept, "r/last"])
        run(b, tools["pub"], "-r", "-n", "-q", "1", "-t", kept.pop(0))
        assert there() == sorted([*kept, "r/last"])
        # -R: not what is retained; the live message is all that comes.
        live = spawn(b, tools["sub"], "-V", "5", "-d", "-R", "-t", f"{where}/+", "-C", "1", "-F", "%t %p")
        subscribed(live)
        run(b, tools["pub"], "-q", "1", "-t", f"{where}/live", "-m", "now")
        assert live.wait() == 0
        assert f"{where}/live now" in live.text("out").split("\n") and "kept" not in live.text("out"), live.text()
        # --retained-only: these, and with the first that is not, the end.
        only = spawn(b, tools["sub"], "--retained-only", "-t", f"{where}/+", "-F", "<%t>")
        wait_until(lambda: all(f"<{t}>" in only.text("out") for t in kept), what="what is retained")
        run(b, tools["pub"], "-q", "1", "-t", f"{where}/live", "-m", "now")
        assert only.wait() == 0 and "live" not in only.text("out"), only.text()


def exits(b):
    """What is returned, and that something is said."""
    for version, refused in (("311", 5), ("5", 135)):
        for name, tools in TOOLS.items():
            v = version if name == "ours" else f"mqttv{version}"
            common = ["-V", v, "-t", "x", "-q", "1"]
            run(b, tools["pub"], *common, "-m", "y", "-u", "ada", "-P", "secret", port=b.secret_port)
            for tool, more in (("pub", ["-m", "y"]), ("sub", [])):
                for wrong in (["-u", "ada", "-P", "wrong"], []):
                    words = [*tools[tool], "-h", "127.0.0.1", "-p", b.secret_port, *common, *more, *wrong]
                    done = subprocess.run([str(w) for w in words], stdin=subprocess.DEVNULL, timeout=60,
                                          capture_output=True)
                    assert done.returncode in (refused, refused - 1), (words, done)
                    assert done.stderr, words
            run(b, tools["sub"], "-V", v, "-t", "never/comes", "-W", "1", code=27)
            run(b, tools["pub"], *common, "-m", "y", port=1, code=1)
    run(b, TOOLS["ours"]["sub"], "-t", "a", "--wrong", code=2)


def layers(b):
    """TLS with and without a certificate of ours, WebSocket, WebSocket in TLS, the unix socket."""
    ours, theirs = TOOLS["ours"], TOOLS["theirs"]
    certs = b.certs
    ca = ["--cafile", certs.ca]
    mine = [*ca, "--cert", certs.client, "--key", certs.client_key]
    ways = [("tls", [*ca, "-p", b.tls_port]), ("mutual", [*mine, "-p", b.mutual_port]),
            ("insecure", ["--insecure", "-p", b.tls_port]), ("ws", ["--ws", "-p", b.ws_port]),
            ("wss", ["--ws", *ca, "-p", b.wss_port]), ("unix", ["--unix", b.unix])]
    for name, way in ways:
        session(b, f"l-{name}", f"l/{name}")
        run(b, ours["pub"], "-q", "2", "-t", f"l/{name}", "-s", *way, data=b"x" * 100000)
        assert collected(b, f"l-{name}", 1, "-F", "%l") == ["100000"]
        run(b, theirs["pub"], "-r", "-q", "1", "-t", f"l/back/{name}", "-m", "back")
        assert run(b, ours["sub"], "-q", "2", "-t", f"l/back/{name}", "-C", "1", *way) == b"back\n"
    for way in (["--cafile", certs.other_ca, "-p", b.tls_port], [*ca, "-p", b.mutual_port], [*ca, "-p", b.port, "-W", "5"]):
        words = [*ours["sub"], "-h", "127.0.0.1", "-t", "x", *way]
        done = subprocess.run([str(w) for w in words], stdin=subprocess.DEVNULL, timeout=60, capture_output=True)
        assert done.returncode in (1, 27) and done.stderr, (words, done)


PARTS = [formats, publishing, properties, sessions, wills, taken_over, too_much, retained, exits, layers]


def main():
    wanted = sys.argv[1:]
    for kind in kinds():
        started = time.monotonic()
        with broker(kind) as b:
            for part in PARTS:
                if not wanted or part.__name__ in wanted:
                    part(b)
        print(f"as mosquitto's tools, with {kind}: {time.monotonic() - started:.1f} s")


if __name__ == "__main__":
    main()
