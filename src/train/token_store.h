// Where the tokens of data sets are kept, so that the same data are not tokenized twice.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/run.h"
#include "data/token_shards.h"
#include "train/excess.h"
#include "train/train.h"

namespace cupel::train {

/// What became of a data set.
struct TokenizedSet {
  TokenShards train, validation;
  RowCounts counts;
  std::vector<Reject> unread, lost;  // rows that cannot be read; of which nothing is left
};

/// Folders named by a hash of everything that their content depends on: in dataset_prepared_path,
/// which runs may share, else in tokens/ of the run, until it ends. A run without a folder keeps
/// nothing; it looks into dataset_prepared_path, or where `beside` says that a process of the same
/// run keeps its own.
class TokenStore {
 public:
  TokenStore(const Config& config, Run& run, std::filesystem::path beside = {});

  /// The set of that key, checked, or nothing; of one that is damaged the run is warned.
  std::optional<TokenizedSet> find(const std::string& key, int64_t vocab_size) const;
  /// Keeps under `key` what `fill` makes of the folder that it is given, which is in its place when
  /// it is complete; without a place fill gets an empty path.
  void keep(const std::string& key,
            const std::function<void(const std::filesystem::path&)>& fill) const;
  /// Writes what find() reads beside the shards, for `fill` to call.
  static void describe(const std::filesystem::path& folder, const TokenizedSet& set);

  /// The folder of `key`; empty without a place.
  std::filesystem::path folder_of(const std::string& key) const;

 private:
  Run& run_;
  std::filesystem::path root_;  // empty: no place
  bool shared_ = false, writes_ = false;
};

/// The folder in a run's where its tokens are kept.
inline constexpr const char* kTokensFolder = "tokens";

}  // namespace cupel::train
