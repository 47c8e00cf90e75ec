// What the benches' programs share: requests on standard input, each answered with a line of JSON.
#pragma once

#include <chrono>
#include <cstdint>
#include <iostream>
#include <sstream>
#include <string>

#include "base/json.h"

namespace cupel {

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
