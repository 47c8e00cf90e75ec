// A model of the default family that trains in milliseconds.
#pragma once

#include "nn/llm/config.h"

namespace cupel {

/// Two layers, the second with four experts, and one of multi-token prediction.
inline llm::ModelConfig tiny_mixture() {
  llm::ModelConfig model;  // deepseek_v3
  model.hidden_size = 32;
  model.intermediate_size = 64;
  model.num_hidden_layers = 2;
  model.num_attention_heads = 2;
  model.kv_lora_rank = 16;
  model.qk_nope_head_dim = 8;
  model.qk_rope_head_dim = 8;
  model.v_head_dim = 16;
  model.n_routed_experts = 4;
  model.moe_intermediate_size = 32;
  model.num_nextn_predict_layers = 1;
  model.max_position_embeddings = 64;
  return model;
}

}  // namespace cupel
