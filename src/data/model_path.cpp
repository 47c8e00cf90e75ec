#include "data/model_path.h"

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "base/atomic_file.h"
#include "base/error.h"
#include "base/text.h"

namespace cupel {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefix = "models--", kBetween = "--";

/// A variable of the environment that is set and not empty.
std::optional<fs::path> variable(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr || *value == '\0') return std::nullopt;
  return fs::path(value);
}

bool is_word(std::string_view word) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  };
  return !word.empty() && word != "." && word != ".." && std::ranges::all_of(word, allowed);
}

std::vector<fs::path> entries_of(const fs::path& folder) {
  std::vector<fs::path> entries;
  std::error_code ignored;
  for (auto it = fs::directory_iterator(folder, ignored); it != fs::end(it); it.increment(ignored))
    entries.push_back(it->path());
  std::ranges::sort(entries);
  return entries;
}

/// "models--org--name" → "org/name"; empty: not such a folder.
std::string published_name(std::string folder) {
  if (!folder.starts_with(kPrefix)) return "";
  folder.erase(0, kPrefix.size());
  if (const std::size_t at = folder.find(kBetween); at != std::string::npos)
    folder.replace(at, kBetween.size(), "/");
  return folder;
}

/// The commit that refs/main names; empty: there is none.
std::string main_commit(const fs::path& model) {
  constexpr int64_t kMaxBytes = 256;
  const fs::path file = model / "refs" / "main";
  std::error_code ignored;
  if (!fs::is_regular_file(file, ignored)) return "";
  std::string commit = read_file(file, kMaxBytes);
  while (!commit.empty() && (commit.back() == '\n' || commit.back() == ' ')) commit.pop_back();
  return is_word(commit) ? commit : "";
}

fs::path snapshot_of(const fs::path& model) {
  std::error_code ignored;
  const std::string commit = main_commit(model);
  const fs::path named = model / "snapshots" / commit;
  if (!commit.empty() && fs::is_directory(named, ignored)) return named;
  const std::vector<fs::path> all = entries_of(model / "snapshots");
  if (all.size() == 1) return all[0];
  fail(ErrorKind::config, model.string(),
       "has " + std::to_string(all.size()) + " snapshots and no refs/main that names one",
       all.empty() ? "fetch the model again" : "name the folder of the snapshot itself");
}

/// The folder, or its only .gguf file where it has no config.json.
fs::path model_in(const fs::path& snapshot) {
  std::error_code ignored;
  if (fs::exists(snapshot / "config.json", ignored)) return snapshot;
  std::vector<fs::path> files = entries_of(snapshot);
  std::erase_if(files, [](const fs::path& file) { return file.extension() != ".gguf"; });
  if (files.empty()) return snapshot;
  if (files.size() == 1) return files[0];
  std::string names;
  for (const fs::path& file : files)
    names += (names.empty() ? "" : ", ") + file.filename().string();
  fail(ErrorKind::config, snapshot.string(), "holds several models: " + clip(names, 400),
       "name the one file");
}

/// Where scripts/setup --models puts the models that it fetches, by their name without the
/// organisation.
fs::path fetched_models() {
  const fs::path home = variable("HOME").value_or("") / ".cache" / "cupel";
  return variable("CUPEL_HOME").value_or(home) / "models";
}

}  // namespace

bool is_hub_name(std::string_view text) {
  const std::size_t slash = text.find('/');
  return slash != std::string_view::npos && is_word(text.substr(0, slash)) &&
         is_word(text.substr(slash + 1));
}

fs::path hub_cache() {
  if (const auto cache = variable("HF_HUB_CACHE")) return *cache;
  if (const auto home = variable("HF_HOME")) return *home / "hub";
  if (const auto cache = variable("XDG_CACHE_HOME")) return *cache / "huggingface" / "hub";
  return variable("HOME").value_or("") / ".cache" / "huggingface" / "hub";
}

std::optional<fs::path> find_cached_model(std::string_view name) {
  if (!is_hub_name(name)) return std::nullopt;
  const std::size_t slash = name.find('/');
  const fs::path model =
      hub_cache() / (std::string(kPrefix) + std::string(name.substr(0, slash)) +
                     std::string(kBetween) + std::string(name.substr(slash + 1)));
  std::error_code ignored;
  if (fs::is_directory(model, ignored)) return model_in(snapshot_of(model));
  const fs::path fetched = fetched_models() / name.substr(slash + 1);
  if (fs::is_directory(fetched, ignored)) return model_in(fetched);
  return std::nullopt;
}

std::string describe_hub_cache() {
  constexpr std::size_t kMostNames = 10;
  const fs::path cache = hub_cache();
  std::vector<std::string> names;
  for (const fs::path& entry : entries_of(cache)) {
    const std::string name = published_name(entry.filename().string());
    if (!name.empty()) names.push_back(clip(name, 100));
  }
  std::string text =
      "it is not where scripts/setup --models puts models, nor in the Hugging Face cache " +
      cache.string() + ", which ";
  std::error_code ignored;
  if (!fs::is_directory(cache, ignored)) return text + "is not there";
  if (names.empty()) return text + "has no model";
  text += "has ";
  for (std::size_t i = 0; i < names.size() && i < kMostNames; ++i)
    text += (i == 0 ? "" : ", ") + names[i];
  return names.size() > kMostNames
             ? text + " and " + std::to_string(names.size() - kMostNames) + " more"
             : text;
}

std::string model_name(const fs::path& model) {
  const fs::path folder = (model / "").parent_path();
  const fs::path parent = folder.parent_path();
  if (parent.filename() == "snapshots") {
    const std::string name = published_name(parent.parent_path().filename().string());
    if (!name.empty()) return name;
  }
  return folder.filename().string();
}

fs::path resolve_model(const std::string& text) {
  std::error_code ignored;
  if (fs::exists(text, ignored)) return text;
  if (const auto cached = find_cached_model(text)) return *cached;
  fail(ErrorKind::config, clip(text, 200), "no such file or folder",
       is_hub_name(text) ? describe_hub_cache() : "check the path");
}

}  // namespace cupel
