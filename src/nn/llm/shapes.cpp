#include "nn/llm/config.h"
#include "nn/llm/families.h"

namespace cupel::llm {
namespace {

/// Collects shapes in the order in which the decoder registers its parameters.
class Shapes {
 public:
  void add(std::string name, std::vector<int64_t> shape) {
    all.push_back({prefix + std::move(name), std::move(shape)});
  }
  void linear(const std::string& name, int64_t out, int64_t in, bool bias = false) {
    add(name + ".weight", {out, in});
    if (bias) add(name + ".bias", {out});
  }
  void gated(const std::string& name, int64_t width, int64_t inner, bool bias) {
    linear(name + ".gate_proj", inner, width, bias);
    linear(name + ".up_proj", inner, width, bias);
    linear(name + ".down_proj", width, inner, bias);
  }

  std::string prefix;
  std::vector<ParameterShape> all;
};

void latent_attention(const ModelConfig& c, Shapes& shapes) {
  const int64_t heads = c.num_attention_heads, query = heads * c.query_width();
  if (c.q_lora_rank) {
    shapes.linear("self_attn.q_a_proj", *c.q_lora_rank, c.hidden_size, c.attention_bias);
    shapes.add("self_attn.q_a_layernorm.weight", {*c.q_lora_rank});
    shapes.linear("self_attn.q_b_proj", query, *c.q_lora_rank);
  } else {
    shapes.linear("self_attn.q_proj", query, c.hidden_size);
  }
  shapes.linear("self_attn.kv_a_proj_with_mqa", c.kv_lora_rank + c.qk_rope_head_dim, c.hidden_size,
                c.attention_bias);
  shapes.add("self_attn.kv_a_layernorm.weight", {c.kv_lora_rank});
  shapes.linear("self_attn.kv_b_proj", heads * (c.qk_nope_head_dim + c.v_head_dim), c.kv_lora_rank);
  shapes.linear("self_attn.o_proj", c.hidden_size, heads * c.v_head_dim, c.attention_bias);
}

void grouped_attention(const ModelConfig& c, const Family& family, Shapes& shapes) {
  const int64_t width = c.rotary_width(), heads = c.num_attention_heads;
  const int64_t key_value = c.num_key_value_heads.value_or(heads) * width;
  const bool inner_bias = c.attention_bias || family.query_key_value_bias;
  shapes.linear("self_attn.q_proj", heads * width, c.hidden_size, inner_bias);
  shapes.linear("self_attn.k_proj", key_value, c.hidden_size, inner_bias);
  shapes.linear("self_attn.v_proj", key_value, c.hidden_size, inner_bias);
  shapes.linear("self_attn.o_proj", c.hidden_size, heads * width, c.attention_bias);
  if (!family.head_norm) return;
  shapes.add("self_attn.q_norm.weight", {width});
  shapes.add("self_attn.k_norm.weight", {width});
}

void experts(const ModelConfig& c, Shapes& shapes) {
  shapes.add("mlp.gate.weight", {c.n_routed_experts, c.hidden_size});
  shapes.add("mlp.experts.gate_up_proj",
             {c.n_routed_experts, 2 * c.moe_intermediate_size, c.hidden_size});
  shapes.add("mlp.experts.down_proj", {c.n_routed_experts, c.hidden_size, c.moe_intermediate_size});
  if (c.shared_width() > 0)
    shapes.gated("mlp.shared_experts", c.hidden_size, c.shared_width(), c.mlp_bias);
}

void block(const ModelConfig& c, const Family& family, int64_t index, Shapes& shapes) {
  shapes.prefix = "model.layers." + std::to_string(index) + ".";
  shapes.add("input_layernorm.weight", {c.hidden_size});
  family.latent_attention ? latent_attention(c, shapes) : grouped_attention(c, family, shapes);
  shapes.add("post_attention_layernorm.weight", {c.hidden_size});
  if (c.routes(index)) {
    experts(c, shapes);
  } else {
    shapes.gated("mlp", c.hidden_size, c.intermediate_size, c.mlp_bias);
  }
  if (index < c.num_hidden_layers) return;
  shapes.add("enorm.weight", {c.hidden_size});
  shapes.add("hnorm.weight", {c.hidden_size});
  shapes.linear("eh_proj", c.hidden_size, 2 * c.hidden_size);
  shapes.add("shared_head.norm.weight", {c.hidden_size});
}

}  // namespace

int64_t ParameterShape::size() const {
  int64_t product = 1;
  for (const int64_t extent : shape) product *= extent;
  return product;
}

std::vector<ParameterShape> parameter_shapes(const ModelConfig& config) {
  const Family& family = *find_family(config.family);
  Shapes shapes;
  shapes.add("model.embed_tokens.weight", {config.vocab_size, config.hidden_size});
  for (int64_t i = 0; i < config.num_hidden_layers + config.num_nextn_predict_layers; ++i)
    block(config, family, i, shapes);
  shapes.prefix.clear();
  shapes.add("model.norm.weight", {config.hidden_size});
  if (!config.tie_word_embeddings)
    shapes.add("lm_head.weight", {config.vocab_size, config.hidden_size});
  return shapes.all;
}

int64_t parameter_count(const ModelConfig& config) {
  int64_t count = 0;
  for (const ParameterShape& parameter : parameter_shapes(config)) count += parameter.size();
  return count;
}

int64_t active_parameter_count(const ModelConfig& config) {
  int64_t count = 0;
  for (const ParameterShape& parameter : parameter_shapes(config)) {
    const bool routed = parameter.name.find(".mlp.experts.") != std::string::npos;
    count += routed ? parameter.size() / config.n_routed_experts * config.num_experts_per_tok
                    : parameter.size();
  }
  return count;
}

}  // namespace cupel::llm
