"""The checks find what they are for, and leave alone what is fine."""

import unittest

import layering
import shape
import words


class Layering(unittest.TestCase):
    def forbidden(self, path, included):
        found = layering.problems(path, f'// x\n#include "{included}"\n')
        self.assertEqual(len(found), 1, f"{path} -> {included} must be forbidden")
        self.assertIn(f"{path}:2", found[0])

    def allowed(self, path, included):
        self.assertEqual(layering.problems(path, f'#include "{included}"\n'), [])

    def test_the_daemons_never_meet(self):
        self.forbidden("region-node/peer/server.cc", "replicator/core/pump.h")
        self.forbidden("replicator/io/driver.cc", "region-node/store/store.h")
        self.forbidden("replicator/main.cc", "region-node/config.h")

    def test_nothing_points_upwards(self):
        self.forbidden("common/bytes.cc", "conflict/version.h")
        self.forbidden("common/bytes.cc", "common/sqlite/database.h")
        self.forbidden("conflict/version.cc", "rpc/change_record.h")
        self.forbidden("region-node/model/image.cc", "region-node/store/store.h")
        self.forbidden("region-node/store/engine.cc", "region-node/api/error.h")
        self.forbidden("region-node/peer/server.cc", "region-node/api/api.h")
        self.forbidden("rpc/codec.cc", "region-node/model/image.h")

    def test_pure_cores_stay_pure(self):
        self.forbidden("conflict/hlc.h", "common/clock.h")
        self.forbidden("replicator/core/pump.cc", "common/clock.h")
        self.forbidden("replicator/core/pump.cc", "rpc/session.h")

    def test_tools_use_the_public_surface_only(self):
        self.forbidden("tools/meridian/verify.cc", "region-node/store/store.h")
        self.forbidden("tools/bench/main.cc", "replicator/core/pump.h")
        self.forbidden("tools/bench/main.cc", "region-node/api/api.h")
        self.allowed("tools/bench/feeder.h", "region-node/store/store.h")

    def test_what_the_table_allows(self):
        self.allowed("region-node/store/engine.cc", "rpc/change_record.h")
        self.allowed("region-node/store/engine.cc", "region-node/store/store.h")
        self.allowed("rpc/codec.cc", "rpc/region.capnp.h")
        self.allowed("region-node/api/ops/put.cc", "region-node/api/error.h")
        self.allowed("tests/unit/conflict/hlc_test.cc", "conflict/hlc.h")
        self.allowed("common/bytes.cc", "common/bytes.h")

    def test_unknown_folders_and_relative_paths(self):
        self.assertTrue(layering.problems("extra/new.cc", "int x;\n"))
        self.forbidden("common/bytes.cc", "bytes.h")

    def test_every_folder_in_the_table_is_decided(self):
        for folder, allowed in layering.ALLOWED.items():
            for target in allowed or []:
                decided = target if target in layering.ALLOWED else layering.folder_of(target)
                self.assertIsNotNone(decided, f"{folder} allows the unknown {target}")


class Words(unittest.TestCase):
    def test_finds_banned_words(self):
        for line in ("auto t = std::chrono::steady_clock::now();", "std::random_device d;",
                     "co_await x;", "using namespace std;", "std::this_thread::sleep_for(x);",
                     "printf(\"here\");", "std::cerr << 1;", "assert(x);", "f([=] { g(); });",
                     "int x;  // TODO later", "auto t = time(nullptr);", "thread.detach();"):
            self.assertEqual(len(words.problems("common/x.cc", line)), 1, line)

    def test_leaves_comments_strings_and_near_words_alone(self):
        for line in ("// never co_await here", "auto s = \"sleep_for\";", "static_assert(true);",
                     "std::snprintf(text, 3, x);", "int random_devices;", "f([&x] { g(); });",
                     "/* using namespace std; */", "wait_time(0);"):
            self.assertEqual(words.problems("common/x.cc", line), [], line)

    def test_exceptions_hold_for_their_file_alone(self):
        self.assertEqual(words.problems("common/clock.cc", "clock_gettime(id, &now);"), [])
        self.assertTrue(words.problems("common/log.cc", "clock_gettime(id, &now);"))
        self.assertEqual(words.problems("tools/bench/main.cc", "std::printf(x);"), [])


class Shape(unittest.TestCase):
    def test_long_functions(self):
        def body(lines):
            return "int f() {\n" + "  g();\n" * lines + "}\n"
        self.assertEqual(shape.long_functions("common/x.cc", body(68)), [])
        self.assertEqual(len(shape.long_functions("common/x.cc", body(69))), 1)
        member = "class A {\n public:\n  void f() {\n" + "    g();\n" * 70 + "  }\n};\n"
        self.assertEqual(len(shape.long_functions("common/x.cc", member)), 1)
        many = "class A {\n" + "  void f() {\n    g();\n  }\n" * 40 + "};\n"
        self.assertEqual(shape.long_functions("common/x.cc", many), [])
        self.assertEqual(shape.long_functions("common/x.cc", "namespace a {\n" + "\n" * 90 + "}\n"),
                         [])

    def test_lines_and_files(self):
        self.assertEqual(shape.long_lines("x.cc", "x" * 100 + "\n"), [])
        self.assertEqual(len(shape.long_lines("x.cc", "x" * 101 + "\n")), 1)
        self.assertEqual(shape.long_lines("x.cc", "// " + "x" * 107 + "\n"), [])
        self.assertEqual(len(shape.long_lines("x.cc", "// " + "x" * 108 + "\n")), 1)
        self.assertEqual(shape.long_lines("x.cc", "ü" * 100 + "\n"), [])
        self.assertEqual(shape.long_file("x.cc", "\n" * 800), [])
        self.assertEqual(len(shape.long_file("x.cc", "\n" * 801)), 1)

    def test_headers(self):
        good = "// Clock: the only door to time, so that tests can bend it.\n#pragma once\n"
        self.assertEqual(shape.header_contract("common/x.h", good), [])
        self.assertTrue(shape.header_contract("common/x.h", "#pragma once\n"))
        self.assertTrue(shape.header_contract("common/x.h", "// Clock.\n#pragma once\n"))


if __name__ == "__main__":
    unittest.main()
