// llama.cpp's side of the benches decode and gguf, and its quantiser: --quantize IN OUT TYPE
// [IMPORTANCE], a file as bench/gguf/ours.cpp writes it. Protocol in bench/decode/README.md and
// bench/gguf/README.md.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iostream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "ggml-cpu.h"
#include "llama.h"

namespace {

/// Lines "NAME COUNT", each followed by COUNT floats.
std::map<std::string, std::vector<float>> read_importance(const char* path) {
  std::map<std::string, std::vector<float>> found;
  std::ifstream file(path, std::ios::binary);
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string name;
    size_t count = 0;
    words >> name >> count;
    std::vector<float>& values = found[name];
    values.resize(count);
    file.read(reinterpret_cast<char*>(values.data()),
              static_cast<std::streamsize>(count * sizeof(float)));
  }
  return found;
}

int quantize(const char* in, const char* out, const std::string& type, const char* importance) {
  const std::map<std::string, llama_ftype> types{{"q4_0", LLAMA_FTYPE_MOSTLY_Q4_0},
                                                 {"q4_K", LLAMA_FTYPE_MOSTLY_Q4_K_S},
                                                 {"iq4_nl", LLAMA_FTYPE_MOSTLY_IQ4_NL},
                                                 {"iq4_xs", LLAMA_FTYPE_MOSTLY_IQ4_XS},
                                                 {"f32", LLAMA_FTYPE_ALL_F32}};
  llama_model_quantize_params params = llama_model_quantize_default_params();
  params.ftype = types.at(type);
  params.nthread = 2;
  params.allow_requantize = true;
  params.pure = true;  // no layer in a finer type, as ours has none
  params.output_tensor_type = params.token_embedding_type =
      type == "f32" ? GGML_TYPE_F32 : GGML_TYPE_Q8_0;
  std::map<std::string, std::vector<float>> found;
  std::vector<llama_model_imatrix_data> importances;
  if (importance != nullptr) {
    found = read_importance(importance);
    for (const auto& [name, values] : found)
      importances.push_back({name.c_str(), values.data(), values.size()});
    importances.push_back({nullptr, nullptr, 0});
    params.imatrix = importances.data();
  }
  return llama_model_quantize(in, out, &params) == 0 ? 0 : 1;
}

/// Answers "logits FILE ID…" by writing those after every token to FILE, and saying how many.
void serve_logits(llama_context* context, size_t vocabulary) {
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream words(line);
    std::string word, path;
    words >> word >> path;
    llama_memory_clear(llama_get_memory(context), true);
    llama_batch batch = llama_batch_init(1024, 0, 1);
    for (llama_token id = 0; words >> id; ++batch.n_tokens) {
      batch.token[batch.n_tokens] = id;
      batch.pos[batch.n_tokens] = batch.n_tokens;
      batch.n_seq_id[batch.n_tokens] = 1;
      batch.seq_id[batch.n_tokens][0] = 0;
      batch.logits[batch.n_tokens] = 1;
    }
    if (llama_decode(context, batch) != 0) std::exit(1);
    std::ofstream out(path, std::ios::binary);
    for (int i = 0; i < batch.n_tokens; ++i)
      out.write(reinterpret_cast<const char*>(llama_get_logits_ith(context, i)),
                static_cast<std::streamsize>(vocabulary * sizeof(float)));
    out.close();
    std::cout << "{\"rows\": " << batch.n_tokens << "}" << std::endl;
    llama_batch_free(batch);
  }
}

llama_context* open_context(const std::string& path, int tokens, int threads) {
  llama_model_params model_params = llama_model_default_params();
  model_params.progress_callback = [](float, void*) { return true; };  // silent
  llama_model* model = llama_model_load_from_file(path.c_str(), model_params);
  llama_context_params params = llama_context_default_params();
  params.n_ctx = static_cast<uint32_t>(tokens);
  params.n_batch = params.n_ubatch = 512;
  params.n_threads = params.n_threads_batch = threads;
  llama_context* context = model == nullptr ? nullptr : llama_init_from_model(model, params);
  if (context == nullptr) std::exit(1);
  // Without one, each token would start its threads anew; settings are those of llama-bench.
  ggml_threadpool_params pool_params = ggml_threadpool_params_default(threads);
  ggml_threadpool* pool = ggml_threadpool_new(&pool_params);
  llama_attach_threadpool(context, pool, pool);
  return context;
}

int serve(const std::map<std::string, std::string>& options) {
  const int context_tokens = std::stoi(options.at("--context"));
  const bool decodes = options.at("--phase") == "decode";
  llama_context* context =
      open_context(options.at("--model"), context_tokens + 512, std::stoi(options.at("--threads")));
  const int vocabulary = llama_vocab_n_tokens(llama_model_get_vocab(llama_get_model(context)));
  std::vector<llama_token> prompt(static_cast<size_t>(context_tokens));
  for (int i = 0; i < context_tokens; ++i)
    prompt[static_cast<size_t>(i)] = static_cast<llama_token>(int64_t{i} * 37 % vocabulary);
  const auto extend = [&](llama_token* ids, int count) {
    if (llama_decode(context, llama_batch_get_one(ids, count)) != 0) std::exit(1);
    const float* logits = llama_get_logits_ith(context, -1);
    return static_cast<llama_token>(std::max_element(logits, logits + vocabulary) - logits);
  };
  const auto fill = [&] {
    llama_token last = 0;
    for (int at = 0; at < context_tokens; at += 512)
      last = extend(prompt.data() + at, std::min(512, context_tokens - at));
    return last;
  };
  if (decodes) fill();
  std::cout << "{\"version\": \"" << options.at("--version") << "\"}" << std::endl;
  if (options.at("--phase") == "logits") {
    serve_logits(context, static_cast<size_t>(vocabulary));
    return 0;
  }
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream words(line);
    std::string word;
    int64_t steps = 1;
    words >> word >> steps;
    llama_token token = 1;
    llama_memory_t memory = llama_get_memory(context);
    if (decodes) llama_memory_seq_rm(memory, 0, context_tokens, -1);
    const auto begin = std::chrono::steady_clock::now();
    for (int64_t i = 0; i < steps; ++i) {
      if (decodes) {
        token = extend(&token, 1);
      } else {
        llama_memory_clear(memory, false);
        fill();
      }
    }
    const double seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    std::cout << "{\"seconds\": " << seconds
              << ", \"tokens\": " << (decodes ? steps : steps * context_tokens)
              << ", \"last\": " << token << "}" << std::endl;
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  llama_log_set(
      [](ggml_log_level level, const char* text, void*) {
        if (level >= GGML_LOG_LEVEL_ERROR) std::fputs(text, stderr);
      },
      nullptr);
  llama_backend_init();
  if (argc >= 5 && std::strcmp(argv[1], "--quantize") == 0)
    return quantize(argv[2], argv[3], argv[4], argc > 5 ? argv[5] : nullptr);
  std::map<std::string, std::string> options;
  for (int i = 1; i + 1 < argc; i += 2) options[argv[i]] = argv[i + 1];
  return serve(options);
}
