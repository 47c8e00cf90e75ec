#include "pipeline/program.h"

#include <gmock/gmock.h>

#include "base/atomic_file.h"
#include "support/errors.h"
#include "support/files.h"

namespace cupel::pipeline {
namespace {

TEST(Program, TheVersionLineNamesLibTorchOnlyWhereItIsLoaded) {
  EXPECT_EQ(version_line({}), "cupel " + version());
  Heavy heavy;
  heavy.libraries = []() -> json::Value { return json::Object{{"libtorch", "2.11.0"}}; };
  EXPECT_EQ(version_line(heavy), "cupel " + version() + " (LibTorch 2.11.0)");
}

TEST(Program, TheManifestNamesTheKernelRowAndLibTorchOnlyWhereItIsLoaded) {
  TemporaryFolder folder(TemporaryFolder::Place::memory);
  Heavy heavy;
  const auto manifest_of = [&](const std::string& name) {
    RunOptions options;
    options.folder = folder / name;
    options.threads = 1;
    cupel::Run run(options);
    record_program(heavy, run);
    run.finish("train", json::Object{});
    return json::parse(read_file(folder / name / "manifest.json"), name);
  };
  EXPECT_EQ(manifest_of("light").find("libtorch"), nullptr);
  EXPECT_NE(manifest_of("again").find("isa_row"), nullptr);
  heavy.libraries = []() -> json::Value { return json::Object{{"libtorch", "2.11.0"}}; };
  EXPECT_EQ(manifest_of("heavy").at("libtorch", "").as_string(""), "2.11.0");
}

TEST(Program, TheHeavyProgramLiesBesideThisOne) {
  EXPECT_EQ(heavy_program().filename(), "cupel-nn");
  EXPECT_TRUE(std::filesystem::exists(heavy_program().parent_path() / "cupel_tests"));
}

TEST(Program, OneThatIsMissingOrDoesNotStartIsNamedWithTheWayOut) {
  TemporaryFolder folder(TemporaryFolder::Place::memory);
  const std::string text = folder.write("cupel-nn", "no program").string();
  char* words[] = {nullptr};
  EXPECT_THAT([&] { become(text, words); },
              throws_error(ErrorKind::external, text + ": does not start; run scripts/setup"));
  EXPECT_THAT([&] { become("/nowhere/cupel-nn", words); },
              throws_exactly(ErrorKind::external,
                             "/nowhere/cupel-nn: is missing, and this verb needs LibTorch; run "
                             "scripts/setup, then build cupel-nn; cupel doctor tells more"));
}

TEST(Program, AsksForOutputAndExitCode) {
  const Answer answer = ask("/bin/echo", "it's");
  EXPECT_EQ(answer.text, "it's\n");
  EXPECT_EQ(answer.exit_code, 0);
  EXPECT_EQ(ask("/nowhere/cupel-nn", "--version").exit_code, 127);
}

TEST(Program, AShellTakesTheLineBackAsTheSameWords) {
  EXPECT_EQ(shell_line({"cupel", "train", "--out=runs/a", "--lr=1e-3"}),
            "cupel train --out=runs/a --lr=1e-3");
  EXPECT_EQ(shell_line({"a b", "it's", "", "$x"}), "'a b' 'it'\\''s' '' '$x'");
}

}  // namespace
}  // namespace cupel::pipeline
