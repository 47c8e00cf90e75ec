#include "nn/llm/named_parts_nn.h"

namespace cupel::llm {
namespace {

/// Fused experts [n, 2 * inner, width] → experts.<i>.gate_proj.weight and …up_proj.weight, each
/// [inner, width]; [n, width, inner] → experts.<i>.down_proj.weight.
void add_experts(const std::string& name, const at::Tensor& fused, std::vector<NamedPart>& parts) {
  const std::string prefix = name.substr(0, name.rfind('.') + 1);
  const bool gate_up = name.ends_with("gate_up_proj");
  for (int64_t i = 0; i < fused.size(0); ++i) {
    const std::string expert = prefix + std::to_string(i) + ".";
    if (gate_up) {
      const int64_t inner = fused.size(1) / 2;
      parts.push_back({expert + "gate_proj.weight", fused[i].narrow(0, 0, inner)});
      parts.push_back({expert + "up_proj.weight", fused[i].narrow(0, inner, inner)});
    } else {
      parts.push_back({expert + "down_proj.weight", fused[i]});
    }
  }
}

bool is_of_adapter(const std::string& name) {
  return name.ends_with(".lora_A.weight") || name.ends_with(".lora_B.weight");
}

}  // namespace

std::vector<NamedPart> parts_of(const Decoder& decoder) {
  std::vector<NamedPart> parts;
  for (const auto& item : decoder.named_parameters()) {
    if (is_of_adapter(item.key())) continue;
    const at::Tensor tensor = item.value().detach();
    if (item.key().find(".mlp.experts.") != std::string::npos) {
      add_experts(item.key(), tensor, parts);
    } else {
      parts.push_back({item.key(), tensor});
    }
  }
  for (const auto& item : decoder.named_buffers()) parts.push_back({item.key(), item.value()});
  return parts;
}

}  // namespace cupel::llm
