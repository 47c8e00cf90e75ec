#include "nn/llm/generation_config.h"

#include <string>

#include "base/atomic_file.h"
#include "base/error.h"
#include "base/json.h"
#include "data/adapter_folder.h"
#include "data/gguf.h"

namespace cupel::llm {
namespace {

int32_t checked(int64_t id, int64_t vocab_size, const std::string& where) {
  if (id < 0 || id >= vocab_size)
    fail(ErrorKind::data, where,
         std::to_string(id) + " is no token of a vocabulary of " + std::to_string(vocab_size),
         "fetch the model's files from one place");
  return static_cast<int32_t>(id);
}

}  // namespace

std::vector<int32_t> ending_tokens(const std::filesystem::path& model, int64_t vocab_size) {
  std::vector<int32_t> ids;
  if (is_gguf(model)) {
    const Gguf file = Gguf::open(model);
    for (const char* key : {"tokenizer.ggml.eot_token_id", "tokenizer.ggml.eom_token_id"}) {
      if (const GgufValue* value = file.find(key))
        ids.push_back(checked(value->as_int(file.place(key)), vocab_size, file.place(key)));
    }
    return ids;
  }
  const std::filesystem::path path = model / "generation_config.json";
  if (is_adapter(model) && !std::filesystem::exists(path))
    return ending_tokens(base_of_adapter(model), vocab_size);
  if (!std::filesystem::exists(path)) return ids;
  const json::Value config = json::parse(read_file(path), path.string());
  const std::string where = path.string() + ": eos_token_id";
  config.as_object(path.string());
  const json::Value* value = config.find("eos_token_id");
  if (value == nullptr || value->is_null()) return ids;
  if (!value->is_array()) return {checked(value->as_int(where), vocab_size, where)};
  for (const json::Value& id : value->as_array(where))
    ids.push_back(checked(id.as_int(where), vocab_size, where));
  return ids;
}

}  // namespace cupel::llm
