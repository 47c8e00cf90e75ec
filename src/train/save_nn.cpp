#include "train/save_nn.h"

#include "base/atomic_file.h"
#include "base/error.h"
#include "data/model_path.h"
#include "nn/llm/adapter_nn.h"
#include "nn/llm/weights_nn.h"

namespace cupel::train {
namespace {

/// Whether the Hugging Face cache gives `base` for `name`.
bool is_cached_as(const std::string& name, const std::filesystem::path& base) {
  try {
    return find_cached_model(name) == base;
  } catch (const Error&) {  // the cache does not say which of several snapshots it is
    return false;
  }
}

/// What adapter_config.json calls the base model: a name of the hub, or where it lies.
std::string name_of_base(const std::filesystem::path& base) {
  const std::string name = model_name(base);
  if (is_cached_as(name, base)) return name;
  return std::filesystem::absolute(base).lexically_normal().string();
}

}  // namespace

void save_trained(const std::filesystem::path& folder, const Config& config,
                  const llm::Decoder& decoder, const Tokenizer& tokenizer,
                  const std::optional<ChatTemplate>& chat_template) {
  if (config.adapter == Adapter::lora) {
    llm::save_adapters(folder, decoder, config.adapter_config(),
                       name_of_base(config.base_model.text));
  } else {
    llm::save_model(folder, decoder, {tokenizer.bos_id(), tokenizer.eos_id()});
  }
  tokenizer.save(folder);
  if (chat_template)  // where transformers looks first
    write_file_atomically(folder / "chat_template.jinja", chat_template->text());
}

}  // namespace cupel::train
