// Where a model lies that is named as the Hugging Face hub names it; nothing is fetched.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace cupel {

/// "org/name": two words of letters, digits, '.', '_' and '-'. A relative path may look so too.
bool is_hub_name(std::string_view text);

/// The cache of Hugging Face's tools: HF_HUB_CACHE, else hub/ below HF_HOME, else
/// huggingface/hub/ below XDG_CACHE_HOME or ~/.cache.
std::filesystem::path hub_cache();

/// The folder of the model's snapshot that refs/main names (else of the only one), or the .gguf
/// file if that is all of a model there. What the cache does not have may lie where scripts/setup
/// --models puts models; nothing if neither has it. Throws Error{config} for a cache that has it
/// and does not say which of several snapshots counts.
std::optional<std::filesystem::path> find_cached_model(std::string_view name);

/// "it is not where scripts/setup --models puts models, nor in the Hugging Face cache …/hub, which
/// has a/b, c/d": at most ten names.
std::string describe_hub_cache();

/// What reports call a model: "org/name" of a snapshot in the cache, else the last word of the
/// path.
std::string model_name(const std::filesystem::path& model);

/// What `text` names: a path that exists, else a model in the cache. Throws Error{config} that
/// tells where it was looked for and what is there.
std::filesystem::path resolve_model(const std::string& text);

}  // namespace cupel
