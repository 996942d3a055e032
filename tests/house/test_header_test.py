"""The test header can fail: runs a suite with failures on purpose and reads what it says."""

import os
import re
import subprocess
import unittest

SUITE = os.environ["SUITE"]


def run(*args, **env):
    done = subprocess.run([SUITE, *args], capture_output=True, text=True, timeout=60,
                          env={**os.environ, "SEDGE_TEST_SEED": "42", **env})
    return done.returncode, done.stdout


class TestHeader(unittest.TestCase):
    def test_whole_suite(self):
        code, out = run()
        self.assertEqual(code, 1)
        self.assertTrue(out.startswith("1..10\n"), out)
        self.assertRegex(out, r"(?m)^ok 1 - failing_suite/passes$")
        self.assertRegex(out, r"(?m)^not ok 2 - failing_suite/fails_in_each_way$")
        self.assertRegex(out, r"(?m)^# 10 tests, 4 failed$")

    def test_each_check_fails_with_both_values(self):
        _, out = run("fails_in_each_way")
        for part in ["does not hold: 1 == 2", "-1 is -1, not 1", "255 is 255 (0xff), not 256 (0x100)",
                     '"got" is "got", not "want"', 'null is NULL, not "want"',
                     "differs at byte 2 of 4: from there it is 63 64, not 58 64",
                     "1.0 is 1, not 1.5 (within 0.1", '"stale" has no "good"']:
            self.assertIn(part, out)
        self.assertEqual(len(re.findall(r"(?m)^# tests/house/failing_suite\.c:\d+: ", out)), 9, out)

    def test_label(self):
        _, out = run("label_names")
        self.assertIn("[case 0] ", out)
        self.assertNotIn("[case 1] ", out)
        self.assertIn("[case 2] ", out)

    def test_require_leaves(self):
        code, out = run("require_leaves")
        self.assertEqual(code, 1)
        self.assertNotIn("must not be reached", out)

    def test_passing_and_skipped_exit_zero(self):
        self.assertEqual(run("failing_suite/passes")[0], 0)
        code, out = run("skips")
        self.assertEqual(code, 0)
        self.assertIn("ok 1 - failing_suite/skips # SKIP no sensor here", out)

    def test_abort(self):
        self.assertEqual(run("sees_an_abort")[0], 0)
        self.assertEqual(run("sees_no_abort")[0], 1)

    def test_tmpdir_is_removed(self):
        code, out = run("tmpdir")
        self.assertEqual(code, 0)
        path = re.search(r"# tmpdir (\S+)", out).group(1)
        self.assertFalse(os.path.exists(path))

    def test_seed(self):
        self.assertEqual(run("seed_is")[0], 0)
        code, out = run("seed_is", "--seed=43")
        self.assertEqual(code, 1)
        self.assertIn("# seed 43", out)

    def test_a_crash_is_a_failure_with_its_name(self):
        code, out = run("last_one", SUITE_MAY_DIE="1")
        self.assertNotEqual(code, 0)
        self.assertIn("not ok - failing_suite/last_one_dies", out)

    def test_usage_and_list(self):
        self.assertEqual(run("--no-such-option")[0], 2)
        code, out = run("--list")
        self.assertEqual(code, 0)
        self.assertEqual(len(out.splitlines()), 10)
        self.assertEqual(run("no such name")[0], 1)


unittest.main()
