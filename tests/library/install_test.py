"""What make install puts down is complete, keeps its names to itself, and is found by pkg-config and CMake."""

import re
import sys
import unittest

from sedge_installed import BUILD, HEADERS, SOURCE, Installed, declared, public_functions, run

# Names that the house has too, and that any program may have.
COLLIDES = """
#include <sedge/sedge.h>
int mutex_init(int a) { return a + 1; }
int chan_send(int a) { return a + 2; }
int pool_take(int a) { return a + 3; }
int err_name(int a) { return a + 4; }
static intptr_t run(void *arg)
{
    struct sedge_mutex m;
    sedge_mutex_init(&m, SEDGE_SHARED);
    int *n = arg;
    if (sedge_mutex_lock(&m))
        return 1;
    return mutex_init(*n) + chan_send(*n) + pool_take(*n) + err_name(*n);
}
int main(void)
{
    int n = 8;
    return sedge_main(NULL, run, &n) == 42 ? 0 : 1;
}
"""

CPLUSPLUS = """
#include <sedge/sedge.h>
static intptr_t run(void *)
{
    sedge_chan *c;
    int seven = 7, got = 0;
    size_t arm = 9;
    if (sedge_chan_new(&c, sizeof(int), 1, SEDGE_LOCAL))
        return 1;
    sedge_arm arms[] = {sedge_arm_send(c, &seven)};
    if (sedge_select(arms, 1, &arm) || sedge_chan_recv(c, &got))
        return 2;
    sedge_chan_free(c);
    return got == 7 && arm == 0 ? 0 : 3;
}
int main()
{
    return sedge_main(nullptr, run, nullptr);
}
"""

CMAKE = """
cmake_minimum_required(VERSION 3.25)
project(user C)
find_package(sedge-rt 0.1 REQUIRED)
add_executable(shared main.c)
target_link_libraries(shared sedge::rt)
add_executable(static main.c)
target_link_libraries(static sedge::rt-static)
find_package(sedge-mqtt 0.1 REQUIRED)
add_executable(mqtt mqtt.c)
target_link_libraries(mqtt sedge::mqtt)
add_executable(mqtt-static mqtt.c)
target_link_libraries(mqtt-static sedge::mqtt-static)
"""

# A client on the runtime of the same library: nobody listens on the port of "discard".
MQTT = """
#include <sedge/mqtt.h>
#include <sedge/sedge.h>
static bool lost(void *ctx, const struct sedge_mqtt_loss *loss)
{
    *(enum sedge_err *)ctx = loss->err;
    return false;
}
static intptr_t run(void *arg)
{
    struct sedge_mqtt *c;
    enum sedge_err how = SEDGE_OK;
    struct sedge_mqtt_config config = {0};
    (void)arg;
    config.port = 9;
    config.ctx = &how;
    config.lost = lost;
    if (sedge_mqtt_new(&c, &config, NULL))
        return 1;
    if (sedge_mqtt_await_online(c, -1) != SEDGE_ERR_CLOSED)
        return 2;
    sedge_mqtt_free(c);
    return how == SEDGE_ERR_IO ? 0 : 3;
}
int main(void)
{
    return sedge_main(NULL, run, NULL);
}
"""


