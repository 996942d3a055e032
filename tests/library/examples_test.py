"""The examples, built against the installed library, shared and static, and what they do."""

import re
import unittest

from sedge_installed import SOURCE, Installed, run

EXAMPLES = SOURCE / "examples/rt"

# What each says, as a pattern of the whole.
SAYS = {
    "pipeline": r"the sum of the squares is 338350\n",
    "fan_out": r"17984 primes below 200000\n",
    "rate_limiter": r"12 requests took (\d+) ms\n",
    "timer": r"(beat \d\n){5}no beat for \d+ ms\n",
}


class Examples(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lib = cls.enterClassContext(Installed())

    def test_there_is_no_other(self):
        self.assertEqual(sorted(p.stem for p in EXAMPLES.glob("*.c")), sorted(SAYS))

    def test_they_are_short(self):
        for path in EXAMPLES.glob("*.c"):
            self.assertTrue(20 <= len(path.read_text().splitlines()) <= 60, path.name)

    def test_what_they_say(self):
        for name, pattern in SAYS.items():
            for static in [False, True]:
                with self.subTest(name, static=static):
                    said = run(self.lib.compile(EXAMPLES / f"{name}.c", static=static), env=self.lib.env)
                    match = re.fullmatch(pattern, said)
                    self.assertTrue(match, said)
                    if name == "rate_limiter":  # five at once, seven that wait ten milliseconds each
                        self.assertGreaterEqual(int(match.group(1)), 70)


unittest.main()
