// Our side of the bench: bench_lda CORPUS TRAINING VOCABULARY TOPICS; protocol in README.md.
#include <ctime>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>

#include "base/error.h"
#include "base/json.h"
#include "curate/lda.h"
#include "kernels/kernels.h"

namespace cupel::curate {
namespace {

/// The first `count` lines of a file, each the ids of a document.
TermDocuments read_documents(const char* path, int64_t count) {
  std::ifstream in(path);
  TermDocuments documents;
  for (std::string line; documents.size() < count && std::getline(in, line);) {
    std::istringstream words(line);
    std::vector<int32_t> terms;
    for (int32_t term; words >> term;) terms.push_back(term);
    documents.add(terms);
  }
  return documents;
}

json::Value topics_of(const LdaModel& model) {
  json::Array topics;
  for (int k = 0; k < model.topics(); ++k) {
    json::Array terms;
    for (int32_t w = 0; w < model.vocabulary(); ++w)
      terms.emplace_back(static_cast<double>(model.probability(w, k)));
    topics.emplace_back(std::move(terms));
  }
  return json::Object{{"topics", std::move(topics)}};
}

struct Bench {
  TermDocuments documents;
  int32_t vocabulary;
  LdaOptions options;
  ThreadPool pool{1};

  /// Answers requests for rounds until one asks for something else, which it returns. All rounds
  /// are one long fit, that waits for requests between sweeps.
  std::string rounds(std::string line) {
    int64_t steps = 0, left = 0;
    std::clock_t begin = 0;
    const auto poll = [&] {
      if (left-- > 0) return;
      if (steps > 0) {
        const double seconds =
            static_cast<double>(std::clock() - begin) / static_cast<double>(CLOCKS_PER_SEC);
        const auto tokens = static_cast<int64_t>(documents.terms.size());
        std::cout << json::dump(json::Object{{"seconds", seconds}, {"tokens", steps * tokens}})
                  << std::endl;
        if (!std::getline(std::cin, line)) line.clear();
      }
      std::istringstream words(line);
      std::string word;
      if (!(words >> word >> steps) || word != "round") throw Interrupted();
      left = steps - 1;
      begin = std::clock();
    };
    LdaOptions endless = options;
    endless.sweeps = 1 << 30;
    try {
      LdaModel::fit(documents, vocabulary, endless, 1, pool, poll);
    } catch (const Interrupted&) {
    }
    return line;
  }

  void serve() {
    std::cout << json::dump(json::Object{{"version", "cupel"}, {"isa_row", kernels().name}})
              << std::endl;
    std::string line;
    if (!std::getline(std::cin, line)) return;
    while (!line.empty()) {
      if (line.starts_with("round")) {
        line = rounds(line);
        continue;
      }
      LdaOptions some = options;
      some.sweeps = std::stoi(line.substr(line.find(' ')));  // topics SWEEPS
      std::cout << json::dump(topics_of(LdaModel::fit(documents, vocabulary, some, 1, pool)))
                << std::endl;
      if (!std::getline(std::cin, line)) return;
    }
  }
};

}  // namespace
}  // namespace cupel::curate

int main(int argc, char** argv) {
  if (argc != 5) return 2;
  using namespace cupel::curate;
  Bench bench{.documents = read_documents(argv[1], std::stoll(argv[2])),
              .vocabulary = std::stoi(argv[3]),
              .options = {.topics = std::stoi(argv[4]), .optimize_alpha = false}};
  bench.serve();
}
