"""The checks find what they are for: each is run over a small tree with one planted breach."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))
from results import Results  # noqa: E402

HEADER = "// What it is for.\n#pragma once\n"


class Tree(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.root = pathlib.Path(self.folder.name)
        (self.root / "tools").mkdir()
        for tool in [*ROOT.glob("tools/*.py"), ROOT / ".clang-format"]:
            shutil.copy(tool, self.root / tool.relative_to(ROOT))
        subprocess.run(["git", "init", "-q", self.root], check=True)

    def tearDown(self):
        self.folder.cleanup()

    def put(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def run_tool(self, tool, *words):
        environment = {key: value for key, value in os.environ.items() if key != "CUPEL_RESULTS"}
        return subprocess.run([sys.executable, self.root / "tools" / tool, *words], capture_output=True, text=True, env=environment)

    def expect(self, tool, finding):
        done = self.run_tool(tool)
        self.assertIn(finding, done.stdout)
        self.assertEqual(done.returncode, 1, done.stderr)

    def expect_clean(self, tool):
        done = self.run_tool(tool)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


class Layers(Tree):
    def test_a_lower_folder_may_not_see_a_higher_one(self):
        self.put("src/nn/fwd.h", HEADER)
        self.put("src/data/read.cpp", '#include "nn/fwd.h"\n')
        self.expect("check_layers.py", "src/data/read.cpp:1: data/read.cpp -> nn/fwd.h: data may include base")

    def test_libtorch_has_one_door(self):
        self.put("src/train/loop_nn.cpp", "#include <torch/torch.h>\n")
        self.expect("check_layers.py", "src/train/loop_nn.cpp:1: <torch/torch.h>")

    def test_the_file_that_tells_versions_sees_libraries_but_not_libtorch(self):
        self.put("src/pipeline/libraries.cpp", "#include <zlib.h>\n#include <simdjson.h>\n")
        self.expect_clean("check_layers.py")
        self.put("src/pipeline/libraries.cpp", "#include <zlib.h>\n#include <torch/version.h>\n")
        self.expect("check_layers.py", "src/pipeline/libraries.cpp:2: <torch/version.h>")

    def test_the_chain_to_a_heavy_header_is_printed(self):
        self.put("src/nn/torch_nn.h", HEADER)
        self.put("src/nn/fit.h", HEADER + '#include "nn/torch_nn.h"\n')
        self.put("src/train/train.h", HEADER + '#include "nn/fit.h"\n')
        self.expect("check_layers.py", "src/train/train.h:3: train/train.h -> nn/fit.h -> nn/torch_nn.h")

    def test_a_comment_may_speak_of_the_terminal_but_code_may_not(self):
        self.put("src/base/log.cpp", "// not std::cerr\nconst char* text = \"abort(\";\n")
        self.expect_clean("check_layers.py")
        self.put("src/base/log.cpp", "void f() { std::cerr << 1; }\n")
        self.expect("check_layers.py", 'src/base/log.cpp:1: "std::cerr" is not allowed here')

    def test_a_kernel_row_includes_no_standard_header(self):
        self.put("src/kernels/avx2.cpp", "#include <cstdint>\n#include <cmath>\n")
        self.expect("check_layers.py", "src/kernels/avx2.cpp:2: a kernel row includes no <cmath>")


class Size(Tree):
    def function(self, lines):
        return "namespace a {\nstruct S {\n  int f(int x) const {\n" + "    ++x;\n" * (lines - 3) + "    return x;\n  }\n};\n}\n"

    def test_a_function_of_60_lines_passes_and_one_of_61_does_not(self):
        self.put("src/base/a.cpp", self.function(60))
        self.expect_clean("check_size.py")
        self.put("src/base/a.cpp", self.function(61))
        self.expect("check_size.py", "src/base/a.cpp:3: a function of 61 lines")

    def test_braces_in_strings_and_tables_are_no_functions(self):
        self.put("src/base/a.cpp", "int f() { return g(\"{\"); }\nconst int kTable[] = {\n" + "  h(1),\n" * 80 + "};\n")
        self.expect_clean("check_size.py")

    def test_a_file_of_401_lines_is_refused(self):
        self.put("src/base/a.h", "// x\n" * 401)
        self.expect("check_size.py", "src/base/a.h:401: 401 lines")


class Text(Tree):
    def test_unfinished_business_is_found(self):
        self.put("src/base/a.h", "// TO" "DO: later\n")
        self.expect("check_text.py", "src/base/a.h:1:")

    def test_a_path_of_one_machine_is_found(self):
        self.put("docs/a.md", "fine\nsee /wo" "rk/main\n")
        self.expect("check_text.py", "docs/a.md:2:")

    def test_a_binary_is_found(self):
        self.put("docs/a.md", "a\0b\n")
        self.expect("check_text.py", "docs/a.md:1: a binary file")


class Map(Tree):
    def test_a_path_that_is_gone_is_found(self):
        self.put("src/base/run.h", HEADER)
        self.put("README.md", "see `base/run.h`\nand `src/base/gone.h`\n")
        self.expect("check_map.py", "README.md:2: names src/base/gone.h")

    def test_a_source_without_a_test_is_found(self):
        self.put("src/base/run.cpp", "")
        self.expect("check_map.py", "src/base/run.cpp:1: has no test; write tests/base/run_test.cpp")

    def test_a_header_without_a_sentence_is_found(self):
        self.put("src/base/run.h", "#pragma once\n")
        self.expect("check_map.py", "src/base/run.h:1: does not begin with what the file is for")

    def test_a_recipe_without_a_page_is_found(self):
        self.put("recipes/a.yaml", "seed: 1\n")
        self.expect("check_map.py", "recipes/a.yaml:1: no page")


class Headers(Tree):
    def test_a_header_that_leans_on_another_is_found(self):
        self.put("src/base/a.h", HEADER + "inline std::string f() { return {}; }\n")
        self.expect("check_headers.py", "src/base/a.h:3: does not compile alone")

    def test_a_source_includes_its_own_header_first(self):
        self.put("src/base/a.h", HEADER)
        self.put("src/base/a.cpp", '#include <string>\n#include "base/a.h"\n')
        self.expect("check_headers.py", "src/base/a.cpp:1: includes string first")


class Others(Tree):
    def test_unformatted_code_is_found(self):
        self.put("src/base/a.cpp", "int  f( ) ;\n")
        self.expect("check_format.py", "src/base/a.cpp:1: not formatted")

    def test_a_copied_block_is_found(self):
        block = "".join(f"  total += weight_{n} * value;\n" for n in range(12))
        self.put("src/base/a.cpp", "void f() {\n" + block + "}\n")
        self.put("src/base/b.cpp", "void g() {\n" + block + "}\n")
        self.expect("check_duplicates.py", "src/base/b.cpp:2: the same 12 or more lines stand at src/base/a.cpp:2")


class Cases(Tree):
    PROGRAM = "#!/bin/sh\necho 'recipe.yaml:2:3: unknown key' >&2\necho '{\"steps\": 3}'\nexit 2\n"

    def run_case(self, text):
        self.put("build/release/cupel", self.PROGRAM).chmod(0o755)
        return self.run_tool("run_cases.py", self.put("tests/cli/a.case", text)).stdout

    def test_what_holds_passes(self):
        text = "file recipe.yaml:\n  a: 1\nrun: cupel --json\nexit: 2\nstderr: recipe.yaml:2:…\nreport steps: 3\nexists: recipe.yaml\n"
        self.assertTrue(self.run_case(text).endswith("1 passed, 0 failed, 0 skipped\n"))

    def test_a_wrong_exit_line_or_figure_fails(self):
        for wrong in ("", "exit: 3\n", "exit: 2\nstderr: unknown key\n", "exit: 2\nreport steps: >= 4\n", "exit: 2\nabsent: .\n", "exit: 2\nmisspelt: x\n"):
            self.assertTrue(self.run_case("run: cupel --json\n" + wrong).endswith("0 passed, 1 failed, 0 skipped\n"), wrong)

    def test_an_absent_need_is_skipped_by_name(self):
        self.assertIn("skipped: a.case: needs /nowhere", self.run_case("needs: /nowhere\nrun: cupel\n"))


class Messages(Tree):
    CODE = 'void f() {\n  fail(ErrorKind::%s, name, "has no " + what + " that can be read",\n       "give it "\n       "a good one");\n}\n'

    def test_an_error_that_no_case_expects_is_found(self):
        self.put("src/data/a.cpp", self.CODE % "data")
        self.expect("check_messages.py", 'src/data/a.cpp:2: no case expects "that can be read"')
        self.put("tests/cli/a.case", "stderr: a.csv: has no row that can be read; …\n")
        self.expect("check_messages.py", 'src/data/a.cpp:2: no case expects "give it a good one"')
        self.put("tests/cli/a.case", "stderr: a.csv: has no row that can be read; give it a good one\n")
        self.assertNotIn("src/data/a.cpp", self.run_tool("check_messages.py").stdout)

    def test_an_error_of_the_machine_needs_none(self):
        self.put("src/data/a.cpp", self.CODE % "resource")
        self.assertNotIn("src/data/a.cpp", self.run_tool("check_messages.py").stdout)

    def test_a_row_whose_message_is_gone_is_found(self):
        self.expect("check_messages.py", "of src/base/run.cpp is gone or has a case; delete its row")


class Tally(Tree):
    def test_the_last_line_counts_and_a_failure_sets_the_exit_code(self):
        self.put("r/a.tsv", "passed\tone\t\nskipped\ttwo\tno such data\n")
        done = self.run_tool("tally.py", self.root / "r")
        self.assertEqual((done.stdout, done.returncode), ("skipped  a: two: no such data\n1 passed, 0 failed, 1 skipped\n", 0))
        self.put("r/b.tsv", "failed\tthree\tbroken\n")
        self.assertEqual(self.run_tool("tally.py", self.root / "r").returncode, 1)


class Counted(unittest.TextTestResult):
    """Hands each outcome to Results."""

    results = Results("tools-tests")

    def addSuccess(self, test):
        super().addSuccess(test)
        self.results.add("passed", test.id())

    def addFailure(self, test, error):
        super().addFailure(test, error)
        self.results.add("failed", test.id(), self.failures[-1][1].splitlines()[-1])

    def addError(self, test, error):
        super().addError(test, error)
        self.results.add("failed", test.id(), str(error[1]))


unittest.TextTestRunner(resultclass=Counted).run(unittest.defaultTestLoader.loadTestsFromModule(sys.modules[__name__]))
Counted.results.finish()
