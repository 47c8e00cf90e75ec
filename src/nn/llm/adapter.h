// Low-rank adapters (LoRA, Hu et al. 2021) without tensors: settings, which layers are adapted, and
// adapter_config.json as PEFT reads and writes it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "nn/llm/config.h"

namespace cupel::llm {

/// Stands for every linear layer of the blocks.
inline constexpr std::string_view kAllLinear = "all-linear";
/// Above that no layer is of low rank.
inline constexpr int64_t kMostRank = 65536;

/// Every adapted layer computes x·Wᵀ + scale · (dropout(x)·Aᵀ)·Bᵀ with A [rank, in], B [out, rank].
struct AdapterConfig {
  int64_t rank = 16;
  double alpha = 32;
  double dropout = 0;
  bool rank_stabilised = false;  // scale is alpha / √rank (Kalajdzievski 2023), not alpha / rank
  std::vector<std::string> targets{std::string(kAllLinear)};
  /// Of a layer whose matrices have this rank.
  double scale(int64_t layer_rank) const;
};

/// A linear layer of the model: weight [out, in].
struct LinearShape {
  std::string name;  // "model.layers.0.self_attn.q_proj"
  int64_t out = 0, in = 0;
};

/// The layers that adapters may be added to: attention, dense feed-forward layers and shared
/// experts of every block. Routed experts, routers, embeddings, head and the layers of multi-token
/// prediction keep their weights: PEFT sees no linear layer in them either.
std::vector<LinearShape> adaptable_layers(const ModelConfig& model);

/// Those of them that `targets` name, in the model's order: by their whole name or the end of it
/// behind a dot, as "q_proj", or all by "all-linear". Throws Error{config} naming `where` and what
/// there is, for a name that none of them has.
std::vector<LinearShape> adapted_layers(const ModelConfig& model,
                                        const std::vector<std::string>& targets,
                                        const std::string& where);

/// Trained tensors of the adapters of `layers`, under the names that the decoder's modules give
/// them: <layer>.lora_A.weight and <layer>.lora_B.weight.
std::vector<ParameterShape> adapter_shapes(const std::vector<LinearShape>& layers, int64_t rank);

/// rank, alpha, dropout and scaling of adapter_config.json; its targets are left to whoever reads
/// the tensors. Throws Error{data} for a kind of adapter that is not built, naming the key.
AdapterConfig read_adapter_config(const std::filesystem::path& adapter);

/// The text of adapter_config.json. `layers`: what is adapted; `base`: base_model_name_or_path.
json::Value to_peft_json(const AdapterConfig& config, const std::vector<LinearShape>& layers,
                         const std::string& base);

}  // namespace cupel::llm
