// Our side of the bench and of the comparison with the reference: bench_tokenizer FOLDER
// [TEXTS encode|decode|load]; protocol in README.md.
#include <ctime>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include "base/atomic_file.h"
#include "base/error.h"
#include "base/json.h"
#include "data/tokenizer/tokenizer.h"

namespace cupel {
namespace {

struct Bench {
  std::string folder, mode;
  std::vector<std::string> texts;
  std::vector<std::vector<int32_t>> ids;
  int64_t bytes = 0;  // of text a step, or files read

  /// Without the tokenizer_config.json, which the peer does not read.
  Tokenizer load() const {
    const std::string file = folder + "/tokenizer.json";
    return Tokenizer::parse(read_file(file), file);
  }

  void step(const Tokenizer& tokenizer) const {
    if (mode == "load") {
      load();
    } else if (mode == "encode") {
      for (const std::string& text : texts) tokenizer.encode(text, /*special=*/true);
    } else {
      for (const auto& sequence : ids) tokenizer.decode(sequence);
    }
  }
};

json::Value round(const Bench& bench, const Tokenizer& tokenizer, int64_t steps) {
  const std::clock_t begin = std::clock();
  for (int64_t i = 0; i < steps; ++i) bench.step(tokenizer);
  const double seconds =
      static_cast<double>(std::clock() - begin) / static_cast<double>(CLOCKS_PER_SEC);
  return json::Object{{"seconds", seconds}, {"done", steps * bench.bytes}};
}

/// Each line of `in`, a JSON string, as ids on a line of `out`.
void encode_lines(const Tokenizer& tokenizer, std::istream& in, std::ostream& out) {
  for (std::string line; std::getline(in, line);) {
    for (const int32_t id : tokenizer.encode(json::parse(line, "text").as_string("text"), true))
      out << id << ' ';
    out << '\n';
  }
}

/// Each line of `in`, 0 or 1 for skip_special and ids, as a JSON string on a line of `out`.
void decode_lines(const Tokenizer& tokenizer, std::istream& in, std::ostream& out) {
  for (std::string line; std::getline(in, line);) {
    std::istringstream words(line);
    bool skip_special = false;
    words >> skip_special;
    std::vector<int32_t> ids;
    for (int32_t id; words >> id;) ids.push_back(id);
    out << json::dump(tokenizer.decode(ids, skip_special)) << '\n';
  }
}

json::Value answer(const Bench& bench, const Tokenizer& tokenizer, const std::string& request) {
  std::istringstream words(request);
  std::string verb, in, out;
  words >> verb >> in >> out;
  if (verb == "round") return round(bench, tokenizer, std::stoll(in));
  std::ifstream from(in);
  std::ofstream to(out);
  if (verb == "encode") {
    encode_lines(tokenizer, from, to);
  } else if (verb == "decode") {
    decode_lines(tokenizer, from, to);
  } else {
    fail(ErrorKind::config, verb, "unknown request", "known: round, encode, decode");
  }
  to.close();
  return json::Object{{"written", to.good()}};
}

int serve(int argc, char** argv) {
  Bench bench{.folder = argv[1], .mode = argc > 3 ? argv[3] : "", .texts = {}, .ids = {}};
  const Tokenizer tokenizer = bench.load();
  if (argc > 2) {
    const json::Value list = json::parse(read_file(argv[2]), argv[2]);
    for (const json::Value& text : list.as_array(argv[2])) {
      bench.texts.push_back(text.as_string(argv[2]));
      bench.ids.push_back(tokenizer.encode(bench.texts.back(), true));
      bench.bytes += static_cast<int64_t>(bench.texts.back().size());
    }
    if (bench.mode == "load") bench.bytes = 1;
  }
  std::cout << json::dump(
                   json::Object{{"version", "cupel"}, {"vocab_size", tokenizer.vocab_size()}})
            << std::endl;
  for (std::string line; std::getline(std::cin, line);)
    std::cout << json::dump(answer(bench, tokenizer, line)) << std::endl;
  return 0;
}

}  // namespace
}  // namespace cupel

int main(int argc, char** argv) {
  try {
    return cupel::serve(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
