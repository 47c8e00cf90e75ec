#include "nn/llm/gguf_beside.h"

#include "base/atomic_file.h"
#include "data/adapter_folder.h"
#include "data/chat_template.h"
#include "nn/llm/generation_config.h"

namespace cupel::llm {

GgufBeside gguf_beside(const std::filesystem::path& model, const Tokenizer& tokenizer,
                       int64_t vocab_size) {
  const std::filesystem::path jinja = file_of_model(model, "chat_template.jinja");
  GgufBeside beside;
  beside.where = model.string();
  beside.vocab_size = vocab_size;
  beside.chat_template = chat_template_text(tokenizer.config(),
                                            std::filesystem::exists(jinja) ? read_file(jinja) : "");
  beside.endings = ending_tokens(model, vocab_size);
  return beside;
}

}  // namespace cupel::llm
