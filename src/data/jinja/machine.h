// What every part of a rendering shares: its budget, the values it makes, where it stands.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

#include "data/jinja/value.h"

namespace cupel::jinja {

/// No template, however written, takes more.
struct Limits {
  int64_t steps = 1'000'000;                    // expressions, items, and KiB of text touched
  std::size_t output = std::size_t{16} << 20;   // bytes
  std::size_t memory = std::size_t{128} << 20;  // bytes of all values made on the way
  int depth = 200;                              // of what calls or holds one another
};

/// Owns the values of one rendering: they live as long as it does.
class Machine {
 public:
  /// `where` names the template in errors.
  Machine(std::string where, const Limits& limits) : where_(std::move(where)), limits_(limits) {}
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  Value string(std::string text);
  Value list(List items) { return sequence(std::move(items), Kind::list); }
  Value tuple(List items) { return sequence(std::move(items), Kind::tuple); }
  Value dict(Pairs pairs);
  Value space(Namespace members);
  Value function(Function function);
  Value undefined(std::string what);
  /// The caller moves it on.
  Loop& loop();
  static Value of_loop(const Loop& loop);

  /// Counts work and what it makes; throws Error{data} past a limit.
  void spend(std::size_t steps);
  void spend_bytes(std::size_t bytes) { spend(1 + bytes / 1024); }
  void take_memory(std::size_t bytes);

  /// Throws Error{data} "where:line: text; hint".
  [[noreturn]] void refuse(std::string text, std::string hint = {}) const;

  const Limits& limits() const { return limits_; }
  int32_t line = 1;  // of the template, for errors
  int depth = 0;

 private:
  Value sequence(List items, Kind kind);

  std::string where_;
  Limits limits_;
  int64_t steps_ = 0;
  std::size_t memory_ = 0;
  std::deque<std::string> strings_;
  std::deque<List> lists_;
  std::deque<Pairs> dicts_;
  std::deque<Namespace> spaces_;
  std::deque<Function> functions_;
  std::deque<Loop> loops_;
};

/// One level deeper while it lives. Throws Error{data} at Limits::depth.
class Deeper {
 public:
  explicit Deeper(Machine& machine);
  ~Deeper() { --machine_.depth; }
  Deeper(const Deeper&) = delete;
  Deeper& operator=(const Deeper&) = delete;

 private:
  Machine& machine_;
};

}  // namespace cupel::jinja
