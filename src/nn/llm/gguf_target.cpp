#include "nn/llm/gguf_target.h"

#include <algorithm>
#include <string_view>

#include "base/error.h"
#include "data/gguf_encode.h"
#include "nn/llm/families.h"
#include "nn/llm/gguf_layout.h"
#include "nn/llm/rope.h"

namespace cupel::llm {
namespace {

constexpr std::string_view kLlama3Scaling = "llama3", kYarn = "yarn";

std::string_view architecture_of(const ModelConfig& config) {
  const auto row = std::ranges::find(kGgufArchitectures, std::string_view(config.family),
                                     &GgufArchitecture::family);
  CUPEL_ASSERT(row != kGgufArchitectures.end());
  return row->name;
}

bool scales(const ModelConfig& config, std::string_view type) {
  return config.rope_scaling && config.rope_scaling->type == type;
}

void check_rope(const ModelConfig& config, std::vector<std::string>& problems) {
  if (!config.rope_scaling) return;
  const RopeScaling& scaling = *config.rope_scaling;
  if (scaling.type == kLlama3Scaling) {
    const bool published =
        scaling.low_freq_factor == 1 && scaling.high_freq_factor == 4 &&
        scaling.original_max_position_embeddings == 8192 &&
        static_cast<float>(frequency_divisors(config).back()) == static_cast<float>(scaling.factor);
    if (architecture_of(config) != "llama" || !published)
      problems.push_back("rope_scaling of type llama3 with other settings than Llama 3's own");
    return;
  }
  if (scaling.attention_factor) problems.push_back("attention_factor of rope_scaling");
  if (!scaling.truncate) problems.push_back("rope_scaling whose truncate is false");
  // One factor is stored, for the latent attention alone; llama.cpp takes the other to be the same.
  const bool latent = find_family(config.family)->latent_attention;
  const bool fits = latent ? scaling.mscale_all_dim == 0 || scaling.mscale == scaling.mscale_all_dim
                           : scaling.mscale == 0 || scaling.mscale_all_dim == 0;
  if (!fits) problems.push_back("rope_scaling with these mscale and mscale_all_dim");
}

bool has_window(const ModelConfig& config) {
  for (int64_t layer = 0; layer < config.num_hidden_layers; ++layer) {
    if (config.window(layer).value_or(INT64_MAX) < config.max_position_embeddings) return true;
  }
  return false;
}

void set_rope(const ModelConfig& config, const std::string& prefix, GgufMetadata& metadata) {
  const auto f32 = [&](const char* key, double value) {
    metadata.number(prefix + "rope." + key, static_cast<float>(value));
  };
  metadata.number(prefix + "rope.dimension_count", static_cast<uint32_t>(config.rotary_width()));
  f32("freq_base", config.rope_theta);
  if (!scales(config, kYarn)) return;
  const RopeScaling& scaling = *config.rope_scaling;
  metadata.text(prefix + "rope.scaling.type", kYarn);
  f32("scaling.factor", scaling.factor);
  metadata.number(prefix + "rope.scaling.original_context_length",
                  static_cast<uint32_t>(scaling.original_max_position_embeddings));
  f32("scaling.yarn_beta_fast", scaling.beta_fast);
  f32("scaling.yarn_beta_slow", scaling.beta_slow);
  if (find_family(config.family)->latent_attention && scaling.mscale_all_dim > 0)
    f32("scaling.yarn_log_multiplier", 0.1 * scaling.mscale_all_dim);
}

/// Of the absorbed form, in which a latent is the one key head; the lengths of config.json are
/// those that end in _mla. A rank of 0 is no latent of the query: llama.cpp wants the key.
void set_latent_attention(const ModelConfig& config, const std::string& prefix,
                          GgufMetadata& metadata) {
  const auto u32 = [&](const char* key, int64_t value) {
    metadata.number(prefix + "attention." + key, static_cast<uint32_t>(value));
  };
  u32("head_count_kv", 1);
  u32("q_lora_rank", config.q_lora_rank.value_or(0));
  u32("kv_lora_rank", config.kv_lora_rank);
  u32("key_length", config.kv_lora_rank + config.qk_rope_head_dim);
  u32("value_length", config.kv_lora_rank);
  u32("key_length_mla", config.query_width());
  u32("value_length_mla", config.v_head_dim);
}

void set_experts(const ModelConfig& config, const std::string& prefix, GgufMetadata& metadata) {
  const auto u32 = [&](const char* key, int64_t value) {
    metadata.number(prefix + key, static_cast<uint32_t>(value));
  };
  const Family& family = *find_family(config.family);
  u32("expert_count", config.n_routed_experts);
  u32("expert_used_count", config.num_experts_per_tok);
  u32("expert_feed_forward_length", config.moe_intermediate_size);
  if (!family.latent_attention) return;
  // Choosing from all groups is choosing without them, which llama.cpp refuses to call groups.
  const bool groups = config.topk_group < config.n_group;
  u32("expert_group_count", groups ? config.n_group : 1);
  u32("expert_group_used_count", groups ? config.topk_group : 1);
  u32("expert_shared_count", config.n_shared_experts);
  u32("leading_dense_block_count", config.first_k_dense_replace);
  u32("expert_gating_func", family.routing == Routing::sigmoid ? 2 : 1);
  metadata.number(prefix + "expert_weights_scale",
                  static_cast<float>(config.routed_scaling_factor));
  metadata.boolean(prefix + "expert_weights_norm", config.normalises_experts());
}

/// ggml's enum llama_ftype.
uint32_t file_type(GgufType type) {
  switch (type) {
    case GgufType::f16:
      return 1;
    case GgufType::q8_0:
      return 7;
    case GgufType::iq4_nl:
      return 25;
    case GgufType::bf16:
      return 32;
    default:
      return 0;
  }
}

bool stays_f32(const SourceTensor& tensor) {
  return tensor.shape.size() == 1 || tensor.name.ends_with(".ffn_gate_inp.weight");
}

/// The format of a tensor where matrices should have `type`.
GgufType type_of(const SourceTensor& tensor, GgufType type) {
  if (stays_f32(tensor)) return GgufType::f32;
  if (type == GgufType::iq4_nl && !tensor.read_codes) type = GgufType::q8_0;
  return tensor.shape.back() % gguf_block(type).items == 0 ? type : GgufType::f32;
}

/// Rows in blocks of some megabytes.
void write_rows(const SourceTensor& tensor, GgufType type, const ByteSink& sink) {
  constexpr int64_t kNumbersTogether = int64_t{1} << 18;
  const Extent extent = extent_of(tensor.shape);
  const int64_t together = std::max<int64_t>(1, kNumbersTogether / extent.width);
  const GgufBlock& block = gguf_block(type);
  std::vector<float> numbers;
  std::vector<std::byte> bytes;
  for (int64_t row = 0; row < extent.rows; row += together) {
    const int64_t end = std::min(extent.rows, row + together), count = (end - row) * extent.width;
    numbers.resize(static_cast<std::size_t>(count));
    bytes.resize(static_cast<std::size_t>(count / block.items * block.bytes));
    if (type == GgufType::iq4_nl) {
      tensor.read_codes(row, end, bytes.data());
    } else {
      tensor.read(row, end, numbers.data());
      encode(type, numbers.data(), count, bytes.data());
    }
    sink(bytes);
  }
}

}  // namespace

GgufFit gguf_fit(const ModelConfig& config) {
  GgufFit fit;
  const Family& family = *find_family(config.family);
  const std::string name(family.name);
  check_rope(config, fit.problems);
  if (family.latent_attention && !config.interleaves())
    fit.problems.push_back("rotary pairs that are halves (rope_interleave is false)");
  if (name == "qwen3_moe") {
    if (!config.norm_topk_prob)
      fit.problems.push_back("weights of experts that do not sum to one (norm_topk_prob is false)");
    for (int64_t layer = 0; layer < config.num_hidden_layers; ++layer) {
      if (config.routes(layer)) continue;
      fit.problems.push_back("layers without experts among those of qwen3_moe");
      break;
    }
  }
  if (has_window(config))
    fit.notes.push_back("windows of attention are left out: a token sees all before it");
  if (config.num_nextn_predict_layers > 0)
    fit.notes.push_back("layers of multi-token prediction are left out");
  const bool llama = architecture_of(config) == "llama";
  if (!llama && (config.attention_bias || config.mlp_bias))
    fit.notes.push_back("llama.cpp refuses a file with these biases");
  if (family.latent_attention && scales(config, kYarn) && config.rope_scaling->mscale_all_dim == 0)
    fit.notes.push_back("llama.cpp scales attention otherwise where YaRN has no mscale_all_dim");
  if (family.latent_attention && config.n_shared_experts == 0)
    fit.notes.push_back("llama.cpp refuses DeepSeek's experts without shared ones");
  if (family.latent_attention && family.routing == Routing::softmax &&
      config.topk_group < config.n_group)
    fit.notes.push_back(
        "llama.cpp chooses groups of experts by their best two scores, DeepSeek-V2 by the best");
  return fit;
}

GgufFit require_gguf_fit(const ModelConfig& config, const std::string& where) {
  GgufFit fit = gguf_fit(config);
  std::string told;
  for (const std::string& problem : fit.problems) told += (told.empty() ? "" : "; ") + problem;
  if (!told.empty())
    fail(ErrorKind::config, where, "a GGUF file has no place for " + told,
         "--format=safetensors has");
  return fit;
}

GgufHead gguf_head(const ModelConfig& config, const Tokenizer& tokenizer, const GgufBeside& beside,
                   GgufType type) {
  GgufHead head{{}, type, require_gguf_fit(config, beside.where).notes};
  add_gguf_config(config, type, head.metadata);
  const std::vector<std::string> notes = add_gguf_tokenizer(tokenizer, beside, head.metadata);
  head.notes.insert(head.notes.end(), notes.begin(), notes.end());
  return head;
}

void add_gguf_config(const ModelConfig& config, GgufType type, GgufMetadata& metadata) {
  const Family& family = *find_family(config.family);
  const std::string architecture(architecture_of(config)), prefix = architecture + ".";
  const auto u32 = [&](const char* key, int64_t value) {
    metadata.number(prefix + key, static_cast<uint32_t>(value));
  };
  metadata.text("general.architecture", architecture);
  metadata.text("general.type", "model");
  metadata.number("general.file_type", file_type(type));
  metadata.number("general.quantization_version", uint32_t{2});
  u32("block_count", config.num_hidden_layers);
  u32("context_length", config.max_position_embeddings);
  u32("embedding_length", config.hidden_size);
  u32("feed_forward_length", config.intermediate_size);
  u32("vocab_size", config.vocab_size);
  u32("attention.head_count", config.num_attention_heads);
  metadata.number(prefix + "attention.layer_norm_rms_epsilon",
                  static_cast<float>(config.rms_norm_eps));
  if (family.latent_attention) {
    set_latent_attention(config, prefix, metadata);
  } else {
    u32("attention.head_count_kv", config.num_key_value_heads.value_or(config.num_attention_heads));
    u32("attention.key_length", config.rotary_width());
    u32("attention.value_length", config.rotary_width());
  }
  set_rope(config, prefix, metadata);
  if (family.routing != Routing::none) set_experts(config, prefix, metadata);
}

std::vector<GgufOutput> gguf_outputs(std::vector<SourceTensor> tensors, GgufType type) {
  std::vector<GgufOutput> outputs;
  for (SourceTensor& tensor : tensors) {
    CUPEL_ASSERT(tensor.problem.empty() && tensor.read);
    const GgufType here = type_of(tensor, type);
    GgufOutput output{tensor.name, here, tensor.shape, nullptr};
    output.write = [tensor = std::move(tensor), here](const ByteSink& sink) {
      write_rows(tensor, here, sink);
    };
    outputs.push_back(std::move(output));
  }
  return outputs;
}

}  // namespace cupel::llm
