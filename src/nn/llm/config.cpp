#include "nn/llm/config.h"

#include <algorithm>
#include <cmath>

#include "nn/llm/families.h"

namespace cupel::llm {
namespace {

constexpr double kMostParameters = 1e15;

class Problems {
 public:
  void unless(bool fine, std::string text) {
    if (!fine) found.push_back(std::move(text));
  }
  std::vector<std::string> found;
};

/// What a family has no use for would be given in vain.
void check_settings(const ModelConfig& c, const Family& family, Problems& problems) {
  static const ModelConfig plain;
  for_each_field<ModelConfig>([&](const auto& field) {
    // rope_scaling has no equality, and every family has it.
    if constexpr (!std::is_same_v<std::decay_t<decltype(c.*field.member)>,
                                  std::optional<RopeScaling>>) {
      if (!tells_families_apart(field.name) || family.has(field.name)) return;
      problems.unless(c.*field.member == plain.*field.member,
                      std::string(field.name) + " is no setting of family " +
                          std::string(family.name) + "; leave it out");
    }
  });
}

/// An encoder has neither rotary positions nor RMSNorm nor a head over tokens.
void check_encoder(const ModelConfig& c, Problems& problems) {
  const ModelConfig plain;
  const auto refuse = [&](bool given, const char* name) {
    problems.unless(!given, std::string(name) + " is no setting of family bert; leave it out");
  };
  refuse(c.rope_theta != plain.rope_theta, "rope_theta");
  refuse(c.rope_scaling.has_value(), "rope_scaling");
  refuse(c.rms_norm_eps != plain.rms_norm_eps, "rms_norm_eps");
  refuse(c.tie_word_embeddings, "tie_word_embeddings");
}

void check_experts(const ModelConfig& c, const Family& family, Problems& problems) {
  problems.unless(c.num_experts_per_tok <= c.n_routed_experts,
                  "num_experts_per_tok is more than n_routed_experts; lower it");
  if (c.n_routed_experts % c.n_group != 0) {
    problems.unless(false, "n_group does not divide n_routed_experts");
    return;
  }
  const int64_t group = c.n_routed_experts / c.n_group;
  problems.unless(c.topk_group <= c.n_group, "topk_group is more than n_group; lower it");
  problems.unless(family.routing == Routing::softmax || c.n_group == 1 || group >= 2,
                  "a group needs at least two experts; lower n_group");
  problems.unless(c.num_experts_per_tok <= c.topk_group * group,
                  "topk_group leaves fewer experts than num_experts_per_tok; raise topk_group");
}

/// What would divide by zero, or take the logarithm of it, is refused.
void check_rope(const RopeScaling& scaling, double theta, Problems& problems) {
  problems.unless(scaling.factor >= 1 && scaling.factor <= 1e6,
                  "rope_scaling needs a factor from 1 to 1e6");
  if (scaling.type == "yarn") {
    problems.unless(theta > 1, "yarn needs a rope_theta above 1");
    problems.unless(scaling.beta_slow > 0 && scaling.beta_fast >= scaling.beta_slow,
                    "rope_scaling needs 0 < beta_slow <= beta_fast");
  } else if (scaling.type == "llama3") {
    problems.unless(scaling.low_freq_factor < scaling.high_freq_factor,
                    "rope_scaling needs low_freq_factor < high_freq_factor");
  } else {
    problems.unless(false,
                    "unknown rope_scaling type \"" + scaling.type + "\"; known: yarn, llama3");
  }
}

}  // namespace

bool ModelConfig::interleaves() const {
  const Family* row = find_family(family);
  return row != nullptr && row->latent_attention && rope_interleave;
}

std::optional<int64_t> ModelConfig::window(int64_t layer) const {
  return layer < max_window_layers ? std::nullopt : sliding_window;
}

bool ModelConfig::routes(int64_t layer) const {
  const Family* row = find_family(family);
  if (row == nullptr || row->routing == Routing::none) return false;
  if (row->has("first_k_dense_replace")) return layer >= first_k_dense_replace;
  return (layer + 1) % decoder_sparse_step == 0 &&
         std::find(mlp_only_layers.begin(), mlp_only_layers.end(), layer) == mlp_only_layers.end();
}

int64_t ModelConfig::shared_width() const {
  const Family* row = find_family(family);
  return row != nullptr && row->has("n_shared_experts") ? n_shared_experts * moe_intermediate_size
                                                        : 0;
}

bool ModelConfig::normalises_experts() const {
  const Family* row = find_family(family);
  return row != nullptr && row->has("norm_topk_prob") && norm_topk_prob;
}

int64_t ModelConfig::rotary_width() const {
  const Family* row = find_family(family);
  if (row != nullptr && row->latent_attention) return qk_rope_head_dim;
  return head_dim.value_or(hidden_size / num_attention_heads);
}

int64_t ModelConfig::query_width() const {
  const Family* row = find_family(family);
  const bool latent = row != nullptr && row->latent_attention;
  return rotary_width() + (latent ? qk_nope_head_dim : 0);
}

std::vector<std::string> ModelConfig::problems() const {
  Problems problems;
  const bool encodes = family == kEncoderFamily.name;
  const Family* row = encodes ? &kEncoderFamily : find_family(family);
  problems.unless(row != nullptr, "unknown family \"" + family + "\"; known: " + known_families() +
                                      " and, for task: classify, bert");
  if (row == nullptr) return problems.found;
  if (encodes) check_encoder(*this, problems);
  problems.unless(encodes || rotary_width() % 2 == 0, row->latent_attention
                                                          ? "qk_rope_head_dim must be even"
                                                          : "head_dim must be even");
  const bool divides = hidden_size % num_attention_heads == 0;
  problems.unless(
      divides || !row->whole_heads,
      "num_attention_heads does not divide hidden_size, as transformers asks of family " + family);
  if (!row->latent_attention) {
    problems.unless(divides || row->whole_heads || head_dim,
                    "num_attention_heads does not divide hidden_size; give head_dim");
    problems.unless(num_attention_heads % num_key_value_heads.value_or(num_attention_heads) == 0,
                    "num_key_value_heads does not divide num_attention_heads");
  }
  check_settings(*this, *row, problems);
  if (row->routing != Routing::none) check_experts(*this, *row, problems);
  if (rope_scaling) check_rope(*rope_scaling, rope_theta, problems);
  // In doubles, which do not overflow.
  const auto d = [](int64_t value) { return static_cast<double>(value); };
  const double heads = d(num_attention_heads);
  double layer =
      d(hidden_size) * (d(intermediate_size) + heads * d(query_width()) +
                        (d(n_routed_experts) + d(n_shared_experts)) * d(moe_intermediate_size));
  if (row->latent_attention) {
    layer += d(q_lora_rank.value_or(0)) * (d(hidden_size) + heads * d(query_width())) +
             d(kv_lora_rank) * (d(hidden_size) + heads * d(qk_nope_head_dim + v_head_dim)) +
             d(hidden_size) * heads * d(v_head_dim);
  }
  problems.unless(d(num_hidden_layers) * layer + d(vocab_size) * d(hidden_size) < kMostParameters,
                  "the model has more than 1e15 parameters; lower its sizes");
  return problems.found;
}

}  // namespace cupel::llm