class Install(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lib = cls.enterClassContext(Installed())
        cls.shared = cls.lib.lib / "libsedge-rt.so.0"
        cls.static = cls.lib.lib / "libsedge-rt.a"
        cls.mqtt = cls.lib.lib / "libsedge-mqtt.so.0"

    def test_everything_is_there(self):
        want = ["bin/sedge", "include/sedge/sedge.h", "share/man/man3/sedge_chan.3", "share/man/man3/sedge_chan_send.3",
                "share/man/man1/sedge.1", "share/man/man1/sedge-run.1", "share/bash-completion/completions/sedge",
                "share/zsh/site-functions/_sedge", "share/fish/vendor_completions.d/sedge.fish",
                "share/doc/sedge/tutorial.md", "share/doc/sedge/howto/modbus.md", "share/doc/sedge/running.md"]
        for name in want:
            self.assertTrue((self.lib.prefix / name).exists(), name)
        self.assertEqual([h.name for h in HEADERS], sorted(h.name for h in (self.lib.prefix / "include/sedge").iterdir()))
        self.assertIn("sedge", run(self.lib.prefix / "bin/sedge", "--version"))

    def test_staging_does_not_show(self):
        stage = self.lib.tmp / "stage"
        run("cmake", "--install", BUILD, "--prefix", "/opt/x", env={**self.lib.env, "DESTDIR": str(stage)})
        self.assertTrue((stage / "opt/x/bin/sedge").exists())
        text = next(stage.rglob("sedge-rt.pc")).read_text()
        self.assertIn("prefix=/opt/x\n", text)
        self.assertNotIn(str(stage), text)

    def test_uninstalling_leaves_what_is_not_sedges(self):
        stage = self.lib.tmp / "leaving"
        env = {**self.lib.env, "DESTDIR": str(stage)}
        run("cmake", "--install", BUILD, "--prefix", "/opt/x", env=env)
        others = [stage / "opt/x" / name for name in ["lib/libother.so", "include/sedge/mine.h"]]
        for other in others:
            other.write_text("mine")
        run(SOURCE / "tools/uninstall", BUILD, "/opt/x", env=env)
        self.assertEqual(sorted(p for p in stage.rglob("*") if not p.is_dir()), sorted(others))
        self.assertFalse((stage / "opt/x/share/doc/sedge").exists())
        self.assertIn("0 files removed", run(SOURCE / "tools/uninstall", BUILD, "/opt/x", env=env))

    def test_shared_libraries_export_what_the_headers_declare(self):
        mqtt = set(declared(SOURCE / "include/sedge/mqtt.h"))
        for library, path in [("rt", self.shared), ("mqtt", self.mqtt)]:
            lines = run("nm", "-D", "--defined-only", "--with-symbol-versions", path).splitlines()
            found = [line.split()[2] for line in lines if line.split()[1] != "A"]
            want = [f"{name}@@SEDGE_{'MQTT' if name in mqtt else 'RT'}_0.1" for name in public_functions(library)]
            self.assertEqual(sorted(found), want, library)

    def test_what_shared_libraries_need(self):
        for path, want in [(self.shared, ["libc", "liburing"]),
                           (self.mqtt, ["libc", "libcrypto", "libm", "libssl", "liburing", "libwslay"])]:
            dynamic = run("readelf", "-d", path)
            needed = re.findall(r"NEEDED.*\[(.*)\]", dynamic)
            self.assertEqual(sorted(n.split(".so")[0] for n in needed if not n.startswith("ld-linux")), want)
            self.assertIn("SONAME", dynamic)
            self.assertNotRegex(dynamic, "R(UN)?PATH|TEXTREL")

    def test_static_libraries_keep_their_names_to_themselves(self):
        for library in ["rt", "mqtt"]:
            lines = run("nm", "-g", "--defined-only", self.lib.lib / f"libsedge-{library}.a").splitlines()
            found = sorted(line.split()[2] for line in lines if len(line.split()) == 3)
            self.assertEqual(found, public_functions(library))
        program = self.lib.compile(self.lib.write("collides.c", COLLIDES), static=True)
        run(program)

    def test_each_header_stands_alone(self):
        for header in HEADERS:
            for compiler, standard in [("cc", "c11"), ("cc", "c2x"), ("g++", "c++11"), ("g++", "c++20")]:
                with self.subTest(header=header.name, standard=standard):
                    language = "c++" if compiler == "g++" else "c"
                    source = self.lib.write(f"alone.{language}", f"#include <sedge/{header.name}>\n")
                    run(compiler, f"-std={standard}", "-x", language, "-fsyntax-only", "-Wall", "-Wextra", "-Wpedantic",
                        "-Werror", *self.lib.flags("--cflags"), source)

    def test_headers_use_prefixed_names_only(self):
        for header in HEADERS:
            macros = re.findall(r"^#define (\w+)", header.read_text(), re.M)
            self.assertEqual([m for m in macros if not m.startswith("SEDGE_")], [], header.name)
            self.assertEqual(re.findall(r'#include "', header.read_text()), [], header.name)

    def test_from_cplusplus(self):
        source = self.lib.write("plus.cc", CPLUSPLUS)
        run(self.lib.compile(source, compiler="g++", standard="c++11"), env=self.lib.env)

    def test_loaded_into_a_running_program(self):
        script = ("import ctypes, sys; lib = ctypes.CDLL(sys.argv[1]); rt = ctypes.c_void_p(); "
                  "r = lib.sedge_rt_new(ctypes.byref(rt), None, None); print(r, bool(rt)); lib.sedge_rt_free(rt)")
        self.assertEqual(run(sys.executable, "-c", script, self.shared), "0 True\n")

    def test_from_cmake(self):
        self.lib.write("CMakeLists.txt", CMAKE)
        self.lib.write("main.c", (SOURCE / "examples/rt/pipeline.c").read_text())
        self.lib.write("mqtt.c", MQTT)
        build = self.lib.tmp / "cmake"
        run("cmake", "-S", self.lib.tmp, "-B", build, "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={self.lib.prefix}")
        run("cmake", "--build", build)
        for program in ["shared", "static"]:
            self.assertIn("338350", run(build / program, env=self.lib.env))
        run(build / "mqtt", env=self.lib.env)
        run(build / "mqtt-static")

    def test_mqtt_from_pkg_config(self):
        for static in [False, True]:
            run(self.lib.compile(self.lib.write("alone.c", MQTT), static=static, library="mqtt"), env=self.lib.env)

    def test_version_is_one(self):
        version = self.lib.flags("--modversion")[0]
        self.assertIn(f'#define SEDGE_RT_VERSION "{version}"', (SOURCE / "include/sedge/rt.h").read_text())
        self.assertTrue(self.shared.resolve().name.endswith(f".so.{version}"))


unittest.main()
