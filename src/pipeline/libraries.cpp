#include "pipeline/libraries.h"

#define PCRE2_CODE_UNIT_WIDTH 8  // pcre2.h asks for it
#include <fmt/format.h>
#include <openssl/crypto.h>
#include <pcre2.h>
#include <simdjson.h>
#include <utf8proc.h>
#include <xxhash.h>
#include <zlib.h>
#include <zstd.h>

#include <nlohmann/detail/abi_macros.hpp>

namespace cupel::pipeline {
namespace {

/// Of a number that has `base` values for each of the two smaller parts.
std::string dotted(unsigned number, unsigned base) {
  return fmt::format("{}.{}.{}", number / base / base, number / base % base, number % base);
}

/// "10.42 2022-12-11" without the date.
std::string pcre2_version() {
  char text[64] = {};
  pcre2_config(PCRE2_CONFIG_VERSION, text);
  const std::string version = text;
  return version.substr(0, version.find(' '));
}

}  // namespace

std::map<std::string, std::string> library_versions() {
  return {{"fmt", dotted(FMT_VERSION, 100)},
          {"nlohmann-json", fmt::format("{}.{}.{}", NLOHMANN_JSON_VERSION_MAJOR,
                                        NLOHMANN_JSON_VERSION_MINOR, NLOHMANN_JSON_VERSION_PATCH)},
          {"OpenSSL", OpenSSL_version(OPENSSL_VERSION_STRING)},
          {"PCRE2", pcre2_version()},
          {"simdjson", fmt::format("{}.{}.{}", static_cast<int>(simdjson::SIMDJSON_VERSION_MAJOR),
                                   static_cast<int>(simdjson::SIMDJSON_VERSION_MINOR),
                                   static_cast<int>(simdjson::SIMDJSON_VERSION_REVISION))},
          {"utf8proc", utf8proc_version()},
          {"xxHash", dotted(XXH_versionNumber(), 100)},
          {"zlib", zlibVersion()},
          {"zstd", ZSTD_versionString()}};
}

}  // namespace cupel::pipeline
