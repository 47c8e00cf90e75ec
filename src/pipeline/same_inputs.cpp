#include "pipeline/same_inputs.h"

#include "base/atomic_file.h"
#include "base/error.h"
#include "base/json.h"

namespace cupel::pipeline {
namespace {

namespace fs = std::filesystem;

bool is_inside(const fs::path& file, const fs::path& folder) {
  const fs::path relative = fs::absolute(file).lexically_normal().lexically_relative(
      fs::absolute(folder).lexically_normal());
  return !relative.empty() && *relative.begin() != "..";
}

}  // namespace

std::optional<std::string> changed_input(const fs::path& run, const fs::path& whole) {
  const fs::path manifest = run / "manifest.json";
  if (!fs::exists(manifest)) return std::nullopt;
  const json::Value recorded = json::parse(read_file(manifest), manifest.string());
  const json::Value* inputs = recorded.find("inputs");
  if (inputs == nullptr) return std::nullopt;
  for (const auto& [name, hash] : inputs->as_object(manifest.string())) {
    std::error_code ignored;
    if (is_inside(name, whole) || !fs::is_regular_file(name, ignored)) continue;
    if (sha256_file(name) != hash.as_string(manifest.string())) return name;
  }
  return std::nullopt;
}

void require_same_inputs(const fs::path& run, const fs::path& whole) {
  const std::optional<std::string> changed = changed_input(run, whole);
  if (!changed) return;
  fail(ErrorKind::config, *changed, "was changed since the run in " + run.string() + " read it",
       "restore the file, or begin a new run in another folder with --out");
}

}  // namespace cupel::pipeline
