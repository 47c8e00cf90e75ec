// What tests compare results with takes millions of steps. Tests are compiled without optimisation;
// these inner loops are optimised, and not instrumented, in every build.
#pragma once

#include <cstdint>

namespace cupel {

/// Σ a[i]·b[i] in double.
double dot(const float* a, const float* b, int64_t size);
double dot(const double* a, const double* b, int64_t size);

/// Whether AddressSanitizer or ThreadSanitizer watches: tests then leave out repetitions that reach
/// no other memory.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kSanitized = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif
#else
inline constexpr bool kSanitized = false;
#endif

}  // namespace cupel
