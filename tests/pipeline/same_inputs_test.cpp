#include "pipeline/same_inputs.h"

#include <gtest/gtest.h>

#include "base/run.h"
#include "support/errors.h"
#include "support/files.h"

namespace cupel::pipeline {
namespace {

/// A run in `folder`/run that has read `input` and was cut off.
void read_and_stop(const TemporaryFolder& folder, const std::filesystem::path& input) {
  RunOptions options;
  options.folder = folder / "run";
  options.threads = 1;
  cupel::Run run(options);
  run.record_input(input);
}

TEST(SameInputs, AnUnchangedInputPasses) {
  TemporaryFolder folder(TemporaryFolder::Place::memory);
  read_and_stop(folder, folder.write("a.txt", "gold"));
  EXPECT_NO_THROW(require_same_inputs(folder / "run", folder / "run"));
  EXPECT_NO_THROW(require_same_inputs(folder / "no such run", folder / "run"));
}

TEST(SameInputs, AChangedOneIsNamedWithTheWayOut) {
  TemporaryFolder folder(TemporaryFolder::Place::memory);
  const std::string input = folder.write("a.txt", "gold").string();
  read_and_stop(folder, input);
  folder.write("a.txt", "lead");
  EXPECT_THAT([&] { require_same_inputs(folder / "run", folder / "run"); },
              throws_exactly(ErrorKind::config,
                             input + ": was changed since the run in " + (folder / "run").string() +
                                 " read it; restore the file, or begin a new run in another "
                                 "folder with --out"));
}

TEST(SameInputs, WhatTheRunItselfWroteMayChange) {
  TemporaryFolder folder(TemporaryFolder::Place::memory);
  const std::filesystem::path model = folder.write("whole/model/weights", "1");
  read_and_stop(folder, model);
  folder.write("whole/model/weights", "2");
  EXPECT_NO_THROW(require_same_inputs(folder / "run", folder / "whole"));
}

}  // namespace
}  // namespace cupel::pipeline
