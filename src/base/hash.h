// A hash of a text wide enough to stand for it.
#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <string_view>

namespace cupel {

/// xxh3-128, stable across machines: two texts of one corpus that share it are the same text (a
/// chance of 1e-21 among 10^9 texts; no defence against texts made to collide).
struct Hash128 {
  uint64_t high = 0, low = 0;
  auto operator<=>(const Hash128&) const = default;
};
Hash128 hash128(std::string_view text);

/// The same of a text that comes in parts.
class Hasher128 {
 public:
  Hasher128();
  ~Hasher128();
  Hasher128(const Hasher128&) = delete;
  Hasher128& operator=(const Hasher128&) = delete;
  void add(std::string_view part);
  /// Of all parts so far.
  Hash128 value() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace cupel
