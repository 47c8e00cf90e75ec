// The two programs of the product: their version, where they lie, how a shell would call them.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "pipeline/heavy.h"

namespace cupel::pipeline {

/// "0.1.0"
std::string version();
/// "cupel 0.1.0 (LibTorch 2.11.0)"; LibTorch only where it is loaded.
std::string version_line(const Heavy& heavy);

/// Into the manifest: the kernel row and, where LibTorch is loaded, its version.
void record_program(const Heavy& heavy, Run& run);

/// The program with LibTorch, beside this one.
std::filesystem::path heavy_program();

/// LibTorch's threads wait for each other by spinning, for long: beside another busy process both
/// then run at a fraction of their speed. With this variable it is short, and costs an idle machine
/// nothing.
inline constexpr const char* kSpinVariable = "GOMP_SPINCOUNT";
inline constexpr const char* kSpinCount = "1000";

/// Replaces this process by `program` with the same words. Throws Error{external} if it cannot.
[[noreturn]] void become(const std::filesystem::path& program, char** argv);

/// What a program printed and its exit code; 127 where it could not be started.
struct Answer {
  int exit_code = 127;
  std::string text;
};
/// Runs `program` with one word and waits for its end.
Answer ask(const std::filesystem::path& program, const std::string& word);

/// The words as a shell takes them back: quoted where they must be.
std::string shell_line(const std::vector<std::string>& words);

}  // namespace cupel::pipeline
