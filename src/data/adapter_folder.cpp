#include "data/adapter_folder.h"

#include <string>

#include "base/atomic_file.h"
#include "base/error.h"
#include "base/text.h"
#include "data/model_path.h"

namespace cupel {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kBase = "base_model_name_or_path";

bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

}  // namespace

bool is_adapter(const fs::path& model) {
  return is_there(model / kAdapterConfig) && !is_there(model / "model.safetensors") &&
         !is_there(model / "model.safetensors.index.json");
}

json::Value adapter_config(const fs::path& adapter) {
  constexpr int64_t kMostBytes = INT64_C(1) << 20;
  const fs::path path = adapter / kAdapterConfig;
  json::Value config = json::parse(read_file(path, kMostBytes), path.string());
  config.as_object(path.string());
  return config;
}

fs::path base_of_adapter(const fs::path& adapter) {
  const std::string where = (adapter / kAdapterConfig).string() + ": " + std::string(kBase);
  const json::Value config = adapter_config(adapter);
  const json::Value* value = config.find(kBase);
  if (value == nullptr || !value->is_string() || value->as_string(where).empty())
    fail(ErrorKind::data, where, "names no model", "write the base model's path there");
  const std::string& text = value->as_string(where);
  fs::path base = text;
  if (!is_there(base)) base = (adapter / text).lexically_normal();
  if (!is_there(base)) {
    const auto cached = find_cached_model(text);
    if (!cached)
      fail(ErrorKind::config, where, "no such file or folder: " + clip(text, 200),
           is_hub_name(text) ? describe_hub_cache() : "write the base model's path there");
    base = *cached;
  }
  if (is_adapter(base))
    fail(ErrorKind::data, where, base.string() + " is an adapter itself",
         "merge that one by cupel export, and name the result");
  return base;
}

fs::path file_of_model(const fs::path& model, std::string_view name) {
  const fs::path own = model / name;
  return is_adapter(model) && !is_there(own) ? base_of_adapter(model) / name : own;
}

}  // namespace cupel
