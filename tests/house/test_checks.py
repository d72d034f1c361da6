"""tests/house/test_checks.py - each checker finds a planted violation, and leaves good trees alone.

Environment: CC, the compiler of the build; cc where it is not set.
"""

import json
import os
import subprocess
import tempfile
import unittest

import check_assertions
import check_callers
import check_decoders
import check_documents
import check_headers
import check_includes
import check_limits
import check_openapi
import check_purity
import check_registered
import check_routes
import check_sessions
import check_text
import check_top_level
import sessions
import tree

COMPILER = os.environ.get("CC", "cc")


class Scratch(unittest.TestCase):
    """A folder to plant files in; it is no clone, so git plays no part."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.root = self.folder.name
        self.addCleanup(self.folder.cleanup)

    def plant(self, name, text=""):
        path = os.path.join(self.root, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path


class Callers(Scratch):
    def found(self, allowed=""):
        return check_callers.findings(self.root, allowed)

    def test_a_function_that_only_a_test_calls_is_found(self):
        self.plant("store/a.h", "/* spean_a_get(). */\nint spean_a_get(int x);\n")
        self.plant("store/a.c", "int spean_a_get(int x)\n{\n    return x;\n}\n")
        self.plant("tests/unit/test_a.c", "int main(void)\n{\n    return spean_a_get(1);\n}\n")
        self.assertEqual(self.found(), ["store/a.h: nothing in the product calls spean_a_get"])

    def test_a_name_in_a_comment_or_a_text_is_no_call(self):
        self.plant("node/a.h", "int spean_a_get(void);\n")
        self.plant("node/b.c", 'void b(void)\n{\n    puts("spean_a_get()"); /* spean_a_get(). */\n}\n')
        self.assertEqual(len(self.found()), 1)

    def test_calls_tables_and_macros_count(self):
        self.plant("node/a.h", "int spean_a(void);\nint spean_b(void);\nint spean_c(void);\n"
                               "#define DO_C() \\\n    spean_c()\n")
        self.plant("node/a.c", "static int (*const f[])(void) = {spean_a};\n"
                               "int x(void)\n{\n    return spean_b();\n}\n")
        self.assertEqual(self.found(), [])

    def test_a_function_type_and_a_folder_beside_the_product_are_left_alone(self):
        self.plant("store/a.h", "typedef int spean_compare(const void *a,\n    const void *b);\n")
        self.plant("tests/support/kit.h", "void spean_kit(void);\n")
        self.assertEqual(self.found(), [])

    def test_the_allow_list_excuses_with_a_reason_and_only_while_it_has_to(self):
        self.plant("store/a.h", "int spean_a(void);\nint spean_b(void);\n")
        self.plant("store/b.c", "int b(void)\n{\n    return spean_b();\n}\n")
        self.assertEqual(self.found("# Why.\n\nspean_a a later step\n"), [])
        self.assertEqual(self.found("spean_a\n"), ["allow-list line 1: spean_a has no reason"])
        self.assertEqual(self.found("spean_a x\nspean_b x\nspean_c x\n"),
                         ["allow-list: the product calls spean_b",
                          "allow-list: no header declares spean_c"])


class Tree(Scratch):
    def test_build_folders_are_no_part_of_the_tree(self):
        self.plant("build/dev/a.c")
        self.plant("store/b.c")
        self.assertEqual(tree.files(self.root, ".c"), ["store/b.c"])

    def test_a_clone_is_listed_without_ignored_files(self):
        self.plant(".gitignore", "*.o\n")
        self.plant("store/new file.c")
        self.plant("store/b.o")
        try:
            subprocess.run(["git", "init", "-q", self.root], check=True)
        except OSError:
            self.skipTest("git is not installed")
        self.assertEqual(tree.files(self.root), [".gitignore", "store/new file.c"])


class Includes(Scratch):
    def refused(self, name, line):
        self.plant(name, line + "\n")
        return check_includes.findings(self.root)

    def test_arrows_that_point_the_wrong_way_are_found(self):
        for name, header in [
            ("protocol/a.c", "store/store.h"),
            ("protocol/a.h", "node/node.h"),
            ("store/a.c", "node/node.h"),
            ("store/a.c", "tools/table.h"),
            ("node/a.c", "tools/table.h"),
            ("tools/a.c", "node/node.h"),
            ("tests/unit/protocol/test_a.c", "store/store.h"),
            ("tests/unit/tools/test_a.c", "node/node.h"),
            ("node/a.c", "local.h"),
        ]:
            with self.subTest(name=name, header=header):
                self.assertEqual(len(self.refused(name, f'#include "{header}"')), 1)
                os.remove(os.path.join(self.root, name))

    def test_libraries_outside_their_folder_are_found(self):
        for name, header in [
            ("protocol/a.c", "lmdb.h"),
            ("node/a.c", "lmdb.h"),
            ("tools/a.c", "lmdb.h"),
            ("tools/a.c", "zmq.h"),
            ("store/a.h", "zmq.h"),
            ("store/a.c", "msgpack.h"),
            ("node/a.c", "msgpack.h"),
            ("node/a.c", "msgpack/pack.h"),
            ("node/a.c", "curl/curl.h"),
            ("tools/a.c", "event2/http.h"),
            ("protocol/a.c", "time.h"),
            ("protocol/a.c", "sys/socket.h"),
            ("store/a.c", "protocol/err.h"),
        ]:
            with self.subTest(name=name, header=header):
                self.assertNotEqual(self.refused(name, f"  #  include <{header}>"), [])
                os.remove(os.path.join(self.root, name))

    def test_what_the_table_allows_passes(self):
        self.plant("protocol/a.c", '#include "protocol/a.h"\n#include <sodium.h>\n')
        self.plant("store/a.c", '#include "protocol/a.h"\n#include <lmdb.h>\n#include <time.h>\n')
        self.plant("node/a.c", '#include "store/a.h"\n#include <zmq.h>\n')
        self.plant("tools/a.c", '#include "store/a.h"\n#include <curl/curl.h>\n')
        self.plant("tests/unit/node/test_a.c", '#include "node/a.h"\n#include <cmocka.h>\n')
        self.assertEqual(check_includes.findings(self.root), [])


class Text(Scratch):
    def test_a_function_of_71_lines_is_found_and_one_of_70_is_not(self):
        for lines, findings in [(70, 0), (71, 1)]:
            body = "    a();\n" * (lines - 3)
            shell = "    :\n" * (lines - 2)
            python = "    pass\n" * (lines - 1)
            self.plant("store/a.c", f"#include <a.h>\nint f(void)\n{{\n{body}}}\n")
            self.plant("tools/a.sh", f"f() {{\n{shell}}}\n")
            self.plant("tests/a.py", f"def f():\n{python}")
            with self.subTest(lines=lines):
                self.assertEqual(len(check_text.findings(self.root)), 3 * findings)

    def test_a_signature_over_several_lines_counts(self):
        body = "    a();\n" * 67
        self.plant("store/a.c", f"/* What it does. */\nint f(int a,\n      int b)\n{{\n{body}}}\n")
        self.assertEqual(len(check_text.findings(self.root)), 1)

    def test_unfinished_work_is_found(self):
        words = ["TO" "DO", "FIX" "ME", "XX" "X", "#if " "0", "# if " "0", "not " "implemented"]
        for word in words:
            for name in ["store/a.c", "store/a.h", "tools/a.sh", "tests/a.py"]:
                with self.subTest(word=word, name=name):
                    self.plant(name, f"# {word}: later\n" if name[-1] in "hy" else f"{word} x\n")
                    if name.endswith(".py"):
                        self.plant(name, f"# {word}\n")
                    self.assertEqual(len(check_text.findings(self.root)), 1)
                    os.remove(os.path.join(self.root, name))

    def test_a_document_that_is_not_in_the_tree_is_found(self):
        for words in ["BLUE" "PRINT 7.5", "see RECO" "RDS.md", "EXPERI" "ENCE.md says"]:
            for name in ["store/a.c", "tools/a.sh", "tests/a.py", "docs/A.md"]:
                with self.subTest(words=words, name=name):
                    self.plant(name, f"# {words}\n")
                    self.assertEqual(len(check_text.findings(self.root)), 1)
                    os.remove(os.path.join(self.root, name))

    def test_finished_work_passes(self):
        self.plant("store/a.c", "struct a {\n    int b;\n};\n\nint f(void)\n{\n    return 0;\n}\n")
        self.assertEqual(check_text.findings(self.root), [])


class Assertions(Scratch):
    def findings_of(self, body="assert_true(1);", helper=""):
        text = f"{helper}\nstatic void a_rule(void **state)\n{{\n    {body}\n}}\n\n"
        text += "int main(void)\n{\n    run(cmocka_unit_test(a_rule));\n}\n"
        self.plant("tests/unit/store/test_a.c", text)
        return check_assertions.findings(self.root)

    def test_a_test_without_assertion_is_found(self):
        for body in ["(void)state;", "/* assert_true(1); */", 'puts("assert_true(1)");', "run();"]:
            with self.subTest(body=body):
                self.assertEqual(len(self.findings_of(body)), 1)

    def test_a_helper_that_asserts_nothing_does_not_count(self):
        helper = "static void check_it(void)\n{\n    run();\n}\n"
        self.assertEqual(len(self.findings_of("check_it();", helper)), 1)

    def test_a_test_that_cannot_be_found_is_reported(self):
        self.plant("tests/unit/store/test_b.c", "int x = cmocka_unit_test(not_here);\n")
        self.assertEqual(len(check_assertions.findings(self.root)), 1)

    def test_tests_registered_by_a_macro_are_looked_at(self):
        text = "#define ROW(test) \\\n    cmocka_unit_test_setup(test, up)\n"
        text += "static void empty(void **state)\n{\n}\n\nint main(void)\n{\n    ROW(empty);\n}\n"
        self.plant("tests/unit/store/test_a.c", text)
        found = check_assertions.findings(self.root)
        self.assertEqual(found, ["tests/unit/store/test_a.c: empty: asserts nothing"])

    def test_assertions_and_helpers_that_assert_pass(self):
        helper = "static void refuse(int n)\n{\n    assert_int_equal(n, 1);\n}\n"
        for body in ["assert_true(1);", "expect_call(1);", "check_other(1);", "refuse(1);", "x_assert();"]:
            with self.subTest(body=body):
                self.assertEqual(self.findings_of(body, helper), [])


class Decoders(Scratch):
    def setUp(self):
        super().setUp()
        self.plant("protocol/a.h", "spean_err spean_a_decode(struct spean_view bytes);\n"
                                   "/* Not spean_comment_decode(). */\n")
        self.plant("tests/fuzz/fuzz_a.c", "spean_a_decode(bytes)\n")
        self.plant("tests/fuzz/corpus/a/one")

    def refused(self, rows):
        self.plant("tests/fuzz/decoders.txt", rows)
        return check_decoders.findings(self.root)

    def test_a_decoder_that_is_not_listed_is_found(self):
        self.assertEqual(len(self.refused("# nothing\n")), 1)

    def test_rows_that_promise_what_is_not_there_are_found(self):
        good = "spean_a_decode a\n"
        for rows in [
            "spean_a_decode b\n",
            "spean_a_decode a: spean_b_decode\n",
            "spean_a_decode -\n",
            good + good,
            good + "spean_b_decode - no reason is enough\n",
            good + "what is this\n",
        ]:
            with self.subTest(rows=rows):
                self.assertEqual(len(self.refused(rows)), 1)

    def test_a_target_without_inputs_is_found(self):
        os.remove(os.path.join(self.root, "tests/fuzz/corpus/a/one"))
        self.assertEqual(len(self.refused("spean_a_decode a\n")), 1)

    def test_rows_that_hold_pass(self):
        for rows in ["spean_a_decode a\n", "spean_a_decode - it decodes nothing\n"]:
            with self.subTest(rows=rows):
                self.assertEqual(self.refused(rows), [])


class TopLevel(Scratch):
    def setUp(self):
        super().setUp()
        for name in check_top_level.REQUIRED:
            self.plant(name if "." in name[1:] or name == "LICENSE" else f"{name}/file")

    def test_the_right_top_level_passes(self):
        self.plant("build/dev/file")
        self.plant(".editorconfig")
        self.assertEqual(check_top_level.findings(self.root), [])

    def test_something_more_is_found(self):
        self.plant("notes.txt")
        self.assertEqual(len(check_top_level.findings(self.root)), 1)

    def test_something_less_is_found(self):
        os.remove(os.path.join(self.root, "LICENSE"))
        self.assertEqual(check_top_level.findings(self.root), ["LICENSE: is missing"])


class Documents(Scratch):
    def test_dead_links_anchors_and_paths_are_found(self):
        self.plant("docs/B.md", "# Only heading\n")
        for text in ["[a](C.md)", "[a](B.md#other)", "[a](#nowhere)", "`store/gone.c`", "`docs/*.txt`"]:
            with self.subTest(text=text):
                self.plant("docs/A.md", text + "\n")
                self.assertEqual(len(check_documents.findings(self.root)), 1)

    def test_live_ones_pass(self):
        self.plant("store/a.c")
        self.plant("docs/B.md", "# The `heap`, and more\n")
        text = "[b](B.md) [b](B.md#the-heap-and-more) [w](https://example.org/) [c](../store/a.c)\n"
        text += "`store/a.c` `store/` `store/*.c` `tests/fuzz/fuzz_NAME.c`\n"
        self.plant("docs/A.md", text)
        self.assertEqual(check_documents.findings(self.root), [])


class Sessions(Scratch):
    RUN = "<!-- tests/system/test_readme.py runs this block. -->\n"
    NOT = "<!-- not a session: it takes hours. -->\n"

    def test_commands_that_nobody_runs_and_nobody_marked_are_found(self):
        for name in ["README.md", "CONTRIBUTING.md", "docs/A.md"]:
            for text in ["```sh\na\n```", "```console\na\n```", "```\n$ a\n```", "a\n\n    spean status",
                         "a\n\n    b\n    X=1 tools/a.sh", "<!-- not a session: -->\n```sh\na\n```",
                         self.RUN + "\n```sh\na\n```", self.NOT + "```sh\na\n```\n```sh\nb\n```",
                         self.NOT + "```\ncmake .\n```"]:
                with self.subTest(name=name, text=text):
                    path = self.plant(name, text + "\n")
                    self.assertEqual(len(check_sessions.findings(self.root)), 1)
                    os.remove(path)

    def test_what_is_run_or_marked_or_no_command_passes(self):
        text = self.RUN + "```sh\na\n```\n" + self.NOT + "```sh\nb\n```\n```json\n{}\n```\n"
        text += "```\nplain\n```\n\n    store: refuse forks\n\n`spean status` in a line\n"
        self.plant("README.md", text)
        self.plant("tests/A.md", "```sh\na\n```\n")
        self.assertEqual(check_sessions.findings(self.root), [])

    def test_a_session_is_every_block_that_is_run_in_its_order(self):
        text = self.RUN + "```sh\na\n```\n" + self.NOT + "```sh\nb\n```\n" + self.RUN + "```sh\nc\n```\n"
        self.assertEqual(sessions.session(text), "a\nc")
        self.assertEqual(sessions.session("```sh\na\n```\n"), "")


class Headers(Scratch):
    FLAGS = ["-std=c11", "-Wall", "-Werror"]

    def test_a_header_that_needs_another_first_is_found(self):
        self.plant("store/a.h", "#ifndef A\n#define A\nuint8_t a(void);\n#endif\n")
        self.assertEqual(len(check_headers.findings(self.root, COMPILER, self.FLAGS)), 1)

    def test_a_header_without_guard_is_found(self):
        self.plant("store/a.h", "struct a {\n    int b;\n};\n")
        self.assertEqual(len(check_headers.findings(self.root, COMPILER, self.FLAGS)), 1)

    def test_a_header_that_stands_alone_passes(self):
        self.plant("store/a.h", "#ifndef A\n#define A\n#include <stdint.h>\nuint8_t a(void);\n#endif\n")
        self.assertEqual(check_headers.findings(self.root, COMPILER, self.FLAGS), [])


class Purity(Scratch):
    def findings_of(self, source):
        self.plant("a.c", source)
        self.plant("allowed.txt", "# names\nmem*\nfree # the allocator\n")
        run = {"check": True, "cwd": self.root}
        subprocess.run([COMPILER, "-O2", "-fPIC", "-c", "a.c"], **run)
        subprocess.run(["ar", "rcs", "liba.a", "a.o"], **run)
        return check_purity.findings(os.path.join(self.root, "liba.a"),
                                     os.path.join(self.root, "allowed.txt"))

    def test_a_function_outside_the_list_is_found(self):
        for call in ["time((void *)0)", "getenv(name)", "rand()"]:
            with self.subTest(call=call):
                head = "#include <stdlib.h>\n#include <time.h>\n"
                source = head + f"long f(const char *name) {{ (void)name; return (long){call}; }}\n"
                self.assertEqual(len(self.findings_of(source)), 1)

    def test_writable_data_is_found(self):
        for source in [
            "int f(void) { static int n; return ++n; }",
            "int f(void) { static int n = 7; return ++n; }",
            "int n = 7;",
            "int n;",
            "_Thread_local int n;",
        ]:
            with self.subTest(source=source):
                self.assertEqual(len(self.findings_of(source + "\n")), 1)

    def test_pure_code_with_constant_tables_passes(self):
        source = "#include <stdlib.h>\n#include <string.h>\n"
        source += 'static const char *const names[] = {"a", "b"};\n'
        source += "const char *name(int i) { return names[i]; }\n"
        source += "int f(void *a, void *b, size_t n) { int r = memcmp(a, b, n); free(a); return r; }\n"
        self.assertEqual(self.findings_of(source), [])


class Registered(Scratch):
    SOURCES = ["store/a.c", "tests/unit/store/test_b.c", "tests/fuzz/fuzz_c.c"]

    def findings_of(self, *lists):
        for name in self.SOURCES:
            self.plant(name)
        for name, text in zip(self.SOURCES, lists):
            self.plant(os.path.join(os.path.dirname(name), "CMakeLists.txt"), text)
        return len(check_registered.findings(self.root))

    def test_sources_that_no_list_names_are_found(self):
        self.assertEqual(self.findings_of(), 3)
        self.assertEqual(self.findings_of("add(\n  aa.c)", "spean_unit_test(bb x)", "# fuzz_c.c"), 3)

    def test_sources_that_are_named_pass(self):
        lists = ["add_library(s\n    a.c\n)", "spean_unit_test(b s)", "spean_fuzz_target(c s)"]
        self.assertEqual(self.findings_of(*lists), 0)


class Routes(Scratch):
    TABLE = """{.method = "GET", .path = "/v1/a", .read = get},
               {.method = "POST",
                .path = "/v1/a/{id}/b",
                .run = run},
               {"PATCH", "/v1/c", SPEAN_ROUTE_WRITE, NULL, NULL, patch},"""
    LISTED = ["GET /v1/a", "POST /v1/a/{id}/b", "PATCH /v1/c"]

    def findings_of(self, *cells, table=TABLE):
        rows = "".join(f"| {cell} | does it |\n" for cell in cells)
        other = "| GET /v1/other | no route |\n"
        head = f"## Other\n\n{other}\n## Routes\n\n| method and path | does |\n|---|---|\n"
        self.plant("docs/API.md", f"{head}{rows}\n### Bodies\n\n{other}")
        self.plant("node/api_a.c", table)
        self.plant("node/api.c", '"/v1/of_no_table"')
        return len(check_routes.findings(self.root))

    def test_a_route_that_is_not_listed_is_found(self):
        for left_out in self.LISTED:
            with self.subTest(left_out=left_out):
                rest = [cell for cell in self.LISTED if cell != left_out]
                self.assertEqual(self.findings_of(*rest), 1)

    def test_a_listed_route_that_nothing_answers_is_found(self):
        self.assertEqual(self.findings_of(*self.LISTED, "GET /v1/d"), 1)
        self.assertEqual(self.findings_of("GET, POST /v1/a", *self.LISTED[1:]), 1)

    def test_a_route_that_is_listed_twice_is_found(self):
        self.assertEqual(self.findings_of(*self.LISTED, self.LISTED[0]), 1)

    def test_rows_that_cannot_be_read_are_found(self):
        self.assertEqual(self.findings_of(*self.LISTED, "FETCH /v1/a"), 1)
        self.assertEqual(self.findings_of(*self.LISTED, "/v1/a"), 1)
        self.assertEqual(self.findings_of(*self.LISTED, table=self.TABLE + ' {get, "/v1/d"},'), 1)

    def test_routes_listed_in_every_form_pass(self):
        self.assertEqual(self.findings_of(*self.LISTED), 0)
        table = self.TABLE + ' {"GET", "/v1/c", READ}, {"GET", "/v1/c/{id}", READ},'
        cells = ["GET, PATCH /v1/c · GET /v1/c/{id}", *self.LISTED[:2]]
        self.assertEqual(self.findings_of(*cells, table=table), 0)
        table = self.TABLE + ' {"GET", "/v1/d", READ}, {"GET", "/v1/d/{id}", READ},'
        self.assertEqual(self.findings_of("GET /v1/d · /v1/d/{id}", *self.LISTED, table=table), 0)


class OpenApi(Scratch):
    """The description of the local API against tables planted in a scratch folder."""

    TABLE = '{"GET", "/v1/a", READ}, {"POST", "/v1/a", RUN},'

    def findings_of(self, *operations, table=TABLE, called=None):
        self.plant("node/api_x.c", table)
        paths = {}
        for method, path, name in operations:
            paths.setdefault(path, {})[method] = {"operationId": name}
        self.plant("docs/openapi.json", json.dumps({"paths": paths}))
        names = {name for _, _, name in operations} if called is None else called
        self.plant("tests/system/test_openapi.py",
                   "".join(f'    Call("{name}", keep="x"),\n' for name in names))
        return len(check_openapi.findings(self.root))

    def test_what_describes_every_route_once_passes(self):
        self.assertEqual(self.findings_of(("get", "/v1/a", "a"), ("post", "/v1/a", "a_add")), 0)

    def test_a_route_that_is_not_described_is_found(self):
        self.assertEqual(self.findings_of(("get", "/v1/a", "a")), 1)

    def test_an_operation_that_nothing_answers_is_found(self):
        known = [("get", "/v1/a", "a"), ("post", "/v1/a", "a_add")]
        self.assertEqual(self.findings_of(*known, ("get", "/v1/b", "b")), 1)
        self.assertEqual(self.findings_of(*known, ("put", "/v1/a", "a_put")), 1)

    def test_a_name_that_is_missing_or_used_twice_is_found(self):
        self.assertEqual(self.findings_of(("get", "/v1/a", "a"), ("post", "/v1/a", "a")), 1)
        self.assertEqual(self.findings_of(("get", "/v1/a", "a"), ("post", "/v1/a", "A")), 2)

    def test_an_operation_that_no_test_calls_is_found(self):
        known = [("get", "/v1/a", "a"), ("post", "/v1/a", "a_add")]
        self.assertEqual(self.findings_of(*known, called={"a"}), 1)
        self.assertEqual(self.findings_of(*known, called={"a", "a_add", "b"}), 1)

    def test_what_is_no_json_is_found(self):
        self.plant("docs/openapi.json", "{")
        self.assertEqual(len(check_openapi.findings(self.root)), 1)


class Limits(unittest.TestCase):
    def test_a_test_without_limit_or_label_is_found(self):
        limit = {"name": "TIMEOUT", "value": 5}
        label = {"name": "LABELS", "value": ["unit"]}
        for properties, found in [([limit, label], 0), ([limit], 1), ([label], 1), ([], 2)]:
            with self.subTest(properties=properties):
                listing = json.dumps({"tests": [{"name": "a", "properties": properties}]})
                self.assertEqual(len(check_limits.findings(listing)), found)

    def test_no_tests_at_all_is_found(self):
        self.assertEqual(len(check_limits.findings('{"tests": []}')), 1)


if __name__ == "__main__":
    unittest.main()
