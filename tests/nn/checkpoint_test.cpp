#include "nn/checkpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "base/atomic_file.h"
#include "support/errors.h"
#include "support/files.h"

namespace cupel::nn {
namespace {

void make_checkpoint(const std::filesystem::path& folder, const std::string& bytes) {
  std::filesystem::create_directories(folder);
  write_file_atomically(folder / "model.safetensors", bytes);
  write_checkpoint_manifest(folder);
}

TEST(Checkpoint, AnIntactFolderHasNoProblem) {
  const TemporaryFolder temporary;
  make_checkpoint(temporary / "checkpoint-1", "weights");
  EXPECT_EQ(checkpoint_problem(temporary / "checkpoint-1"), "");
}

TEST(Checkpoint, NamesTheFileThatWasAltered) {
  const TemporaryFolder temporary;
  make_checkpoint(temporary / "checkpoint-1", "weights");
  write_file_atomically(temporary / "checkpoint-1" / "model.safetensors", "weighty");
  EXPECT_EQ(checkpoint_problem(temporary / "checkpoint-1"),
            "model.safetensors does not match its hash");
}

TEST(Checkpoint, AFileThatIsGoneIsAProblem) {
  const TemporaryFolder temporary;
  make_checkpoint(temporary / "checkpoint-1", "weights");
  std::filesystem::remove(temporary / "checkpoint-1" / "model.safetensors");
  EXPECT_NE(checkpoint_problem(temporary / "checkpoint-1"), "");
}

TEST(Checkpoint, RefusesAFormatItDoesNotKnow) {
  const TemporaryFolder temporary;
  temporary.write("checkpoint-1/manifest.json", R"({"format": 2, "files": {}})");
  EXPECT_EQ(checkpoint_problem(temporary / "checkpoint-1"),
            "format 2 is not known to this version");
}

TEST(Checkpoint, AnOlderFormatIsNamedAndOneThatNamesNoneIsTakenForDamaged) {
  const TemporaryFolder temporary;
  temporary.write("checkpoint-1/manifest.json", R"({"format": 0, "files": {}})");
  EXPECT_EQ(checkpoint_problem(temporary / "checkpoint-1"),
            "format 0 is not known to this version");
  temporary.write("checkpoint-2/manifest.json", R"({"files": {}})");
  EXPECT_THAT(checkpoint_problem(temporary / "checkpoint-2"), testing::HasSubstr("format"));
}

TEST(Checkpoint, OfAnotherVersionStopsAResumeAndIsNotTakenForDamaged) {
  const TemporaryFolder temporary;
  const std::filesystem::path folder = temporary / "run";
  RunOptions options;
  options.folder = folder;
  cupel::Run run(options);
  const std::filesystem::path manifest = folder / "checkpoint-1/manifest.json";
  std::filesystem::create_directories(manifest.parent_path());
  temporary.write("run/checkpoint-1/manifest.json", R"({"format": 2, "files": {}})");
  EXPECT_THAT([&] { newest_intact_checkpoint(run); },
              throws_exactly(ErrorKind::config,
                             manifest.string() +
                                 ": format 2 is not known to this version; resume with the version "
                                 "that wrote it, or begin anew with --out"));
  EXPECT_TRUE(std::filesystem::exists(manifest));
}

TEST(Checkpoint, AManifestThatNamesAPathIsRefused) {
  const TemporaryFolder temporary;
  temporary.write("checkpoint-1/manifest.json", R"({"format": 1, "files": {"../secret": "00"}})");
  EXPECT_EQ(checkpoint_problem(temporary / "checkpoint-1"),
            "manifest.json names a path: ../secret");
}

TEST(Checkpoint, ListsFoldersByStepAndOverlooksOthers) {
  const TemporaryFolder temporary;
  for (const char* name :
       {"checkpoint-10", "checkpoint-9", "checkpoint-x", "checkpoint-5.tmp", "model"}) {
    std::filesystem::create_directories(temporary / name);
  }
  std::vector<int64_t> steps;
  for (const CheckpointFolder& found : list_checkpoints(temporary.path()))
    steps.push_back(found.step);
  EXPECT_THAT(steps, testing::ElementsAre(9, 10));
}

}  // namespace
}  // namespace cupel::nn
