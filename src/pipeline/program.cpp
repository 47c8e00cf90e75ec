#include "pipeline/program.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdio>

#include "base/error.h"
#include "kernels/kernels.h"

namespace cupel::pipeline {

std::string version() { return CUPEL_VERSION; }

std::string version_line(const Heavy& heavy) {
  const std::string line = "cupel " + version();
  if (heavy.libraries == nullptr) return line;
  const json::Value libraries = heavy.libraries();
  return line + " (LibTorch " + libraries.at("libtorch", "libraries").as_string("libtorch") + ")";
}

void record_program(const Heavy& heavy, Run& run) {
  run.set_manifest("isa_row", kernels().name);
  if (heavy.libraries == nullptr) return;
  const json::Value libraries = heavy.libraries();
  for (const auto& [name, its_version] : libraries.as_object("libraries"))
    run.set_manifest(name, its_version);
}

std::filesystem::path heavy_program() {
  return std::filesystem::read_symlink("/proc/self/exe").parent_path() / "cupel-nn";
}

void become(const std::filesystem::path& program, char** argv) {
  const bool exists = std::filesystem::exists(program);
  ::setenv(kSpinVariable, kSpinCount, /*overwrite=*/0);
  if (exists) ::execv(program.c_str(), argv);
  fail(ErrorKind::external, program.string(),
       exists ? "does not start" : "is missing, and this verb needs LibTorch",
       "run scripts/setup, then build cupel-nn; cupel doctor tells more");
}

Answer ask(const std::filesystem::path& program, const std::string& word) {
  Answer answer;
  const std::string line = shell_line({program.string(), word}) + " 2>&1 </dev/null";
  std::FILE* pipe = ::popen(line.c_str(), "r");
  if (pipe == nullptr) return answer;
  char block[4096];
  for (std::size_t count = 0; (count = std::fread(block, 1, sizeof block, pipe)) > 0;) {
    answer.text.append(block, count);
  }
  const int status = ::pclose(pipe);
  if (WIFEXITED(status)) answer.exit_code = WEXITSTATUS(status);
  return answer;
}

std::string shell_line(const std::vector<std::string>& words) {
  const auto plain = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) ||
           std::string_view("_-./=:,+@%").find(c) != std::string_view::npos;
  };
  std::string line;
  for (const std::string& word : words) {
    if (!line.empty()) line += ' ';
    if (!word.empty() && std::all_of(word.begin(), word.end(), plain)) {
      line += word;
      continue;
    }
    line += '\'';
    for (const char c : word) {
      if (c == '\'') {
        line += "'\\''";
      } else {
        line += c;
      }
    }
    line += '\'';
  }
  return line;
}

}  // namespace cupel::pipeline
