"""The command line as people and shells meet it: explanations, mistakes, lists as JSON, completion, manual pages."""

import contextlib
import json
import os
import pathlib
import pty
import shutil
import signal
import socket
import subprocess
import tempfile
import unittest

from sedge_site import SEDGE

FACTORY = pathlib.Path(os.environ["SEDGE_SOURCE"], "sites/factory") if "SEDGE_SOURCE" in os.environ else \
    pathlib.Path(__file__).parents[2] / "sites/factory"
# What a shell would do: the words of a line, the last of them not complete.
COMPLETE = """
source /dev/stdin
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
_sedge
printf '%s\\n' "${COMPREPLY[@]}"
"""


def sedge(*args, **kwargs):
    return subprocess.run([SEDGE, *map(str, args)], capture_output=True, text=True, timeout=60,
                          **{"stdin": subprocess.DEVNULL, **kwargs})


def names():
    return [c["name"] for c in json.loads(sedge("help", "--json").stdout)["commands"]]


class Explanations(unittest.TestCase):
    def test_sedge_alone(self):
        alone = sedge()
        self.assertEqual((alone.returncode, alone.stdout), (2, ""))
        self.assertLessEqual(len(alone.stderr.splitlines()), 20)
        for words in ["sedge help", "sedge test", "sedge run", "docs/tutorial.md", *names()]:
            self.assertIn(words, alone.stderr)

    def test_help_is_one_text(self):
        self.assertGreater(len(names()), 8)
        for name in names():
            with self.subTest(name):
                shown = sedge(name, "--help")
                self.assertEqual((shown.returncode, shown.stderr), (0, ""))
                self.assertIn(f"usage: sedge {name}", shown.stdout)
                self.assertIn(f"\nexamples\n", shown.stdout)
                self.assertEqual(sedge("help", name).stdout, shown.stdout)

    def test_mistakes_name_what_was_meant(self):
        cases = [
            (["chekc", "x"], "did you mean check?"),
            (["fly"], "there is no command 'fly'\n"),
            (["help", "rnu"], "did you mean run?"),
            (["check", "--jsn", "x"], "there is no option --jsn; did you mean --json?"),
            (["test", "--filter"], "--filter: its value is missing: TEXT"),
            (["test", "--json=yes", "x"], "--json: it takes no value"),
            (["run"], "SITE is missing\nusage: sedge run SITE"),
            (["check", "a", "b"], "unexpected argument: b"),
            (["sub", "--psk", "x"], "TLS is by certificates only"),
            (["bench", "mqtt", "fanout"], "did you mean fan-out?"),
            (["completion", "csh"], "there is bash, zsh and fish, not 'csh'"),
        ]
        for args, text in cases:
            with self.subTest(args=args):
                done = sedge(*args)
                self.assertEqual((done.returncode, done.stdout), (2, ""))
                self.assertIn(text, done.stderr)

    def test_what_can_not_be_written_is_a_failure(self):
        with tempfile.TemporaryDirectory() as folder, open("/dev/full", "w") as full:
            site = pathlib.Path(folder, "hall")
            self.assertEqual(sedge("init", site, "--yes").returncode, 0)
            for args in ["help"], ["--version"], ["check", site], ["check", site, "--json"], ["doctor", site, "--all"], ["man"]:
                with self.subTest(args=args):
                    done = subprocess.run([SEDGE, *args], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
                    self.assertEqual(done.returncode, 1)
                    self.assertIn(f"sedge {args[0]}: the output can't be written: No space left on device", done.stderr)

    def test_a_terminal_without_utf8_is_shown_ascii(self):
        """°C in a line of a site: a file gets it as it is, a terminal too, but not one that is said to be of another character set."""
        with tempfile.TemporaryDirectory() as folder:
            site = pathlib.Path(folder, "site.sedge")
            site.write_text('site "s"\nmodel M { property t: °C nonsense }\n')
            for locale, terminal, shown in (("C", True, "degC"), ("C.UTF-8", True, "°C"), ("", True, "°C"), ("C", False, "°C")):
                with self.subTest(locale=locale, terminal=terminal):
                    reader, writer = pty.openpty() if terminal else os.pipe()
                    done = subprocess.run([SEDGE, "check", site], stdout=writer, stderr=writer, timeout=60, check=False,
                                          env={**{k: v for k, v in os.environ.items() if k not in ("LC_CTYPE", "LANG")}, "LC_ALL": locale})
                    os.close(writer)
                    said = b""
                    with contextlib.suppress(OSError):  # the other end is closed
                        while piece := os.read(reader, 4096):
                            said += piece
                    os.close(reader)
                    self.assertEqual(done.returncode, 1)
                    self.assertIn(f"property t: {shown} nonsense", said.decode())

    @unittest.skipUnless(shutil.which("strace"), "there is no strace")
    def test_without_io_uring_a_command_says_what_it_was_asked_for(self):
        """As in most containers. `sedge run` tells it, since it matters there."""
        with socket.socket() as closed:  # bound, and nobody listens
            closed.bind(("127.0.0.1", 0))
            done = subprocess.run(["strace", "-f", "-qq", "-o", "/dev/null", "-e", "inject=io_uring_setup:error=ENOSYS", SEDGE, "pub", "-p",
                                   str(closed.getsockname()[1]), "-t", "t", "-m", "1"], capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("refused", done.stderr)
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)

    def test_each_way_to_ask_for_the_version(self):
        for word in "--version", "-V", "version":
            with self.subTest(word=word):
                done = sedge(word)
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                self.assertRegex(done.stdout, r"^sedge \d+\.\d+\.\d+\n$")
        self.assertIn("sedge --version", sedge("help").stdout)

    def test_a_reader_that_goes_is_told_nothing(self):
        read, write = os.pipe()
        os.close(read)
        done = subprocess.run([SEDGE, "help"], stdout=write, stderr=subprocess.PIPE, text=True, timeout=60)
        os.close(write)
        self.assertEqual((done.returncode in (1, -signal.SIGPIPE), done.stderr), (True, ""))


class Lists(unittest.TestCase):
    def test_users(self):
        with tempfile.TemporaryDirectory() as folder:
            users = pathlib.Path(folder, "users")
            self.assertEqual(sedge("passwd", "-l", users).returncode, 1)
            self.assertEqual(sedge("passwd", "-b", users, "ada", "-secret").returncode, 0)
            self.assertEqual(sedge("passwd", "--scram", "-b", users, "press1", "hot").returncode, 0)
            users.write_text("# people\n" + users.read_text() + "old:word\n")
            want = [("ada", "argon2"), ("press1", "scram"), ("old", "plain")]
            listed = json.loads(sedge("passwd", "--list", users, "--json").stdout)
            self.assertEqual([(u["user"], u["kind"]) for u in listed["users"]], want)
            text = sedge("passwd", "-l", users).stdout
            self.assertEqual([tuple(line.split()) for line in text.splitlines()], want)
            self.assertNotIn("hot", text)
        self.assertEqual(sedge("passwd", "--json", users, "ada").returncode, 2)
        self.assertEqual(sedge("passwd", "-l", "-D", users).returncode, 2)

    def test_commands(self):
        listed = json.loads(sedge("help", "--json").stdout)
        run = next(c for c in listed["commands"] if c["name"] == "run")
        verbose = next(o for o in run["options"] if o["name"] == "verbose")
        self.assertEqual((verbose["letter"], verbose["argument"]), ("v", None))
        self.assertEqual(json.loads(sedge("check", FACTORY, "--json").stdout)["errors"], 0)


class Completion(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.script = sedge("completion", "bash").stdout

    def complete(self, *words, cwd=None):
        done = subprocess.run(["bash", "-uc", COMPLETE, "bash", *words], input=self.script, cwd=cwd, timeout=60,
                              capture_output=True, text=True, check=True)
        self.assertEqual(done.stderr, "")
        return done.stdout.split()

    def test_bash_completes(self):
        with tempfile.TemporaryDirectory() as folder:
            pathlib.Path(folder, "hall").mkdir()
            pathlib.Path(folder, "users").write_text("")
            cases = [
                (["sedge", "c"], ["check", "completion"]),
                (["sedge", "--v"], ["--version"]),
                (["sedge", "run", "--w"], ["--workers"]),
                (["sedge", "run", "--driver", ""], ["io_uring", "epoll"]),
                (["sedge", "run", "--driver", "="], ["io_uring", "epoll"]),
                (["sedge", "run", "--driver", "=", "e"], ["epoll"]),
                (["sedge", "run", ""], ["hall"]),
                (["sedge", "run", "--driver", "epoll", "h"], ["hall"]),
                (["sedge", "run", "--driver", "=", "epoll", "h"], ["hall"]),
                (["sedge", "run", "hall", ""], []),
                (["sedge", "passwd", ""], ["hall", "users"]),
                (["sedge", "passwd", "--password-file", "u"], ["users"]),
                (["sedge", "pub", "-q", ""], ["0", "1", "2"]),
                (["sedge", "bench", ""], ["mqtt"]),
                (["sedge", "bench", "mqtt", "fan"], ["fan-in", "fan-out"]),
                (["sedge", "bench", "mqtt", "fan-in", "fan"], []),
                (["sedge", "help", "pa"], ["passwd"]),
                (["sedge", "nothing", ""], []),
            ]
            for words, want in cases:
                with self.subTest(words=words):
                    self.assertEqual(sorted(self.complete(*words, cwd=folder)), sorted(want))

    def test_bash_offers_every_option(self):
        for command in json.loads(sedge("help", "--json").stdout)["commands"]:
            with self.subTest(command["name"]):
                want = [f"--{o['name']}" if o["name"] else f"-{o['letter']}" for o in command["options"]]
                self.assertEqual(sorted(self.complete("sedge", command["name"], "-")), sorted(want))

    def test_the_others_are_valid(self):
        for shell, check in (("zsh", ["zsh", "-n"]), ("fish", ["fish", "--no-execute"])):
            with self.subTest(shell), tempfile.NamedTemporaryFile("w") as script:
                script.write(sedge("completion", shell).stdout)
                script.flush()
                if not shutil.which(shell):
                    self.skipTest(f"there is no {shell}")
                done = subprocess.run([*check, script.name], capture_output=True, text=True, timeout=60)
                self.assertEqual((done.returncode, done.stdout + done.stderr), (0, ""))

    def test_fish_completes(self):
        if not shutil.which("fish"):
            self.skipTest("there is no fish")
        script = sedge("completion", "fish").stdout
        for line, want in (("sedge ch", ["check"]), ("sedge run --driver e", ["epoll"])):
            with self.subTest(line), tempfile.TemporaryDirectory() as home:
                done = subprocess.run(["fish", "-c", f"source; complete -C '{line}'"], input=script, text=True, timeout=60,
                                      capture_output=True, check=True, env={**os.environ, "HOME": home})
                self.assertEqual([x.split("\t")[0] for x in done.stdout.splitlines()], want)


class Pages(unittest.TestCase):
    def test_formatters_do_not_complain(self):
        with tempfile.TemporaryDirectory() as folder:
            self.assertEqual(sedge("man", "-o", folder).returncode, 0)
            pages = sorted(pathlib.Path(folder).iterdir())
            self.assertEqual([p.name for p in pages], sorted(["sedge.1", *(f"sedge-{n}.1" for n in names())]))
            for page in pages:
                with self.subTest(page.name):
                    groff = subprocess.run(["man", "--warnings", "-E", "UTF-8", "-l", page], capture_output=True, text=True,
                                           timeout=60, env={**os.environ, "LC_ALL": "C.UTF-8", "MANPAGER": "cat"})
                    self.assertEqual((groff.returncode, groff.stderr), (0, ""))
                    self.assertIn("EXIT STATUS", groff.stdout.replace("\b", ""))
            if shutil.which("mandoc"):
                lint = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", *pages], capture_output=True, text=True,
                                      timeout=60)
                # A date would make each build another; all the rest counts.
                found = [x for x in lint.stdout.splitlines() if "missing date" not in x]
                self.assertEqual(found, [])

    def test_a_page_says_what_help_says(self):
        page = sedge("man", "run").stdout
        self.assertEqual(page, sedge("man", "--", "run").stdout)
        for words in (".SH NAME", "\\-\\-workers", "Runs until SIGINT", ".BR sedge\\-check (1)"):
            self.assertIn(words, page)
        self.assertIn("sedge bench mqtt fan\\-out", sedge("man", "bench").stdout)  # so that it can be copied
        self.assertEqual(sedge("man", "fly").returncode, 2)
        self.assertEqual(sedge("man", "-o", "/no/such/folder").returncode, 1)


unittest.main()
