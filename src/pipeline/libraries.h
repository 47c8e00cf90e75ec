// Which versions of other people's libraries this program runs with.
#pragma once

#include <map>
#include <string>

namespace cupel::pipeline {

/// Version by name, of the libraries of the half without LibTorch: what the loaded library says of
/// itself, or the header that was compiled in. Left out: yaml-cpp, which tells neither.
std::map<std::string, std::string> library_versions();

}  // namespace cupel::pipeline
