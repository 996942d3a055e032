# ctest: timeout=300
"""The sites of tests/sites, which people may copy from: each is accepted with the warnings that it names itself
(`// warns S1`, once for each), and its tests pass."""

import json
import re
import subprocess
import unittest

from sedge_site import ROOT, SEDGE

SITES = sorted(path for path in (ROOT / "tests/sites").iterdir() if path.is_dir())
WARNS = re.compile(r"// warns ([A-Z]\d+)")


def sedge(*args):
    return subprocess.run([SEDGE, *map(str, args)], capture_output=True, text=True, timeout=60)


class Sites(unittest.TestCase):
    def test_each_is_accepted_with_the_warnings_that_it_names(self):
        self.assertGreaterEqual(len(SITES), 20)
        for site in SITES:
            with self.subTest(site=site.name):
                text = "".join(path.read_text() for path in sorted(site.glob("*.sedge")))
                done = sedge("check", site, "--json")
                self.assertEqual(done.returncode, 0, sedge("check", site).stdout)
                told = [d["code"] for d in json.loads(done.stdout)["diagnostics"]]
                self.assertEqual(sorted(told), sorted(WARNS.findall(text)), sedge("check", site).stdout)

    def test_their_tests_pass(self):
        for site in SITES:
            with self.subTest(site=site.name):
                done = sedge("test", site, "--json")
                told = json.loads(done.stdout)
                self.assertEqual(done.returncode, 0, sedge("test", site).stdout)
                self.assertGreater(told["run"], 0)


if __name__ == "__main__":
    unittest.main()
