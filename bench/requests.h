// What the benches' programs share: requests on standard input, each answered with a line of JSON.
#pragma once

#include <chrono>
#include <cstdint>
#include <exception>
#include <iostream>
#include <map>
#include <sstream>
#include <string>

#include "base/json.h"

namespace cupel {

/// A program's words, "--NAME VALUE" each.
using Options = std::map<std::string, std::string>;

/// serve(options) with the program's words; what it throws is told, and gives 1.
template <class Serve>
int run_program(int argc, char** argv, const Serve& serve) {
  Options options;
  for (int i = 1; i + 1 < argc; i += 2) options[argv[i]] = argv[i + 1];
  try {
    serve(options);
    return 0;
  } catch (const std::exception& error) {
    std::cerr << argv[0] << ": " << error.what() << std::endl;
    return 1;
  }
}

/// Prints `hello`, then answer(word, steps) to every line "WORD STEPS", steps being 1 where the
/// line has none, until the input ends.
template <class Answer>
void answer_requests(const json::Value& hello, const Answer& answer) {
  std::cout << json::dump(hello) << std::endl;
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream words(line);
    std::string word;
    int64_t steps = 1;
    words >> word >> steps;
    if (!word.empty()) std::cout << json::dump(answer(word, steps)) << std::endl;
  }
}

/// Of `steps` calls of the body, by the clock.
template <class Body>
double seconds_of(int64_t steps, const Body& body) {
  const auto begin = std::chrono::steady_clock::now();
  for (int64_t i = 0; i < steps; ++i) body();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

}  // namespace cupel
