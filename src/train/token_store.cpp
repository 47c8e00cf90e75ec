#include "train/token_store.h"

#include <chrono>

#include "base/atomic_file.h"
#include "base/error.h"
#include "base/json.h"

namespace cupel::train {
namespace {

namespace fs = std::filesystem;

constexpr const char* kDescription = "set.json";
constexpr int64_t kMostDescriptionBytes = INT64_C(1) << 30;

using Member = int64_t RowCounts::*;
constexpr std::pair<const char*, Member> kCounts[] = {{"rows", &RowCounts::rows},
                                                      {"whole", &RowCounts::whole},
                                                      {"truncated", &RowCounts::truncated},
                                                      {"split", &RowCounts::split},
                                                      {"rejected", &RowCounts::rejected}};

json::Value to_json(const std::vector<Reject>& rejects) {
  json::Array list;
  for (const Reject& reject : rejects)
    list.push_back(
        json::Object{{"line", reject.line}, {"rule", reject.rule}, {"text", reject.text}});
  return list;
}

std::vector<Reject> read_rejects(const json::Value& list, const std::string& where) {
  std::vector<Reject> rejects;
  for (const json::Value& reject : list.as_array(where))
    rejects.push_back({{},
                       reject.at("line", where).as_int(where),
                       reject.at("rule", where).as_string(where),
                       reject.at("text", where).as_string(where)});
  return rejects;
}

json::Value to_json(const TokenizedSet& set) {
  json::Object counts;
  for (const auto& [name, member] : kCounts) counts.emplace_back(name, set.counts.*member);
  return json::Object{{"train_shards", set.train.shards()},
                      {"train_tokens", set.train.tokens()},
                      {"validation_shards", set.validation.shards()},
                      {"validation_tokens", set.validation.tokens()},
                      {"counts", std::move(counts)},
                      {"unread", to_json(set.unread)},
                      {"lost", to_json(set.lost)}};
}

TokenShards open_shards(const fs::path& folder, const std::string& side, const json::Value& from,
                        int64_t vocab_size, const std::string& where) {
  const auto number = [&](const std::string& key) { return from.at(key, where).as_int(where); };
  TokenShards shards = TokenShards::open(folder, side, number(side + "_shards"));
  const bool other = shards.shards() > 0 && shards.vocab_size() != vocab_size;
  if (other || shards.tokens() != number(side + "_tokens"))
    fail(ErrorKind::data, where, "does not go with the shards beside it", "remove the folder");
  return shards;
}

TokenizedSet read_set(const fs::path& folder, int64_t vocab_size) {
  const std::string where = (folder / kDescription).string();
  const json::Value root = json::parse(read_file(where, kMostDescriptionBytes), where);
  TokenizedSet set;
  set.train = open_shards(folder, "train", root, vocab_size, where);
  set.validation = open_shards(folder, "validation", root, vocab_size, where);
  const json::Value& counts = root.at("counts", where);
  for (const auto& [name, member] : kCounts)
    set.counts.*member = counts.at(name, where).as_int(where);
  set.unread = read_rejects(root.at("unread", where), where);
  set.lost = read_rejects(root.at("lost", where), where);
  return set;
}

/// What processes that were killed began here; one that still writes was at it less than a day ago.
void remove_old_staging(const fs::path& folder) {
  std::error_code ignored;
  const auto yesterday = fs::file_time_type::clock::now() - std::chrono::hours(24);
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    if (!entry.path().filename().string().starts_with(".staging-")) continue;
    if (entry.last_write_time(ignored) < yesterday) fs::remove_all(entry.path(), ignored);
  }
}

}  // namespace

TokenStore::TokenStore(const Config& config, Run& run, fs::path beside)
    : run_(run), shared_(!config.dataset_prepared_path.empty()), writes_(run.has_folder()) {
  if (shared_) {
    root_ = config.dataset_prepared_path.text;
  } else {
    root_ = run.has_folder() ? run.folder() / kTokensFolder : std::move(beside);
  }
}

fs::path TokenStore::folder_of(const std::string& key) const {
  return root_.empty() ? fs::path() : root_ / key;
}

std::optional<TokenizedSet> TokenStore::find(const std::string& key, int64_t vocab_size) const {
  const fs::path folder = folder_of(key);
  if (folder.empty() || !fs::exists(folder / kDescription)) return std::nullopt;
  try {
    return read_set(folder, vocab_size);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::data && error.kind() != ErrorKind::config) throw;
    run_.log(LogLevel::warning,
             "tokens that were kept are made again: " + error.where() + ": " + error.text());
    return std::nullopt;
  }
}

void TokenStore::keep(const std::string& key,
                      const std::function<void(const fs::path&)>& fill) const {
  if (!writes_ || root_.empty()) return fill({});
  if (!shared_) return run_.write_folder(std::string(kTokensFolder) + "/" + key, fill);
  make_folders(root_);
  remove_old_staging(root_);
  write_folder_atomically(root_ / key, fill);
}

void TokenStore::describe(const fs::path& folder, const TokenizedSet& set) {
  if (!folder.empty())
    write_file_atomically(folder / kDescription, json::dump(to_json(set), 2) + "\n");
}

}  // namespace cupel::train
