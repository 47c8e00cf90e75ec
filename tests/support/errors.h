// Matching the one exception of the product.
#pragma once

#include <gmock/gmock.h>

#include <string>

#include "base/error.h"

namespace cupel {

/// EXPECT_THAT([] { … }, throws_error(ErrorKind::config, "part of what()")).
inline auto throws_error(ErrorKind kind, const std::string& text) {
  return testing::Throws<Error>(
      testing::AllOf(testing::Property("kind", &Error::kind, kind),
                     testing::Property("what", &Error::what, testing::HasSubstr(text))));
}

/// The whole of what(), for errors whose exact words are promised.
inline auto throws_exactly(ErrorKind kind, const std::string& text) {
  return testing::Throws<Error>(
      testing::AllOf(testing::Property("kind", &Error::kind, kind),
                     testing::Property("what", &Error::what, testing::StrEq(text))));
}

}  // namespace cupel
