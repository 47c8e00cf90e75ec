#include "nn/llm/published_shapes.h"

#include <set>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/text.h"
#include "data/gguf.h"
#include "nn/llm/families.h"

namespace cupel::llm {
namespace {

/// model.layers.<i>.embed_tokens.weight or model.layers.<i>.shared_head.head.weight
bool is_repeated_by_a_prediction_layer(std::string_view name) {
  constexpr std::string_view kPrefix = "model.layers.";
  if (!name.starts_with(kPrefix)) return false;
  name.remove_prefix(kPrefix.size());
  const std::size_t digits = name.find_first_not_of("0123456789");
  if (digits == 0 || digits == std::string_view::npos) return false;
  name.remove_prefix(digits);
  return name == ".embed_tokens.weight" || name == ".shared_head.head.weight";
}

bool is_ignored(const std::string& name, const ModelConfig& config) {
  return name.ends_with("rotary_emb.inv_freq") || is_repeated_by_a_prediction_layer(name) ||
         (name == "lm_head.weight" && config.tie_word_embeddings);
}

std::string text_of(const std::vector<int64_t>& shape) {
  std::string text;
  for (const int64_t extent : shape) text += (text.empty() ? "" : ", ") + std::to_string(extent);
  return "[" + text + "]";
}

constexpr std::size_t kNameCharacters = 200;

/// At most ten lines of a list, and how many more there are.
std::string told(const std::vector<std::string>& lines) {
  constexpr std::size_t kMostTold = 10;
  std::string text;
  for (std::size_t i = 0; i < lines.size() && i < kMostTold; ++i) text += "\n  " + lines[i];
  if (lines.size() > kMostTold)
    text += "\n  and " + std::to_string(lines.size() - kMostTold) + " more";
  return text;
}

/// What keeps the files from making the model: what is missing or does not fit, then what nothing
/// asks for.
std::string problems_of(const TensorSource& source, const ModelConfig& config) {
  std::vector<std::string> lacks, extra;
  std::set<std::string> wanted;
  // A hostile config.json can ask for a thousand million experts.
  const std::size_t enough = source.tensors.size() + 1000;
  const std::vector<ParameterShape> shapes = published_shapes(config, enough);
  for (const ParameterShape& part : shapes) {
    wanted.insert(part.name);
    const SourceTensor* tensor = source.find(part.name);
    if (tensor == nullptr) {
      lacks.push_back("missing " + part.name);
    } else if (!tensor->problem.empty()) {
      lacks.push_back(part.name + " is " + tensor->problem);
    } else if (tensor->shape != part.shape) {
      lacks.push_back(part.name + " is " + text_of(tensor->shape) + ", config.json says " +
                      text_of(part.shape));
    }
  }
  for (const SourceTensor& tensor : source.tensors) {
    if (shapes.size() < enough && !wanted.contains(tensor.name) && !is_ignored(tensor.name, config))
      extra.push_back("unexpected " + clip(tensor.name, kNameCharacters));
  }
  return told(lacks) + told(extra);
}

/// experts.gate_up_proj or experts.down_proj, one matrix an expert.
void add_experts(const ParameterShape& fused, std::size_t most,
                 std::vector<ParameterShape>& shapes) {
  const std::string prefix = fused.name.substr(0, fused.name.rfind('.') + 1);
  const bool gate_up = fused.name.ends_with("gate_up_proj");
  const std::vector<int64_t> shape{gate_up ? fused.shape[1] / 2 : fused.shape[1], fused.shape[2]};
  for (int64_t i = 0; i < fused.shape[0] && shapes.size() < most; ++i) {
    const std::string expert = prefix + std::to_string(i) + ".";
    if (gate_up) {
      shapes.push_back({expert + "gate_proj.weight", shape});
      shapes.push_back({expert + "up_proj.weight", shape});
    } else {
      shapes.push_back({expert + "down_proj.weight", shape});
    }
  }
}

}  // namespace

std::vector<ParameterShape> published_shapes(const ModelConfig& config, std::size_t most) {
  constexpr std::string_view kRouter = ".mlp.gate.weight";
  const Family* family = find_family(config.family);
  std::vector<ParameterShape> shapes;
  for (const ParameterShape& parameter : parameter_shapes(config)) {
    const std::string& name = parameter.name;
    if (name.ends_with(".experts.gate_up_proj") || name.ends_with(".experts.down_proj")) {
      add_experts(parameter, most, shapes);
      continue;
    }
    shapes.push_back(parameter);
    if (name.ends_with(kRouter) && family != nullptr && family->routing == Routing::sigmoid)
      shapes.push_back({name.substr(0, name.size() - std::string_view("weight").size()) +
                            "e_score_correction_bias",
                        {parameter.shape[0]}});
  }
  if (shapes.size() > most) shapes.resize(most);
  return shapes;
}

void require_shapes(const TensorSource& source, const ModelConfig& config,
                    const std::filesystem::path& model) {
  const std::string problems = problems_of(source, config);
  if (!problems.empty())
    fail(ErrorKind::data, model.string(), "the weights do not fit config.json:" + problems,
         is_gguf(model) ? "the file is damaged, or of a variant of the family that is not built"
                        : "fetch config.json and weights from one place");
}

}  // namespace cupel::llm
