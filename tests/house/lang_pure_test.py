"""src/lang builds alone with src/base, asks nothing of the system, and knows no word of the things that sites are about:
those come to it in the tables of a schema."""

import concurrent.futures
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
FLAGS = ["-std=gnu11", "-D_GNU_SOURCE", "-O0", "-Wall", "-Werror"]

# What a calculation may ask of the C library: memory, texts, numbers.
ALLOWED = re.compile(
    r"^(mem\w+|str(len|cmp|ncmp|chr|rchr|spn|cspn|nlen|tod|toll|toull)|v?snprintf|__v?snprintf_chk|__mem\w+_chk|"
    r"abort|longjmp|__longjmp_chk|_setjmp|setjmp|__stack_chk_fail|qsort|bsearch|isoc99_\w+|"
    r"f?(abs|min|max|mod)f?|floor|ceil|round|l?lround|trunc|sqrt|pow|exp|log|log10|log2|sin|cos|ldexp|frexp|nan|nearbyint|rint|"
    r"__ctype_b_loc|__ctype_tolower_loc|__ctype_toupper_loc|_GLOBAL_OFFSET_TABLE_)$")

WORDS = ["mqtt", "modbus", "sparkplug", "zigbee", "broker", "sensor", "actuator", "device", "valve", "pump", "lamp",
         "thermostat", "gateway", "dashboard", "alert", "detector", "topic", "payload", "factory", "property"]


def sources(folder):
    return sorted(p for p in (ROOT / "src" / folder).glob("*.c") if not p.name.endswith("_test.c"))


def names(path, kind):
    out = subprocess.run(["nm", "--format=posix", *kind, str(path)], capture_output=True, text=True, check=True).stdout
    return {line.split()[0] for line in out.splitlines() if line and not line.endswith(":")}


class Pure(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        root = pathlib.Path(cls.folder.name)
        (root / "src").mkdir()
        for name in ("base", "lang"):  # nothing else can be included
            (root / "src" / name).symlink_to(ROOT / "src" / name)

        def compiled(name, c):
            o = root / f"{name}_{c.stem}.o"
            subprocess.run(["cc", *FLAGS, "-I", str(root / "src"), "-c", str(root / "src" / name / c.name), "-o", str(o)],
                           check=True)
            return o

        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            cls.objects = {name: list(pool.map(lambda c, name=name: compiled(name, c), sources(name)))
                           for name in ("base", "lang")}

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def test_it_needs_base_and_calculations_only(self):
        have = set().union(*(names(o, ["--defined-only"]) for o in self.objects["base"] + self.objects["lang"]))
        for o in self.objects["lang"]:
            wants = {n.split("@")[0] for n in names(o, ["--undefined-only"])} - have
            foreign = sorted(n for n in wants if not ALLOWED.match(n))
            self.assertEqual(foreign, [], f"{o.name} asks the system")

    def test_it_links_alone(self):
        root = pathlib.Path(self.folder.name)
        (root / "main.c").write_text('#include "lang/lang.h"\n'
                                     "int main(void)\n{\n"
                                     "    static const struct lang_schema none = {0};\n"
                                     '    struct lang_source s = {STR("a"), STR("fn f() -> int { return 1 }\\n")};\n'
                                     "    struct lang_site *site;\n"
                                     "    if (lang_check(alloc_system(), &none, &s, 1, &site))\n        return 1;\n"
                                     "    int errors = (int)site->errors;\n"
                                     "    lang_site_free(site);\n    return errors;\n}\n")
        subprocess.run(["cc", *FLAGS, "-I", str(root / "src"), str(root / "main.c"), "-o", str(root / "main"),
                        *map(str, self.objects["lang"] + self.objects["base"]), "-lm", "-lpthread"], check=True)
        self.assertEqual(subprocess.run([str(root / "main")], timeout=60).returncode, 0)

    def test_it_knows_no_word_of_what_sites_are_about(self):
        pattern = re.compile(r"\b(" + "|".join(w + r"(?:s|ies)?" for w in WORDS) + r")\b", re.I)
        found = []
        for path in sorted((ROOT / "src/lang").glob("*.[ch]")):
            if path.name.endswith("_test.c") or path.name.endswith("_cases.h") or "fixture" in path.name:
                continue
            for n, line in enumerate(path.read_text().splitlines(), 1):
                if pattern.search(line) and not line.lstrip().startswith(("*", "/*", "//")) and "/*" not in line:
                    found.append(f"{path.name}:{n}: {line.strip()}")
        self.assertEqual(found, [])


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "-v"])
